// SPDX-License-Identifier: BSD-3-Clause
// States of a virtual CPU and the moves between them. Every move is made under its lock; whom it
// concerns outside (scheduler, wake-up and halt interrupts) hears of it after the lock is free.
#include "vcpu/vcpu.hpp"

#include "heap/trace.hpp"
#include "interrupt/gicv3.hpp"
#include "vcpu/vpm_group.hpp"
#include "vcpu/wakeup_collector.hpp"

#include <abi/hypercall.h>

#include <algorithm>
#include <tuple>
#include <utility>

namespace hyp {

Vcpu::Vcpu(VcpuScheduler& scheduler)
    : Object(type), scheduler_(scheduler),
      scheduling_{GH_VCPU_PRIORITY_DEFAULT, GH_VCPU_TIMESLICE_DEFAULT_NS}, interrupts(*this),
      wake_timer([](void* vcpu) { static_cast<Vcpu*>(vcpu)->timer_expired(); }, this) {}

Vcpu::~Vcpu() = default;

Result<> Vcpu::on_activate() {
    // A vCPU of the primary VM is named after its physical CPU.
    RT_FAIL_IF(!cspace_ || !address_space_ || (primary_ && affinity() == no_cpu),
               Error::object_config);
    RT_FAIL_IF(!guest.allocate_vectors(), Error::no_memory);
    constexpr std::uint64_t mpidr_res1 = 1ull << 31; // Arm ARM, MPIDR_EL1
    // The primary VM finds its vCPUs in the firmware's device tree, by the CPUs' own numbers.
    const std::uint64_t own_name =
        primary_ ? scheduler_.mpidr(affinity()) : default_affinity(group_index_);
    interrupts.set_affinity(own_name);
    mpidr_ = mpidr_res1 | own_name;
    reset_registers();
    return {};
}

void Vcpu::on_destroy() {
    wake_timer.cancel();
    halt_virq_.unbind();
    wakeup_virq_.unbind();
    interrupts.detach();
    if (group_) {
        group_->detach(*this);
    }
    group_ = nullptr;
    if (watchdog_) {
        watchdog_->detach(*this);
    }
    watchdog_ = nullptr;
    guest.release_vectors();
    address_space_ = nullptr;
    cspace_ = nullptr;
}

void Vcpu::reset_registers() {
    registers = GuestRegisters{};
    registers.pstate = arch::reset_pstate;
    guest.reset(mpidr_);
}

Result<> Vcpu::power_on(std::uint64_t entry, std::uint64_t context, std::uint64_t flags) {
    {
        const LockGuard guard(lock_);
        RT_FAIL_IF(!is_active() || is_final(run_state()), Error::object_state);
        RT_FAIL_IF(!is_off() || running_on_ != no_cpu, Error::busy);
        if ((flags & GH_VCPU_POWERON_PRESERVE_ENTRY) == 0) {
            registers.pc = entry;
        }
        if ((flags & GH_VCPU_POWERON_PRESERVE_CONTEXT) == 0) {
            registers.x[0] = context;
        }
        set_state(VcpuState::ready);
    }
    trace(TraceClass::vcpu, GH_VCPU_STATE_READY, identity());
    announce_ready();
    return {};
}

void Vcpu::power_off() {
    const LockGuard guard(lock_);
    if (run_state() == VcpuState::ready) {
        set_state(VcpuState::off);
    }
}

void Vcpu::wait_for_interrupt(std::uint64_t power_state) {
    wait(power_state == 0 ? Suspension::none : Suspension::cpu, power_state);
}

void Vcpu::wait(Suspension suspension, std::uint64_t power_state) {
    {
        const LockGuard guard(lock_);
        // An interrupt that becomes pending after this look finds us waiting: virq_pending() needs
        // the lock that we hold.
        if (run_state() != VcpuState::ready ||
            interrupts.has_deliverable(suspension != Suspension::none)) {
            return;
        }
        sleep_state_ = power_state;
        suspension_.store(suspension);
        set_state(VcpuState::waiting);
    }
    if (suspension != Suspension::none && group_) {
        group_->refresh();
    }
}

void Vcpu::suspend_system(std::uint64_t entry, std::uint64_t context) {
    // PSCI power_state: the deepest level, a power-down.
    constexpr std::uint64_t system_power_down = (3u << 24) | (1u << 16);
    guest.save();
    const auto timers = std::pair(guest.virtual_timer, guest.physical_timer);
    reset_registers();
    std::tie(guest.virtual_timer, guest.physical_timer) = timers;
    guest.load(address_space_->vttbr());
    registers.pc = entry;
    registers.x[0] = context;
    wait(Suspension::system, system_power_down);
}

void Vcpu::end_suspension() {
    if (suspension_.load() == Suspension::none || run_state() == VcpuState::waiting) {
        return;
    }
    suspension_.store(Suspension::none);
    if (group_) {
        group_->refresh();
    }
}

void Vcpu::stop(VcpuState final_state, const RunReport& report) {
    unsigned running_on = no_cpu;
    {
        const LockGuard guard(lock_);
        if (is_final(run_state())) {
            return;
        }
        set_state(final_state);
        final_report_ = report;
        running_on = running_on_;
    }
    trace(TraceClass::vcpu, static_cast<std::uint32_t>(report.state), identity());
    kick(running_on);
    halt_virq_.assert_edge();
    wakeup_virq_.assert_edge();
}

Result<> Vcpu::kill() {
    unsigned running_on = no_cpu;
    {
        const LockGuard guard(lock_);
        RT_FAIL_IF(!is_active() || run_state() == VcpuState::killed, Error::object_state);
        set_state(VcpuState::killed);
        running_on = running_on_;
    }
    scheduler_.dequeue(*this);
    // A CPU that took it may not have loaded it yet, and would then run it without end.
    kick(running_on);
    // Wherever its registers are in the hardware, they and its address space must go.
    const unsigned loaded_on = loaded_on_.load(std::memory_order_acquire);
    if (loaded_on != running_on) {
        kick(loaded_on);
    }
    wakeup_virq_.assert_edge();
    return {};
}

bool Vcpu::wake_locked() {
    if (run_state() != VcpuState::waiting) {
        return false;
    }
    set_state(VcpuState::ready);
    return true;
}

void Vcpu::announce_ready() {
    if (proxy()) {
        if (!WakeupCollector::takes(wakeup_virq_, group_index_)) {
            wakeup_virq_.assert_edge();
        }
    } else {
        scheduler_.enqueue(*this);
    }
}

void Vcpu::virq_pending() {
    unsigned running_on = no_cpu;
    bool woken = false;
    {
        const LockGuard guard(lock_);
        woken = wake_locked();
        running_on = running_on_;
    }
    // Inside a vcpu_run nobody sleeps who would have to be told: end_run() comes under the lock.
    const bool runner_sees = proxy() && running_on != no_cpu;
    if (woken) {
        end_suspension();
    }
    if (woken && !runner_sees) {
        announce_ready();
    } else {
        kick(running_on);
    }
}

void Vcpu::arm_wake_timer() {
    constexpr std::uint64_t never = ~std::uint64_t{0};
    const auto due = [](const arch::TimerRegisters& timer) {
        return timer.armed() ? timer.compare : never;
    };
    std::uint64_t time = std::min(due(guest.virtual_timer), due(guest.physical_timer));
    if (time == never) {
        wake_timer.cancel();
        return;
    }
    if (proxy()) {
        const std::uint64_t lead = wake_lead_ns * arch::counter_frequency() / 1'000'000'000;
        time -= std::min(lead, time);
    }
    SoftTimerQueue& queue = SoftTimerQueue::mine();
    if (!wake_timer.armed_for(queue, time)) {
        wake_timer.arm(queue, time);
    }
}

// Which of its timers it was does not matter here. One that cannot interrupt, because it is masked
// in the interrupt controller, must not end a wait or a vcpu_run.
void Vcpu::timer_expired() {
    const bool suspended = suspension() != Suspension::none;
    const auto would_interrupt = [&](const arch::TimerRegisters& timer, std::uint32_t ppi) {
        return timer.armed() && interrupts.could_deliver(ppi, suspended);
    };
    if (loaded_on_.load(std::memory_order_acquire) != no_cpu ||
        (!would_interrupt(guest.virtual_timer, ppi_virtual_timer) &&
         !would_interrupt(guest.physical_timer, ppi_physical_timer))) {
        return;
    }
    timer_due_.store(true, std::memory_order_release);
    if (!proxy()) {
        virq_pending();
    } else if (run_state() == VcpuState::waiting) {
        wakeup_virq_.assert_edge(); // early: it goes on waiting, in begin_run()
    }
}

void Vcpu::let_go() {
    bool queue = false;
    {
        const LockGuard guard(lock_);
        if (run_state() == VcpuState::off) {
            reset_registers();
            interrupts.reset_interface();
        }
        loaded_on_.store(no_cpu, std::memory_order_release);
        queue =
            wanted_.load(std::memory_order_relaxed) && ready() && !proxy() && running_on_ == no_cpu;
        wanted_.store(false, std::memory_order_relaxed);
    }
    if (queue) {
        scheduler_.enqueue(*this);
    }
}

void Vcpu::kick(unsigned cpu) {
    if (cpu != no_cpu) {
        scheduler_.kick(cpu);
    }
}

bool Vcpu::ask_for_registers(unsigned holder) {
    wanted_.store(true, std::memory_order_relaxed);
    scheduler_.kick(holder);
    return true;
}

Claim Vcpu::claim(unsigned cpu) {
    bool moved = false;
    {
        const LockGuard guard(lock_);
        if (run_state() != VcpuState::ready || running_on_ != no_cpu || proxy()) {
            return Claim::dropped;
        }
        if (!may_run_on(cpu)) {
            return Claim::elsewhere;
        }
        if (held_elsewhere(cpu)) {
            return Claim::dropped;
        }
        running_on_ = cpu;
        note_running();
        moved = ran_on_.load(std::memory_order_relaxed) != cpu;
        ran_on_.store(cpu, std::memory_order_relaxed);
    }
    if (moved && affinity() == no_cpu) {
        interrupts.physical_cpu_changed();
    }
    return Claim::taken;
}

bool Vcpu::release() {
    const LockGuard guard(lock_);
    running_on_ = no_cpu;
    note_ready();
    must_leave_.store(false, std::memory_order_relaxed);
    return run_state() == VcpuState::ready && !proxy();
}

void Vcpu::set_affinity(unsigned cpu) {
    {
        const LockGuard guard(config_lock);
        if (!is_active()) {
            affinity_.store(cpu, std::memory_order_release);
            return;
        }
    }
    unsigned running_on = no_cpu;
    bool queued = false;
    {
        const LockGuard guard(lock_);
        affinity_.store(cpu, std::memory_order_release);
        running_on = running_on_;
        const bool leaves = running_on != no_cpu && !may_run_on(running_on) && !proxy();
        must_leave_.store(leaves, std::memory_order_relaxed);
        queued = ready() && running_on == no_cpu && !proxy();
    }
    interrupts.physical_cpu_changed();
    if (running_on != no_cpu) {
        scheduler_.kick(running_on);
    } else if (queued) {
        // If a CPU takes it meanwhile, the new entry is dropped when its turn comes.
        scheduler_.dequeue(*this);
        scheduler_.enqueue(*this);
    }
}

} // namespace hyp
