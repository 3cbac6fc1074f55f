// SPDX-License-Identifier: BSD-3-Clause
// What the three VMs are made of, and how they end.
#include "machine.hpp"

#include "heap/page_allocator.hpp"
#include "heap/trace.hpp"
#include "hypercall/dispatch.hpp"
#include "interrupt/hwirq.hpp"
#include "ipc/doorbell.hpp"
#include "ipc/message_queue.hpp"
#include "ipc/virtio_mmio.hpp"
#include "memory/carveouts.hpp"
#include "memory/memextent.hpp"
#include "memory/stage2.hpp"
#include "schedule/scheduler.hpp"
#include "vcpu/vpm_group.hpp"

#include <abi/hypercall.h>
#include <abi/rights.h>
#include <arch/gic.hpp>
#include <arch/physmap.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace fuzz {

using hyp::make_object;
using hyp::Ref;

namespace {

// The hypervisor's pool lies at the start of the fake RAM, memory for VMs behind it.
constexpr hyp::PhysRange pool{hyp::fake::ram_base, Word{64} << 20};
constexpr hyp::PhysRange vm_ram{pool.end(), hyp::fake::ram_size - pool.size};
constexpr Word pages_of_ram = 256; // of it, that VMs can get
constexpr std::uint32_t rights_on_vcpu_of_vm1 =
    GH_RIGHT_THREAD_STATE | GH_RIGHT_THREAD_BIND_VIRQ | GH_RIGHT_THREAD_YIELD_TO;

constexpr hyp::PhysRange ram() {
    return {vm_ram.base, pages_of_ram * hyp::page_size};
}

void must(bool done, const char* what) {
    if (!done) {
        std::fprintf(stderr, "the machine: %s\n", what);
        std::abort();
    }
}

template <typename Result>
void must(const Result& result) {
    must(result.has_value(), "it cannot be set up");
}

/// Once: what boot does, and objects that never end.
Ref<hyp::HwIrq> hardware_line() {
    static const Ref<hyp::HwIrq> line = [] {
        must(hyp::page_allocator().set_pool(pool.base, pool.size));
        must(hyp::ownership().add_ram(vm_ram));
        must(hyp::carveouts().add({hyp::fake::ram_base, hyp::fake::ram_size}));
        hyp::init_hypercalls();
        for (unsigned cpu = 0; cpu < Machine::cpus; ++cpu) {
            hyp::scheduler().add_cpu(hyp::fake::MachineGic::affinity(cpu));
            hyp::fake::set_cpu_index(cpu);
            hyp::write_trace(hyp::TraceClass::error, 0, 0); // its ring, which stays
        }
        Ref<hyp::HwIrq> made = make_object<hyp::HwIrq>(40U);
        must(made->activate());
        return made;
    }();
    return line;
}

Ref<hyp::MemExtent> extent(hyp::PhysAddr base, Word size, hyp::ExtentKind kind) {
    auto made = make_object<hyp::MemExtent>();
    must(made->configure(base, size, {GH_ACCESS_RWX, hyp::ExtentMemoryType::any, kind}));
    must(made->activate());
    return made;
}

} // namespace

Machine::Counts Machine::counts() {
    hardware_line();
    return {hyp::Object::count(), hyp::Cspace::total_capabilities(),
            hyp::Stage2::total_table_pages(), hyp::page_allocator().used_pages()};
}

Machine::Machine(std::uint32_t rights_of_vm2)
    : rights_of_vm2_(rights_of_vm2), before_(counts()),
      gic_(std::make_unique<hyp::fake::MachineGic>()) {
    (void)hyp::update_trace_flags(0, ~Word{0});
    hyp::fake::reset_gic();
    gic_->start();
    for (unsigned cpu = 0; cpu < cpus; ++cpu) {
        hyp::fake::set_cpu_index(cpu);
        hyp::fake::guest_hardware() = {};
    }
    hyp::fake::set_cpu_index(0);
    make_memory();
    for (std::size_t i = 0; i < vms; ++i) {
        make_vm(i);
    }
    share_objects();
    share_vms();
    for (unsigned i = 0; i < vms; ++i) {
        must(vms_[i].vcpus[0]->power_on(memory_ipa, 0, 0));
    }
}

