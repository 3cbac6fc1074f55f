// SPDX-License-Identifier: BSD-3-Clause
// How steps become calls.
#include "world.hpp"

#include <abi/hypercall.h>
#include <abi/rights.h>

#include <algorithm>
#include <fmt/format.h>
#include <utility>

namespace model {

std::optional<std::string> World::make(const Step& step) {
    Picker pick(step, names_);
    Vm& vm = vms_[pick.of<6>({0, 0, 0, 0, 1, 2})];
    switch (pick.below(8)) {
    case 0:
    case 1:
    case 2:
        return make_capability_call(pick, vm);
    case 3:
    case 4:
    case 5:
        return make_memory_call(pick, vm);
    case 6:
        return make_message_call(pick, vm);
    default:
        return store(pick, vm);
    }
}

bool World::belongs_to_vm(const Object* object) const {
    return std::any_of(vms_.begin(), vms_.end(),
                       [&](const Vm& vm) { return vm.model.cspace.get() == object; });
}

std::optional<std::string> World::make_capability_call(Picker& pick, Vm& vm) {
    Caller& caller = vm.model;
    const Word space = pick.capability(*caller.cspace, Kind::cspace);
    const auto slot = caller.cspace->slots.find(space);
    const Object* target = slot == caller.cspace->slots.end() ? nullptr : slot->second.object.get();
    const bool is_cspace = target != nullptr && target->kind == Kind::cspace;
    const Cspace& inside = is_cspace ? static_cast<const Cspace&>(*target) : *caller.cspace;
    const Word reserved = pick.reserved();
    const std::uint32_t choice = pick.below(16);
    if (choice < 4) {
        static constexpr std::array kinds{
            std::pair{create_cspace, Kind::cspace},     std::pair{create_space, Kind::space},
            std::pair{create_extent, Kind::extent},     std::pair{create_extent, Kind::extent},
            std::pair{create_doorbell, Kind::doorbell}, std::pair{create_queue, Kind::queue}};
        const auto& [which, kind] = kinds[pick.below(kinds.size())];
        if (kind == Kind::cspace && is_cspace && !belongs_to_vm(target)) {
            return std::nullopt; // spaces that hold each other would never end
        }
        const Word partition = pick.capability(*caller.cspace, Kind::partition);
        auto wrong =
            agree(which.name, vm, which.number, {partition, space, reserved}, 1, [&](Word name) {
                names_.push_back(name);
                return machine_.create(caller, kind, partition, space, reserved, name);
            });
        return wrong;
    }
    if (choice < 8) {
        const Word cap = pick.fitting(*caller.cspace, [](const Object& object) {
            return object.configured && !object.active;
        });
        return agree("object_activate", vm, GH_OBJECT_ACTIVATE, {cap, reserved}, 0,
                     [&](Word) { return machine_.activate(caller, cap, reserved); });
    }
    const Word cap = pick.any_capability(inside);
    if (choice < 12) {
        const Word to = pick.capability(*caller.cspace, Kind::cspace);
        const auto into = caller.cspace->slots.find(to);
        const auto copied = inside.slots.find(cap);
        const bool may_cycle = into != caller.cspace->slots.end() &&
                               !belongs_to_vm(into->second.object.get()) &&
                               copied != inside.slots.end() && copied->second.object &&
                               copied->second.object->kind == Kind::cspace;
        if (may_cycle) {
            return std::nullopt;
        }
        const Word mask = pick.one_in(2) ? GH_RIGHTS_ALL : pick.number();
        return agree("cspace_copy_cap_from", vm, GH_CSPACE_COPY_CAP_FROM,
                     {space, cap, to, mask, reserved}, 1, [&](Word name) {
                         names_.push_back(name);
                         return machine_.copy(caller, space, cap, to, mask, reserved, name);
                     });
    }
    if (choice == 12) {
        const Word gone =
            pick.one_in(2) ? cap : pick.capability(inside, Kind::extent, Picker::Want::active);
        return agree("cspace_delete_cap_from", vm, GH_CSPACE_DELETE_CAP_FROM,
                     {space, gone, reserved}, 0,
                     [&](Word) { return machine_.remove(caller, space, gone, reserved); });
    }
    if (choice == 13 && pick.one_in(4)) {
        return agree("cspace_revoke_cap_from", vm, GH_CSPACE_REVOKE_CAP_FROM,
                     {space, cap, reserved}, 0,
                     [&](Word) { return machine_.revoke(caller, space, cap, reserved); });
    }
    if (choice == 14 && pick.one_in(4)) {
        return agree("cspace_revoke_caps_from", vm, GH_CSPACE_REVOKE_CAPS_FROM,
                     {space, cap, reserved}, 0,
                     [&](Word) { return machine_.revoke_children(caller, space, cap, reserved); });
    }
    const Word most = pick.of<5>({0, 2, 10, 65536, 65537});
    const Word fresh = pick.capability(*caller.cspace, Kind::cspace, Picker::Want::fresh);
    return agree("cspace_configure", vm, GH_CSPACE_CONFIGURE, {fresh, most, reserved}, 0,
                 [&](Word) { return machine_.cspace_configure(caller, fresh, most, reserved); });
}

std::optional<std::string> World::donate(Picker& pick, Vm& vm) {
    Caller& caller = vm.model;
    const Cspace& cspace = *caller.cspace;
    const Word options = pick.below(16) < 15 ? pick.below(3) : pick.below(8);
    Word from = pick.fitting(cspace, [](const Object& object) {
        return object.active && object.kind == Kind::extent &&
               static_cast<const Extent&>(object).parent;
    });
    const Extent* child = Picker::extent(cspace, from);
    Word to = pick.fitting(cspace, [&](const Object& object) {
        return child != nullptr && object.kind == Kind::extent &&
               (options == GH_MEMEXTENT_DONATE_TO_SIBLING
                    ? static_cast<const Extent&>(object).parent == child->parent
                    : &object == child->parent.get());
    });
    Word offset = pick.offset(child == nullptr || child->count == 0 ? page_count : child->count);
    const Extent* other = Picker::extent(cspace, to);
    if (options == GH_MEMEXTENT_DONATE_TO_CHILD) {
        offset +=
            child != nullptr && other != nullptr ? (child->first - other->first) * page_size : 0;
        std::swap(from, to);
    }
    const Word size = pick.of<8>({1, 1, 2, 4, 8, 64, 512, 513}) * page_size;
    const Word reserved = pick.reserved();
    return agree(
        "memextent_donate", vm, GH_MEMEXTENT_DONATE, {options, from, to, offset, size, reserved}, 0,
        [&](Word) { return machine_.donate(caller, options, from, to, offset, size, reserved); });
}

/// Chooses a page that the address space maps, and the extent of it.
void World::aim_at_mapping(Picker& pick, const Cspace& cspace, Word space, Word& extent, Word& base,
                           Word& offset) {
    const auto slot = cspace.slots.find(space);
    if (slot == cspace.slots.end() || !slot->second.object ||
        slot->second.object->kind != Kind::space) {
        return;
    }
    const auto& leaves = static_cast<const Space&>(*slot->second.object).leaves;
    if (leaves.empty()) {
        return;
    }
    auto leaf = leaves.begin();
    std::advance(leaf, pick.number() % leaves.size());
    const Extent* owner = machine_.pages[leaf->second.page].owner;
    extent = pick.fitting(cspace, [&](const Object& object) { return &object == owner; });
    base = leaf->first * page_size;
    offset = owner == nullptr ? 0 : (leaf->second.page - owner->first) * page_size;
}

std::optional<std::string> World::make_memory_call(Picker& pick, Vm& vm) {
    Caller& caller = vm.model;
    const Cspace& cspace = *caller.cspace;
    using Want = Picker::Want;
    const std::uint32_t choice = pick.below(16);
    const Word space =
        pick.capability(cspace, Kind::space, choice == 0 ? Want::fresh : Want::active);
    Word extent = pick.capability(cspace, Kind::extent, choice < 3 ? Want::fresh : Want::active);
    const Extent* chosen = Picker::extent(cspace, extent);
    const Word reserved = pick.reserved();
    Word base = pick.offset(ipa_pages), size = pick.size();
    Word offset = pick.offset(chosen == nullptr || chosen->count == 0 ? page_count : chosen->count);
    const Word flags = pick.flags(), access = pick.access() << GH_MAP_ATTR_KERNEL_SHIFT;
    if (choice >= 11 && !pick.one_in(4)) {
        aim_at_mapping(pick, cspace, space, extent, base, offset);
    }
    switch (choice) {
    case 0:
        return agree("addrspace_configure", vm, GH_ADDRSPACE_CONFIGURE, {space, base, reserved}, 0,
                     [&](Word) { return machine_.space_configure(caller, space, base, reserved); });
    case 1:
    case 2: {
        const Word parent = pick.capability(cspace, Kind::extent, Want::active);
        const Extent* above = Picker::extent(cspace, parent);
        offset = pick.offset(above == nullptr || above->count == 0 ? page_count : above->count);
        size = pick.one_in(2) ? size : pick.of<3>({8, 512, 600}) * page_size;
        const Word attributes =
            pick.of<4>({GH_ACCESS_RWX, GH_ACCESS_RWX, GH_ACCESS_RWX, GH_ACCESS_R}) |
            pick.of<4>({GH_MEMEXTENT_TYPE_SPARSE, GH_MEMEXTENT_TYPE_SPARSE,
                        GH_MEMEXTENT_TYPE_SPARSE, GH_MEMEXTENT_TYPE_BASIC})
                << GH_MEMEXTENT_ATTR_TYPE_SHIFT |
            pick.of<4>({GH_MEMEXTENT_MEMTYPE_ANY, GH_MEMEXTENT_MEMTYPE_ANY,
                        GH_MEMEXTENT_MEMTYPE_ANY, GH_MEMEXTENT_MEMTYPE_CACHED})
                << GH_MEMEXTENT_ATTR_MEMTYPE_SHIFT;
        return agree("memextent_configure_derive", vm, GH_MEMEXTENT_CONFIGURE_DERIVE,
                     {extent, parent, offset, size, attributes, reserved}, 0, [&](Word) {
                         return machine_.derive(caller, extent, parent, offset, size, attributes,
                                                reserved);
                     });
    }
    case 3:
    case 4:
    case 5:
        return donate(pick, vm);
    case 6: {
        const Word operation =
            pick.of<4>({GH_MEMEXTENT_MODIFY_UNMAP_ALL,
                        GH_MEMEXTENT_MODIFY_ZERO_RANGE | GH_MEMEXTENT_MODIFY_NOSYNC,
                        GH_MEMEXTENT_MODIFY_ZERO_RANGE | GH_MEMEXTENT_MODIFY_NOSYNC,
                        GH_MEMEXTENT_MODIFY_ZERO_RANGE});
        return agree(
            "memextent_modify", vm, GH_MEMEXTENT_MODIFY, {extent, operation, offset, size}, 0,
            [&](Word) { return machine_.modify(caller, extent, operation, offset, size); });
    }
    case 7:
    case 8:
    case 9:
    case 10: {
        const Word attributes = access | pick.of<4>({15, 15, 5, 1}) << GH_MAP_ATTR_MEMTYPE_SHIFT;
        return agree("addrspace_map", vm, GH_ADDRSPACE_MAP,
                     {space, extent, base, attributes, flags, offset, size}, 0, [&](Word) {
                         return machine_.map(caller, space, extent, base, attributes, flags, offset,
                                             size);
                     });
    }
    case 11:
    case 12:
        return agree("addrspace_unmap", vm, GH_ADDRSPACE_UNMAP,
                     {space, extent, base, flags, offset, size}, 0, [&](Word) {
                         return machine_.unmap(caller, space, extent, base, flags, offset, size);
                     });
    case 13:
        return agree("addrspace_update_access", vm, GH_ADDRSPACE_UPDATE_ACCESS,
                     {space, extent, base, access, flags, offset, size}, 0, [&](Word) {
                         return machine_.update(caller, space, extent, base, access, flags, offset,
                                                size);
                     });
    default:
        return agree(
            "addrspace_lookup", vm, GH_ADDRSPACE_LOOKUP, {space, extent, base, size, reserved}, 3,
            [&](Word) { return machine_.lookup(caller, space, extent, base, size, reserved); });
    }
}

std::optional<std::string> World::make_message_call(Picker& pick, Vm& vm) {
    Caller& caller = vm.model;
    using Want = Picker::Want;
    const std::uint32_t choice = pick.below(8);
    const Word bell = pick.capability(*caller.cspace, Kind::doorbell, Want::active);
    const Word queue =
        pick.capability(*caller.cspace, Kind::queue, choice == 2 ? Want::fresh : Want::active);
    const Word reserved = pick.reserved(), flags = pick.number() & pick.number();
    const Word address = own_address(pick, vm);
    const Word size = pick.below(17);
    switch (choice) {
    case 0:
        return agree("doorbell_send", vm, GH_DOORBELL_SEND, {bell, flags, reserved}, 1,
                     [&](Word) { return machine_.ring(caller, bell, flags, reserved); });
    case 1:
        return agree("doorbell_receive", vm, GH_DOORBELL_RECEIVE, {bell, flags, reserved}, 1,
                     [&](Word) { return machine_.hear(caller, bell, flags, reserved); });
    case 2: {
        const Word options = pick.of<4>({0x100003, 0x80001, 0x10000, 0xf10001});
        return agree(
            "msgqueue_configure", vm, GH_MSGQUEUE_CONFIGURE, {queue, options, reserved}, 0,
            [&](Word) { return machine_.queue_configure(caller, queue, options, reserved); });
    }
    case 3:
        return agree("msgqueue_flush", vm, GH_MSGQUEUE_FLUSH, {queue, reserved}, 0,
                     [&](Word) { return machine_.flush(caller, queue, reserved); });
    case 4:
    case 5:
        return agree(
            "msgqueue_receive", vm, GH_MSGQUEUE_RECEIVE, {queue, address, size, reserved}, 2,
            [&](Word) { return machine_.receive(caller, queue, address, size, reserved); });
    default:
        return agree(
            "msgqueue_send", vm, GH_MSGQUEUE_SEND, {queue, size, address, flags & 1, reserved}, 1,
            [&](Word) { return machine_.send(caller, queue, size, address, flags & 1, reserved); });
    }
}

/// A page of the VM's own memory, mostly one that is mapped.
Word World::own_address(Picker& pick, const Vm& vm) {
    const auto& leaves = vm.model.memory->leaves;
    if (leaves.empty() || pick.one_in(8)) {
        return pick.offset(ipa_pages) / page_size * page_size;
    }
    auto leaf = leaves.begin();
    std::advance(leaf, pick.number() % leaves.size());
    return leaf->first * page_size;
}

/// The VM's own store to a byte of its memory, as the stage-2 tables allow it.
std::optional<std::string> World::store(Picker& pick, Vm& vm) {
    const Word address = own_address(pick, vm) + pick.below(16);
    const auto value = static_cast<std::uint8_t>(pick.number() | 1);
    const std::byte byte{value};
    const bool done = vm.memory->write(hyp::Ipa{address}, std::span(&byte, 1)).has_value();
    const bool wanted = machine_.store(vm.model, address, value).error == 0;
    last_ = fmt::format("VM {}: stores {:#x} at {:#x}: {}", &vm - vms_.data(), value, address,
                        done ? "done" : "refused");
    return done == wanted ? std::nullopt : std::optional(last_ + "; the model does not agree");
}

} // namespace model
