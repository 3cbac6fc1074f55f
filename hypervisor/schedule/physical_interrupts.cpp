// SPDX-License-Identifier: BSD-3-Clause
// Dispatch by INTID. A guest's interrupts stay physically active until the guest deactivates them;
// EL2's own are finished here.
#include "schedule/physical_interrupts.hpp"

#include "interrupt/gicv3.hpp"
#include "interrupt/hwirq.hpp"
#include "platform/halt.hpp"
#include "schedule/scheduler.hpp"

#include <arch/pmu.hpp>
#include <arch/work.hpp>

namespace hyp {

namespace {

// True: the interrupt belongs to the vCPU now, whose EOI deactivates it.
bool deliver_to_loaded(std::uint32_t intid, void (*stop)()) {
    Vcpu* vcpu = scheduler().loaded();
    if (vcpu == nullptr || !vcpu->interrupts.raise_hardware(intid)) {
        stop();
        return false;
    }
    if (vcpu->run_state() == VcpuState::waiting) {
        vcpu->virq_pending();
    }
    return true;
}

bool deliver_spi(std::uint32_t intid) {
    if (HwIrq::deliver(intid)) {
        return true;
    }
    gic().spi_set_enabled(intid, false);
    return false;
}

// True: EL2 is done with it. False: a VM has it.
bool finished(std::uint32_t intid) {
    switch (intid) {
    case ppi_virtual_timer:
    case ppi_physical_timer:
        return !deliver_to_loaded(intid, arch::stop_guest_timers);
    case ppi_pmu:
        return !deliver_to_loaded(intid, arch::stop_pmu);
    case ppi_hypervisor_timer:
        SoftTimerQueue::mine().expire();
        return true;
    case ppi_maintenance:
        if (Vcpu* vcpu = scheduler().loaded(); vcpu != nullptr) {
            vcpu->interrupts.handle_maintenance();
        }
        return true;
    case sgi_reschedule:
        if (machine_is_halting()) {
            halt_this_cpu();
        }
        arch::note_work(arch::work_schedule); // another CPU changed something
        return true;
    default:
        return !deliver_spi(intid);
    }
}

} // namespace

void handle_physical_interrupts() {
    constexpr std::uint32_t first_special = 1020;
    for (;;) {
        const std::uint32_t intid = gic().acknowledge();
        if (intid >= first_special) {
            return;
        }
        gic().priority_drop(intid);
        if (finished(intid)) {
            gic().deactivate(intid);
        }
    }
}

} // namespace hyp