void Machine::make_memory() {
    root_ = extent(ram().base, (pages_of_ram - 1) * hyp::page_size, hyp::ExtentKind::sparse);
    device_page_ = extent(ram().end() - hyp::page_size, hyp::page_size, hyp::ExtentKind::basic);
}

void Machine::make_vm(std::size_t index) {
    Vm& vm = vms_[index];
    vm.cspace = make_object<hyp::Cspace>();
    must(vm.cspace->configure(100));
    must(vm.cspace->activate());
    spaces_.push_back(vm.cspace);
    vm.memory = make_object<hyp::AddressSpace>();
    must(vm.memory->configure(index + 1));
    must(vm.memory->activate());
    const hyp::MapAttributes rw{GH_ACCESS_RWX, GH_ACCESS_RWX, hyp::MemoryType::normal_writeback};
    const hyp::MapAttributes ro{GH_ACCESS_R, GH_ACCESS_R, hyp::MemoryType::normal_writeback};
    const Word offset = 0x10'0000 / 4 * index;
    must(vm.memory->map(*root_, {memory_ipa}, rw, {true, offset, 15 * hyp::page_size}));
    must(vm.memory->map(*root_, {memory_ipa + 0xf000}, ro, {true, 0, hyp::page_size}));
    must(vm.memory->map(*device_page_, {virtio_ipa}, index == 2 ? ro : rw, {}));
    vm.vic = make_object<hyp::Vic>();
    must(vm.vic->configure(2, 64));
    must(vm.vic->activate());
    must(vm.memory->attach_vdevice(vm.vic, *vm.vic->vdevice(0), {{distributor_ipa}, 0x10000}));
    for (unsigned i = 0; i < 2; ++i) {
        must(vm.memory->attach_vdevice(vm.vic, *vm.vic->vdevice(1 + i),
                                       {{redistributor_ipa + i * Word{0x20000}}, 0x20000}));
    }
    vm.group = make_object<hyp::VpmGroup>();
    must(vm.group->activate());
    for (unsigned i = 0; i < 2; ++i) {
        Ref<hyp::Vcpu>& vcpu = vm.vcpus[i] = make_object<hyp::Vcpu>(hyp::scheduler());
        must(vcpu->configure((index == 1 ? GH_VCPU_OPTION_HLOS : 0) | GH_VCPU_OPTION_EXT_ALL));
        must(vcpu->attach_cspace(vm.cspace));
        must(vcpu->attach_address_space(vm.memory));
        must(vcpu->attach_vic(*vm.vic, i));
        must(vcpu->attach_group(vm.group, i));
        vcpu->set_affinity(index == 0 ? 0 : 1);
    }
}

/// A capability of VM `vm`; its name.
Word Machine::give(std::size_t vm, const Ref<hyp::Object>& object, std::uint32_t rights) {
    const auto name = vms_[vm].cspace->insert(object, rights);
    must(name);
    if (std::ranges::find(names_, *name) == names_.end()) {
        names_.push_back(*name);
    }
    return *name;
}

void Machine::give_all(const Ref<hyp::Object>& object, std::uint32_t rights_of_vm1) {
    give(0, object, GH_RIGHTS_ALL);
    give(1, object, rights_of_vm1);
    give(2, object, rights_of_vm2_);
}

void Machine::share_objects() {
    auto partition = make_object<hyp::Partition>();
    must(partition->activate());
    auto bell = make_object<hyp::Doorbell>();
    must(bell->activate());
    auto queue = make_object<hyp::MessageQueue>();
    must(queue->configure(3, 64));
    must(queue->activate());
    auto device = make_object<hyp::VirtioMmio>();
    must(device->configure(device_page_, {2, GH_VIRTIO_DEVICE_INPUT, 136}));
    must(device->activate());
    auto dog = make_object<hyp::Watchdog>();
    must(dog->activate());
    must(vms_[2].vcpus[0]->attach_watchdog(dog));
    give_all(partition, 0);
    give_all(root_, GH_RIGHT_MEMEXTENT_MAP | GH_RIGHT_MEMEXTENT_LOOKUP);
    give_all(bell, ~GH_RIGHT_OBJECT_ACTIVATE);
    give_all(queue, ~GH_RIGHT_OBJECT_ACTIVATE);
    give_all(device, ~GH_RIGHT_OBJECT_ACTIVATE);
    give_all(dog, GH_RIGHT_WATCHDOG_BIND_VIRQ);
    give_all(hardware_line(), GH_RIGHT_HWIRQ_BIND_VIC);
}

