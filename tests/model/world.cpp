// SPDX-License-Identifier: BSD-3-Clause
// Three VMs on both sides, calls made by both, and what is compared.
#include "world.hpp"

#include "starvation.hpp"

#include "fake/test_machine.hpp"
#include "hypercall/dispatch.hpp"
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

void must(const std::optional<std::string>& wrong) {
    if (wrong) {
        throw std::runtime_error(*wrong);
    }
}

void must_do(const rt::Result<>& done) {
    if (!done) {
        throw std::runtime_error("the world cannot be set up");
    }
}

std::byte* page_in_ram(std::size_t page) {
    return static_cast<std::byte*>(hyp::phys_to_virt(hyp::fake::vm_ram.base + page * page_size));
}

} // namespace

// Setting up.

void ready_hypercalls() {
    static const bool once = [] {
        hyp::init_hypercalls();
        return true;
    }();
    static_cast<void>(once);
}

World::World(bool starving) {
    ready_hypercalls();
    for (std::size_t i = 0; i < vms; ++i) {
        set_up_vm(i);
    }
    auto partition = hyp::make_object<hyp::Partition>();
    must_do(partition->activate());
    auto partition_model = std::make_shared<Object>(Kind::partition);
    partition_model->active = true;
    give(0, partition_model, partition, GH_RIGHTS_ALL);
    give(1, partition_model, partition, GH_RIGHTS_ALL);

    auto root = hyp::make_object<hyp::MemExtent>();
    must_do(root->configure(hyp::fake::vm_ram.base, page_count * page_size,
                            {GH_ACCESS_RWX, hyp::ExtentMemoryType::any, hyp::ExtentKind::sparse}));
    must_do(root->activate());
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
    starving_ = starving;
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
    must_do(vm.cspace->configure(60));
    must_do(vm.cspace->activate());
    vm.memory = hyp::make_object<hyp::AddressSpace>();
    must_do(vm.memory->configure(index + 1));
    must_do(vm.memory->activate());
    vm.vcpu = hyp::make_object<hyp::Vcpu>(hyp::scheduler());
    must_do(vm.vcpu->attach_cspace(vm.cspace));
    must_do(vm.vcpu->attach_address_space(vm.memory));
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

// Calls.

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
                                        const InModel& in_model) {
    Answer real;
    const auto in_core = [&] {
        real = call(vm, number, arguments, results);
        return real.error;
    };
    std::optional<std::string> wrong;
    if (starving_) {
        wrong = starve(in_core, [this] { return compare(); });
    } else {
        (void)in_core();
    }
    Tally& tally = tallies()[what];
    ++tally.made;
    tally.succeeded += real.error == 0 ? 1 : 0;
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
    if (wrong) {
        return last_ + "; " + *wrong;
    }
    const Answer wanted = in_model(real.values.empty() ? 0 : real.values[0]);
    if (real == wanted) {
        return std::nullopt;
    }
    tell("; the model says", wanted);
    return last_;
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
