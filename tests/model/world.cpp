// SPDX-License-Identifier: BSD-3-Clause
// How steps become calls, and what is compared.
#include "world.hpp"

#include "fake/test_machine.hpp"
#include "hypercall/dispatch.hpp"
#include "hypercall/handler.hpp"
#include "memory/ownership.hpp"
#include "schedule/scheduler.hpp"

#include <abi/hypercall.h>
#include <abi/rights.h>

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <stdexcept>
#include <unordered_map>

namespace model {

namespace {

constexpr Word ipa_pages = 2560; // what steps aim at, more than there is RAM

struct Call {
    const char* name;
    unsigned number;
};

constexpr Call create_cspace{"partition_create_cspace", GH_PARTITION_CREATE_CSPACE};
constexpr Call create_space{"partition_create_addrspace", GH_PARTITION_CREATE_ADDRSPACE};
constexpr Call create_extent{"partition_create_memextent", GH_PARTITION_CREATE_MEMEXTENT};
constexpr Call create_doorbell{"partition_create_doorbell", GH_PARTITION_CREATE_DOORBELL};
constexpr Call create_queue{"partition_create_msgqueue", GH_PARTITION_CREATE_MSGQUEUE};

void must(const std::optional<std::string>& wrong) {
    if (wrong) {
        throw std::runtime_error(*wrong);
    }
}

std::byte* page_in_ram(std::size_t page) {
    return static_cast<std::byte*>(hyp::phys_to_virt(hyp::fake::vm_ram.base + page * page_size));
}

} // namespace

/// Takes the numbers of a step one after the other.
class World::Picker {
public:
    Picker(const Step& step, const World& world) : step_(step), world_(world) {}

    std::uint32_t number() { return step_[next_++ % step_.size()]; }
    std::uint32_t below(std::uint32_t limit) { return number() % limit; }
    bool one_in(std::uint32_t n) { return below(n) == 0; }
    template <std::size_t n>
    Word of(const std::array<Word, n>& values) {
        return values[below(n)];
    }

    enum class Want { any, fresh, active };

    /// Mostly a capability of `cspace` to such an object; sometimes any, or nonsense.
    Word capability(const Cspace& cspace, Kind kind, Want want = Want::any) {
        return fitting(cspace, [&](const Object& object) {
            return object.kind == kind &&
                   (want == Want::any || object.active == (want == Want::active));
        });
    }
    /// Likewise to an object that `fits`.
    Word fitting(const Cspace& cspace, const auto& fits) {
        const std::uint32_t choice = number();
        if (choice % 32 == 0) {
            return world_.names_[choice / 32 % world_.names_.size()];
        }
        std::vector<Word> found;
        for (const auto& [name, slot] : cspace.slots) {
            if (choice % 32 == 1 || (slot.object && fits(*slot.object))) {
                found.push_back(name);
            }
        }
        return found.empty() ? 0 : found[choice / 32 % found.size()];
    }
    static const Extent* extent(const Cspace& cspace, Word name) {
        const auto slot = cspace.slots.find(name);
        const bool is = slot != cspace.slots.end() && slot->second.object &&
                        slot->second.object->kind == Kind::extent;
        return is ? static_cast<const Extent*>(slot->second.object.get()) : nullptr;
    }
    Word any_capability(const Cspace& cspace) {
        const std::uint32_t choice = number();
        if (cspace.slots.empty() || choice % 32 == 0) {
            return world_.names_[choice / 32 % world_.names_.size()];
        }
        auto slot = cspace.slots.begin();
        std::advance(slot, choice / 32 % cspace.slots.size());
        return slot->first;
    }
    Word reserved() { return one_in(64) ? number() : 0; }