/// VM 0 reaches all of each VM; VM 1 runs VM 2, as far as a driver and its VMM do that.
void Machine::share_vms() {
    for (Vm& vm : vms_) {
        give_all(vm.cspace, 0);
        give_all(vm.memory, GH_RIGHT_ADDRSPACE_MAP | GH_RIGHT_ADDRSPACE_LOOKUP);
        give_all(vm.vic, GH_RIGHT_VIC_BIND_SOURCE);
        give_all(vm.group, GH_RIGHT_VPM_GROUP_QUERY);
        for (const auto& vcpu : vm.vcpus) {
            give(0, vcpu, GH_RIGHTS_ALL);
            const Word name = give(1, vcpu, rights_on_vcpu_of_vm1);
            guest_vcpu_ = vcpu == vms_[2].vcpus[0] ? name : guest_vcpu_;
            give(2, vcpu, rights_of_vm2_);
        }
    }
    must(vms_[2].memory->add_vmmio({{vmmio_ipa}, vmmio_size}));
    for (unsigned i = 0; i < 2; ++i) {
        must(vms_[2].vcpus[i]->bind_virq(GH_VCPU_VIRQ_RUN_WAKEUP, *vms_[1].vic, {33 + i, 0}));
    }
    for (Vm& vm : vms_) {
        for (const auto& vcpu : vm.vcpus) {
            must(vcpu->activate());
        }
    }
}

Machine::~Machine() {
    end_vcpus();
    empty_spaces();
    vms_ = {};
    root_ = nullptr;
    device_page_ = nullptr;
    end_vcpus(); // those that nobody named any more
    spaces_.clear();
    const Counts left = counts();
    std::fflush(stdout);
    if (left != before_) {
        std::fprintf(stderr,
                     "left over: %ld objects, %ld capabilities, %ld table pages, %ld heap pages\n",
                     static_cast<long>(left.objects - before_.objects),
                     static_cast<long>(left.capabilities - before_.capabilities),
                     static_cast<long>(left.tables - before_.tables),
                     static_cast<long>(left.pages - before_.pages));
        std::abort();
    }
    must(hyp::ownership().has_one_owner(vm_ram) &&
             hyp::ownership().owner_of(ram().base) == hyp::OwnerId::partition,
         "a page has another owner than before");
    for (Word i = 0; i < pages_of_ram; ++i) {
        must(hyp::ownership().mappings_of(ram().base + i * hyp::page_size) == 0,
             "a page is still mapped");
    }
}

/// Ends all vCPUs that can be named, and those that a CPU still holds.
void Machine::end_vcpus() {
    for (const Ref<hyp::Cspace>& space : spaces_) {
        for (const Word name : names_) {
            if (const auto vcpu = space->lookup<hyp::Vcpu>(name, 0)) {
                (void)(*vcpu)->kill();
            }
        }
    }
    ended_ = false;
    for (unsigned cpu = 0; cpu < cpus; ++cpu) {
        for (bool busy = true; busy;) {
            busy = enter(cpu) != nullptr;
            if (hyp::Vcpu* const held = hyp::scheduler().loaded()) {
                (void)held->kill();
                busy = true;
            }
        }
    }
    hyp::fake::set_cpu_index(0);
}

void Machine::empty_spaces() {
    for (const Ref<hyp::Cspace>& space : spaces_) {
        for (const Word name : names_) {
            (void)space->remove(name);
        }
    }
}

} // namespace fuzz
