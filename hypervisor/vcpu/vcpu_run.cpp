// SPDX-License-Identifier: BSD-3-Clause
// The proxy-scheduled side of a vCPU: what vcpu_run may do with it and what it reports.
#include "vcpu/vcpu.hpp"

#include <abi/hypercall.h>

namespace hyp {

namespace {

std::uint64_t extend(std::uint64_t value, const MmioRequest& request) {
    value &= ~std::uint64_t{0} >> (64 - request.size * 8);
    if (request.sign_extend && request.size < 8) {
        const std::uint64_t sign = std::uint64_t{1} << (request.size * 8 - 1);
        value = (value ^ sign) - sign;
    }
    return request.wide ? value : value & 0xffffffff;
}

} // namespace

/// Its caller hands the CPU over to it.
void Vcpu::finish_mmio(std::uint64_t value) {
    complete_mmio_read(registers, mmio_, value);
    registers.pc += 4;
    state_.store(VcpuState::ready, std::memory_order_release);
}

void complete_mmio_read(GuestRegisters& registers, const MmioRequest& request,
                        std::uint64_t value) {
    if (!request.write && request.target < 31) {
        registers.x[request.target] = extend(value, request);
    }
}

RunStart Vcpu::try_begin_run(unsigned cpu, std::uint64_t resume_data, RunReport& report) {
    const LockGuard guard(lock_);
    const VcpuState state = run_state();
    if (!is_active() || state == VcpuState::killed) {
        return RunStart::object_state;
    }
    if (!proxy()) {
        return RunStart::busy;
    }
    if (running_on_ != no_cpu || held_elsewhere(cpu)) {
        report = RunReport{GH_VCPU_STATE_BLOCKED, {}};
        return RunStart::reported;
    }
    switch (state) {
    case VcpuState::mmio:
        finish_mmio(resume_data);
        break;
    case VcpuState::ready:
        note_running();
        break;
    case VcpuState::waiting:
        if (interrupts.has_deliverable(suspension() != Suspension::none)) {
            set_state(VcpuState::ready);
            break;
        }
        if (timer_due()) {
            break; // its own timer makes it ready, once it is loaded
        }
        [[fallthrough]];
    default:
        report = report_locked();
        return RunStart::reported;
    }
    running_on_ = cpu;
    return RunStart::runs;
}

RunReport Vcpu::end_run() {
    bool queue = false;
    RunReport report;
    {
        const LockGuard guard(lock_);
        running_on_ = no_cpu;
        if (ready()) {
            note_ready();
            queue = !proxy(); // its wake-up interrupt was unbound meanwhile
        }
        report = report_locked();
    }
    if (queue) {
        scheduler_.enqueue(*this);
    }
    return report;
}

Result<RunReport> Vcpu::check() {
    const LockGuard guard(lock_);
    if (run_state() == VcpuState::killed) {
        // A manager that tears a VM down asks until no CPU holds any of it.
        const bool gone =
            running_on_ == no_cpu && loaded_on_.load(std::memory_order_acquire) == no_cpu;
        return fail(gone ? Error::object_state : Error::busy);
    }
    RT_FAIL_IF(!is_active(), Error::object_state);
    // The halt interrupt may be served on another CPU before this one has left the vCPU: a final
    // state is reported at once.
    const bool left = running_on_ == no_cpu || is_final(run_state());
    const RunReport report = report_locked();
    RT_FAIL_IF(!left || report.state == GH_VCPU_STATE_READY, Error::busy);
    return report;
}

RunReport Vcpu::report_locked() {
    switch (run_state()) {
    case VcpuState::off:
        return {GH_VCPU_STATE_POWERED_OFF, {GH_VCPU_POWEROFF_RECOVERABLE}};
    case VcpuState::ready:
        return {GH_VCPU_STATE_READY, {}};
    case VcpuState::waiting:
        if (timer_due()) { // nothing else will say so again: its timer is not armed any more
            return {GH_VCPU_STATE_READY, {}};
        }
        return {GH_VCPU_STATE_EXPECTS_WAKEUP, {sleep_state_}};
    case VcpuState::mmio:
        return {mmio_.write ? GH_VCPU_STATE_VMMIO_WRITE : GH_VCPU_STATE_VMMIO_READ,
                {mmio_.ipa, mmio_.size, mmio_.write ? mmio_.value : 0}};
    case VcpuState::terminated:
    case VcpuState::reset:
    case VcpuState::faulted:
        return final_report_;
    case VcpuState::killed:
        break;
    }
    return terminated_report;
}

} // namespace hyp