    /// Bytes: mostly whole pages, often aligned to blocks.
    Word offset(Word limit_pages) {
        const Word page = below(static_cast<std::uint32_t>(limit_pages));
        const Word aligned = one_in(2) ? page / 512 * 512 : page;
        return aligned * page_size + (one_in(64) ? 8 : 0);
    }
    Word size() {
        return of<9>({1, 1, 2, 3, 4, 16, 100, 512, 513}) * page_size + (one_in(64) ? 8 : 0);
    }
    Word access() { return of<4>({GH_ACCESS_R, GH_ACCESS_RW, GH_ACCESS_RWX, GH_ACCESS_RWX}); }
    Word flags() { return (one_in(8) ? below(3) : 1) * GH_MAP_FLAG_PARTIAL; }

private:
    const Step& step_;
    const World& world_;
    std::size_t next_ = 0;
};

// Setting up.

World::World() {
    static const bool once = [] {
        hyp::init_hypercalls();
        return true;
    }();
    static_cast<void>(once);
    for (std::size_t i = 0; i < vms; ++i) {
        set_up_vm(i);
    }
    auto partition = hyp::make_object<hyp::Partition>();
    (void)partition->activate();
    auto partition_model = std::make_shared<Object>(Kind::partition);
    partition_model->active = true;
    give(0, partition_model, partition, GH_RIGHTS_ALL);
    give(1, partition_model, partition, GH_RIGHTS_ALL);

    auto root = hyp::make_object<hyp::MemExtent>();
    (void)root->configure(hyp::fake::vm_ram.base, page_count * page_size,
                          {GH_ACCESS_RWX, hyp::ExtentMemoryType::any, hyp::ExtentKind::sparse});
    (void)root->activate();
    auto root_model = std::make_shared<Extent>(machine_);
    root_model->count = page_count;
    root_model->access = GH_ACCESS_RWX;
    root_model->sparse = root_model->configured = root_model->active = true;
    for (std::size_t i = 0; i < page_count; ++i) {
        machine_.pages[i].owner = root_model.get();
        machine_.pages[i].content.fill(0x5a); // so that zeroing is seen
        std::memset(page_in_ram(i), 0x5a, machine_.pages[i].content.size());
    }
    give(0, root_model, root, GH_RIGHTS_ALL);
    for (std::size_t i = 0; i < vms; ++i) { // the first VM reaches all
        give(0, vms_[i].model.cspace, vms_[i].cspace, GH_RIGHTS_ALL);
        give(0, vms_[i].model.memory, vms_[i].memory, GH_RIGHTS_ALL);
    }
    furnish();
}

/// By calls of the first VM: a child of the root extent and one of that, both with memory, some of
/// it mapped in each VM; a queue and a doorbell that all may use. What follows has it to start
/// from.
void World::furnish() {
    Vm& vm = vms_[0];
    Caller& caller = vm.model;
    const auto names = [&](Kind kind) {
        std::vector<Word> found;
        for (const auto& [name, slot] : caller.cspace->slots) {
            if (slot.object->kind == kind) {
                found.push_back(name);
            }
        }
        return found;
    };
    const auto cspaces = names(Kind::cspace), spaces = names(Kind::space);
    const Word partition = names(Kind::partition)[0];
    const auto create = [&](const Call& which, Kind kind) {
        must(agree(which.name, vm, which.number, {partition, cspaces[0], 0}, 1, [&](Word name) {
            names_.push_back(name);
            return machine_.create(caller, kind, partition, cspaces[0], 0, name);
        }));
        return names_.back();
    };
    const auto activate = [&](Word cap) {
        must(agree("object_activate", vm, GH_OBJECT_ACTIVATE, {cap, 0}, 0,
                   [&](Word) { return machine_.activate(caller, cap, 0); }));
    };
    const auto child_of = [&](Word parent, Word size, Word given) {
        const Word child = create(create_extent, Kind::extent);
        const Word attributes = GH_ACCESS_RWX | GH_MEMEXTENT_TYPE_SPARSE
                                                    << GH_MEMEXTENT_ATTR_TYPE_SHIFT;
        must(agree("memextent_configure_derive", vm, GH_MEMEXTENT_CONFIGURE_DERIVE,
                   {child, parent, 0, size, attributes, 0}, 0, [&](Word) {
                       return machine_.derive(caller, child, parent, 0, size, attributes, 0);
                   }));
        activate(child);
        must(agree("memextent_donate", vm, GH_MEMEXTENT_DONATE,
                   {GH_MEMEXTENT_DONATE_TO_CHILD, parent, child, 0, given, 0}, 0, [&](Word) {
                       return machine_.donate(caller, GH_MEMEXTENT_DONATE_TO_CHILD, parent, child,
                                              0, given, 0);
                   }));
        return child;
    };
    const Word child = child_of(names(Kind::extent)[0], 512 * page_size, 256 * page_size);
    const Word grandchild = child_of(child, 64 * page_size, 32 * page_size);
    const Word attributes =
        GH_ACCESS_RWX << GH_MAP_ATTR_KERNEL_SHIFT | Word{15} << GH_MAP_ATTR_MEMTYPE_SHIFT;
    for (const Word space : spaces) {
        must(agree("addrspace_map", vm, GH_ADDRSPACE_MAP,
                   {space, grandchild, 0, attributes, GH_MAP_FLAG_PARTIAL, 0, 8 * page_size}, 0,
                   [&](Word) {
                       return machine_.map(caller, space, grandchild, 0, attributes,
                                           GH_MAP_FLAG_PARTIAL, 0, 8 * page_size);
                   }));
    }
    const Word queue = create(create_queue, Kind::queue);
    const Word bell = create(create_doorbell, Kind::doorbell);
    must(agree("msgqueue_configure", vm, GH_MSGQUEUE_CONFIGURE, {queue, 0x100003, 0}, 0,
               [&](Word) { return machine_.queue_configure(caller, queue, 0x100003, 0); }));
    for (const Word cap : {queue, bell}) {
        activate(cap);
        for (std::size_t i = 1; i < cspaces.size(); ++i) {
            must(agree("cspace_copy_cap_from", vm, GH_CSPACE_COPY_CAP_FROM,
                       {cspaces[0], cap, cspaces[i], GH_RIGHTS_ALL, 0}, 1, [&](Word name) {
                           names_.push_back(name);
                           return machine_.copy(caller, cspaces[0], cap, cspaces[i], GH_RIGHTS_ALL,
                                                0, name);
                       }));
        }
    }
}

void World::set_up_vm(std::size_t index) {
    Vm& vm = vms_[index];
    vm.model.cspace = std::make_shared<Cspace>();
    vm.model.cspace->most = 60;
    vm.model.cspace->configured = vm.model.cspace->active = true;
    vm.model.memory = std::make_shared<Space>(machine_);
    vm.model.memory->configured = vm.model.memory->active = true;
    vm.cspace = hyp::make_object<hyp::Cspace>();
    (void)vm.cspace->configure(60);
    (void)vm.cspace->activate();
    vm.memory = hyp::make_object<hyp::AddressSpace>();
    (void)vm.memory->configure(index + 1);
    (void)vm.memory->activate();
    vm.vcpu = hyp::make_object<hyp::Vcpu>(hyp::scheduler());
    (void)vm.vcpu->attach_cspace(vm.cspace);
    (void)vm.vcpu->attach_address_space(vm.memory);
    give(index, vm.model.cspace, vm.cspace, GH_RIGHTS_ALL);
    give(index, vm.model.memory, vm.memory, GH_RIGHT_ADDRSPACE_MAP | GH_RIGHT_ADDRSPACE_LOOKUP);
}

void World::give(std::size_t index, std::shared_ptr<Object> object, hyp::Ref<hyp::Object> real,
                 std::uint32_t rights) {
    const auto name = vms_[index].cspace->insert(std::move(real), rights);
    names_.push_back(*name);
    Machine::give(*vms_[index].model.cspace, *name, std::move(object), rights);
}

World::~World() {
    for (Vm& vm : vms_) {
        for (const auto& [name, slot] : vm.model.cspace->slots) {
            (void)vm.cspace->remove(name);
        }
        vm.model.cspace->clear();
    }
}

// Steps.

std::map<std::string, World::Tally>& World::tallies() {
    static std::map<std::string, Tally> all;
    return all;
}

Answer World::call(Vm& vm, unsigned number, std::initializer_list<Word> arguments,
                   std::size_t results) {
    auto& x = vm.vcpu->registers.x;
    std::fill_n(x, 8, Word{0});
    std::copy(arguments.begin(), arguments.end(), x);
    Answer answer;
    answer.error = static_cast<std::int64_t>(hyp::hypercall(*vm.vcpu, number, 0));
    if (answer.error == 0) {
        answer.values.assign(x + 1, x + 1 + results);
    }
    return answer;
}

/// The call in the core, then in the model, which is told the first result: the name of a
/// capability, if the call makes one.
std::optional<std::string> World::agree(const char* what, Vm& vm, unsigned number,
                                        std::initializer_list<Word> arguments, std::size_t results,
                                        const auto& in_model) {
    const Answer real = call(vm, number, arguments, results);
    Tally& tally = tallies()[what];
    ++tally.made;
    tally.succeeded += real.error == 0 ? 1 : 0;
    const Answer wanted = in_model(real.values.empty() ? 0 : real.values[0]);
    last_ = fmt::format("VM {}: {}(", &vm - vms_.data(), what);
    for (const Word argument : arguments) {
        last_ += fmt::format(" {:#x}", argument);
    }
    const auto tell = [this](const char* who, const Answer& answer) {
        last_ += fmt::format("{} {}", who, answer.error);
        for (const Word value : answer.values) {
            last_ += fmt::format(" {:#x}", value);
        }
    };
    tell(" ) =", real);
    if (real == wanted) {
        return std::nullopt;
    }
    tell("; the model says", wanted);
    return last_;
}

std::optional<std::string> World::make(const Step& step) {
    Picker pick(step, *this);
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

// Comparison.

std::optional<std::string> World::compare() {
    std::unordered_map<const Extent*, hyp::OwnerId> owners;
    std::unordered_map<unsigned, const Extent*> known;
    for (std::size_t i = 0; i < page_count; ++i) {
        const Page& page = machine_.pages[i];
        const hyp::PhysAddr address = hyp::fake::vm_ram.base + i * page_size;
        const hyp::OwnerId owner = hyp::ownership().owner_of(address);
        const auto number = static_cast<unsigned>(owner);
        if (owners.try_emplace(page.owner, owner).first->second != owner ||
            known.try_emplace(number, page.owner).first->second != page.owner) {
            return fmt::format("page {} has another owner than in the model", i);
        }
        if (hyp::ownership().mappings_of(address) != page.mappings) {
            return fmt::format("page {} has {} mappings, not {}", i,
                               hyp::ownership().mappings_of(address), page.mappings);
        }
        if (std::memcmp(page_in_ram(i), page.content.data(), page.content.size()) != 0) {
            return fmt::format("page {} has another content than in the model", i);
        }
    }
    std::set<const Object*> seen;
    for (const Vm& vm : vms_) {
        if (vm.cspace->size() != vm.model.cspace->slots.size()) {
            return fmt::format("a space has {} capabilities, not {}", vm.cspace->size(),
                               vm.model.cspace->slots.size());
        }
        for (const auto& [name, slot] : vm.model.cspace->slots) {
            if (slot.object && slot.object->kind == Kind::space && slot.object->active &&
                seen.insert(slot.object.get()).second) {
                const auto real = vm.cspace->lookup<hyp::AddressSpace>(name, 0);
                if (!real) {
                    return fmt::format("address space {:#x} cannot be found", name);
                }
                if (auto wrong = compare_space(static_cast<const Space&>(*slot.object), **real)) {
                    return wrong;
                }
            }
        }
    }
    return std::nullopt;
}

std::optional<std::string> World::compare_space(const Space& space, hyp::AddressSpace& real) const {
    for (Word page = 0; page < ipa_pages + page_count; ++page) {
        const auto found = real.ram_at(hyp::Ipa{page * page_size});
        const auto leaf = space.leaves.find(page);
        const bool wanted = leaf != space.leaves.end();
        const bool right =
            found.has_value() == wanted &&
            (!wanted ||
             (*found == hyp::fake::vm_ram.base + leaf->second.page * page_size &&
              real.permits(hyp::Ipa{page * page_size}, hyp::Access(leaf->second.access)) &&
              (leaf->second.access == GH_ACCESS_RWX ||
               !real.permits(hyp::Ipa{page * page_size}, GH_ACCESS_RWX))));
        if (!right) {
            return fmt::format("stage 2 at page {:#x} is not what the model has", page);
        }
    }
    return std::nullopt;
}

} // namespace model
