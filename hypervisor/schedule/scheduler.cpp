// SPDX-License-Identifier: BSD-3-Clause
// The choice of the next vCPU at the end of every exit.
#include "schedule/scheduler.hpp"

#include "heap/trace.hpp"
#include "interrupt/gicv3.hpp"
#include "schedule/physical_interrupts.hpp"

#include <arch/guest_state.hpp>
#include <arch/work.hpp>

#include <algorithm>
#include <bit>
#include <utility>

namespace hyp {

namespace {

void on_slice_over(void* schedule) {
    static_cast<CpuSchedule*>(schedule)->slice_over = true;
    arch::note_work(arch::work_schedule);
}

int priority_of(const Vcpu& vcpu) {
    return static_cast<int>(vcpu.scheduling().priority);
}

std::uint64_t ticks(std::uint64_t nanoseconds) {
    return nanoseconds * arch::counter_frequency() / 1'000'000'000;
}

} // namespace

CpuSchedule::CpuSchedule() : slice(on_slice_over, this) {}

int CpuSchedule::priority() const {
    return std::max(priority_of(*scheduled), lent_priority);
}

Scheduler::Scheduler() {
    for (unsigned cpu = 0; cpu < max_cpus; ++cpu) {
        cpus_[cpu].queue.init(cpu);
    }
}

Scheduler the_scheduler;

/// Who is to run here next in any case does not go through the queue.
void Scheduler::enqueue(Vcpu& vcpu) {
    CpuSchedule& cpu = mine();
    const int priority = priority_of(vcpu);
    const bool next = cpu.scheduled && !cpu.preferred && vcpu.home() == cpu_index() &&
                      vcpu.queued_on.load(std::memory_order_relaxed) == no_cpu &&
                      priority > cpu.priority() && priority > cpu.queue.top_priority();
    if (next) {
        cpu.preferred = Ref<Vcpu>(vcpu);
        arch::note_work(arch::work_schedule);
    } else {
        push(vcpu, false);
    }
}

void Scheduler::push(Vcpu& vcpu, bool front) {
    for (;;) {
        const unsigned home = vcpu.home();
        const unsigned cpu = home != no_cpu ? home : cpu_index();
        RunQueue* queue = &cpus_[cpu].queue;
        asm("" : "+r"(queue)); // else the compiler calculates it anew for many a member
        if (!queue->push(vcpu, front)) {
            dequeue(vcpu); // it waits where it belonged before
            continue;
        }
        if (vcpu.home() != home && queue->remove(vcpu)) {
            continue;
        }
        kick(cpu);
        break;
    }
    if (vcpu.affinity() == no_cpu) {
        any_movable_.store(true);
        offer(vcpu.home());
    }
}

/// Something waits for CPU `home` that another could run: wakes one, unless `home` is idle itself.
/// Pairs with idle(): either that CPU sees the queue, or this one sees it idle.
void Scheduler::offer(unsigned home) {
    std::atomic_thread_fence(std::memory_order_seq_cst);
    const std::uint64_t idle = idle_.load();
    if (idle != 0 && (home == no_cpu || (idle >> home & 1) == 0)) {
        kick(static_cast<unsigned>(std::countr_zero(idle)));
    }
}

void Scheduler::dequeue(Vcpu& vcpu) {
    const unsigned cpu = vcpu.queued_on.load();
    if (cpu != no_cpu) {
        cpus_[cpu].queue.remove(vcpu);
    }
}

void Scheduler::kick(unsigned cpu) {
    if (cpu == cpu_index()) {
        arch::note_work(arch::work_schedule);
    } else {
        gic().send_sgi(cpu, sgi_reschedule);
    }
}

Vcpu& Scheduler::current() {
    CpuSchedule& cpu = mine();
    return cpu.proxied ? *cpu.proxied : *cpu.scheduled;
}

inline void Scheduler::load(CpuSchedule& cpu, Vcpu& next) {
    if (cpu.loaded == &next) {
        return;
    }
    if (cpu.loaded != nullptr) {
        unload(cpu);
    }
    next.clear_timer_due();
    next.guest.load(next.address_space().vttbr());
    next.set_loaded(cpu_index());
    if (is_traced(TraceClass::schedule)) [[unlikely]] {
        trace(TraceClass::schedule, 0, next.identity());
    }
    cpu.loaded = &next;
    arch::set_running(next, next.registers);
}

[[gnu::noinline]] GuestRegisters* Scheduler::resume() {
    CpuSchedule& cpu = mine();
    arch::forget_work(); // what comes up from here on is seen below, or at the next exit
    for (;;) {
        if (cpu.proxied && proxy_is_due(cpu)) {
            end_proxy(cpu);
        }
        if (!keeps_cpu(cpu)) {
            give_up(cpu);
            arch::forget_work(arch::work_schedule); // what it put into this CPU's queue is seen now
            choose(cpu);
        }
        if (!cpu.scheduled) {
            idle(cpu);
        } else if (cpu.proxied && cpu.proxy_dozes) {
            doze(cpu);
        } else {
            break;
        }
    }
    return enter(cpu, cpu.proxied ? *cpu.proxied : *cpu.scheduled);
}

[[gnu::noinline]] GuestRegisters* Scheduler::hand_over() {
    CpuSchedule& cpu = mine();
    if (!cpu.proxied) {
        return resume(); // it became proxy-scheduled while it ran on its own
    }
    arch::forget_work();
    if (cpu.loaded == cpu.proxied.get()) {
        end_proxy(cpu);
        return enter(cpu, *cpu.scheduled);
    }
    return cpu.scheduled->interrupts.has_deliverable() ? resume() : enter(cpu, *cpu.proxied);
}

GuestRegisters* Scheduler::enter(CpuSchedule& cpu, Vcpu& next) {
    load(cpu, next);
    next.interrupts.enter();
    arch::forget_work(arch::work_interrupts);
    return &next.registers;
}

bool Scheduler::keeps_cpu(CpuSchedule& cpu) {
    if (!cpu.scheduled || !cpu.scheduled->stays() || cpu.preferred) {
        return false;
    }
    const int waiting = cpu.queue.top_priority();
    if (waiting < 0) {
        cpu.slice_over = false;
        return true;
    }
    const int mine = cpu.priority();
    if (waiting < mine) {
        cpu.slice_over = false;
        return true;
    }
    // It was woken while its wait was not over yet: it is queued, but it still runs.
    cpu.queue.remove(*cpu.scheduled);
    const int others = cpu.queue.top_priority();
    if (others > mine || (others == mine && cpu.slice_over)) {
        return false;
    }
    if (others == mine && !cpu.slice.armed()) {
        arm_slice(cpu);
    }
    return true;
}

void Scheduler::give_up(CpuSchedule& cpu) {
    if (!cpu.scheduled) {
        return;
    }
    if (cpu.proxied) {
        end_proxy(cpu);
    }
    const int priority = cpu.priority();
    Ref<Vcpu> previous = std::move(cpu.scheduled);
    if (cpu.loaded == previous.get() && previous->ready() && !previous->stays()) {
        unload(cpu); // before another CPU may take it
    } else if (cpu.loaded != previous.get()) {
        previous->guest.flush_vectors(); // it was unloaded while it lent out its time
    }
    if (previous->release()) {
        push(*previous, !cpu.slice_over); // preempted: its turn is not over
    }
    if (cpu.loaded == previous.get()) {
        cpu.lingering = std::move(previous);
    }
    cpu.slice.cancel();
    cpu.slice_over = false;
    cpu.lent_priority = -1;
    if (cpu.preferred && start(cpu, cpu.preferred)) {
        cpu.lent_priority = priority;
    }
    cpu.preferred.clear();
}

void Scheduler::choose(CpuSchedule& cpu) {
    while (!cpu.scheduled) {
        Ref<Vcpu> next = cpu.queue.pop();
        if (!next) {
            return;
        }
        (void)start(cpu, next);
    }
    const int waiting = cpu.queue.top_priority();
    const int chosen = cpu.priority();
    if (waiting == chosen) {
        arm_slice(cpu);
    } else if (waiting > chosen) { // than a preferred one
        arch::note_work(arch::work_schedule);
    }
    if (waiting >= 0 && any_movable_.load(std::memory_order_relaxed)) {
        offer(cpu_index());
    }
}

bool Scheduler::start(CpuSchedule& cpu, Ref<Vcpu>& next) {
    switch (next->claim(cpu_index())) {
    case Claim::taken:
        cpu.scheduled = std::move(next);
        cpu.scheduled->update_stolen_time();
        return true;
    case Claim::elsewhere:
        enqueue(*next);
        return false;
    case Claim::dropped:
        break;
    }
    return false;
}

void Scheduler::idle(CpuSchedule& cpu) {
    if (cpu.loaded != nullptr && !cpu.loaded->lingers()) {
        unload(cpu);
    }
    if (cpu.loaded == nullptr) {
        arch::unload_guest();
    }
    const std::uint64_t self = std::uint64_t{1} << cpu_index();
    idle_.fetch_or(self);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (Ref<Vcpu> other = steal(); !(other && start(cpu, other))) {
        arch::wait_for_interrupt();
    }
    idle_.fetch_and(~self);
    handle_physical_interrupts();
}

/// The proxied vCPU waits with its timers in the hardware: the first to fire goes to it directly.
/// Any other interrupt that concerns its caller ends the run before.
void Scheduler::doze(CpuSchedule& cpu) {
    Vcpu& vcpu = *cpu.proxied;
    load(cpu, vcpu);
    vcpu.interrupts.enter();
    if (vcpu.ready()) {
        cpu.proxy_dozes = false;
        return;
    }
    arch::wait_for_interrupt();
    handle_physical_interrupts();
    cpu.proxy_dozes = !vcpu.ready();
}

Ref<Vcpu> Scheduler::steal() {
    for (unsigned cpu = 0; any_movable_.load() && cpu < cpu_count_; ++cpu) {
        const bool takes_its_own = (idle_.load() >> cpu & 1) != 0;
        if (!takes_its_own && cpus_[cpu].queue.top_priority() >= 0) {
            if (Ref<Vcpu> found = cpus_[cpu].queue.pop_movable()) {
                return found;
            }
        }
    }
    return {};
}

void Scheduler::arm_slice(CpuSchedule& cpu) {
    cpu.slice.arm(SoftTimerQueue::mine(),
                  arch::counter() + ticks(cpu.scheduled->scheduling().timeslice));
}

void Scheduler::yield() {
    CpuSchedule& cpu = mine();
    const bool alone = !cpu.proxied && cpu.queue.top_priority() < cpu.priority();
    if (!alone) {
        give_way(cpu);
    }
}

void Scheduler::give_way(CpuSchedule& cpu) {
    (cpu.proxied ? cpu.proxy_yields : cpu.slice_over) = true;
    arch::note_work(arch::work_schedule);
}

void Scheduler::yield_to(Vcpu& target) {
    CpuSchedule& cpu = mine();
    give_way(cpu);
    const unsigned queue = target.queued_on.load();
    if (!cpu.proxied && queue != no_cpu && target.may_run_on(cpu_index())) {
        Ref<Vcpu> wanted(target);
        if (cpus_[queue].queue.remove(target)) {
            cpu.preferred = std::move(wanted);
        }
    }
}

void Scheduler::yield_to_priority(std::uint64_t priority) {
    CpuSchedule& cpu = mine();
    give_way(cpu);
    if (!cpu.proxied && cpu.queue.top_priority() >= static_cast<int>(priority)) {
        cpu.preferred = cpu.queue.pop();
    }
}

RunStart Scheduler::run_proxy(Ref<Vcpu>& guest, std::uint64_t resume_data, RunReport& report) {
    CpuSchedule& cpu = mine();
    if (cpu.proxied) {
        return RunStart::denied;
    }
    const RunStart start = guest->begin_run(cpu_index(), resume_data, report);
    if (start == RunStart::runs) {
        const bool dozes = !guest->ready();
        cpu.proxy_dozes = dozes;
        guest->update_stolen_time();
        cpu.proxied = Ref<Vcpu>::adopt(guest.detach());
        arch::note_work(dozes ? arch::work_schedule : arch::work_hand_over);
    }
    return start;
}

bool Scheduler::proxy_is_due(const CpuSchedule& cpu) {
    const Vcpu& caller = *cpu.scheduled;
    // While the caller is still loaded the hardware has its timers.
    const bool timer_due = caller.timer_due() && cpu.loaded != &caller;
    const bool goes_on =
        cpu.proxied->ready() || (cpu.proxy_dozes && cpu.proxied->run_state() == VcpuState::waiting);
    return !goes_on || cpu.proxy_yields || !caller.ready() || timer_due ||
           caller.interrupts.has_deliverable();
}

void Scheduler::end_proxy(CpuSchedule& cpu) {
    // Save first: from end_run() on, another CPU may run the guest.
    if (cpu.loaded == cpu.proxied.get()) {
        unload(cpu);
    }
    cpu.proxy_yields = false;
    const Ref<Vcpu> guest = std::move(cpu.proxied);
    const RunReport report = guest->end_run();
    auto& x = cpu.scheduled->registers.x;
    x[0] = static_cast<std::uint64_t>(guest->killed() ? GH_ERROR_OBJECT_STATE : GH_ERROR_OK);
    x[1] = report.state;
    x[2] = report.data[0];
    x[3] = report.data[1];
    x[4] = report.data[2];
}

void Scheduler::unload(CpuSchedule& cpu) {
    Vcpu& vcpu = *cpu.loaded;
    const bool lends = &vcpu == cpu.scheduled.get();
    vcpu.guest.save(lends);
    vcpu.interrupts.exit();
    cpu.loaded = nullptr;
    const VcpuState state = vcpu.run_state();
    if (state == VcpuState::killed) {
        arch::unload_guest(); // its address space may go at once
    }
    // Its own timers are off now: whoever waits for one, or has lent out its time, is to be woken.
    if (lends || state == VcpuState::waiting) {
        vcpu.arm_wake_timer();
    }
    vcpu.set_unloaded(lends || &vcpu == cpu.proxied.get());
    cpu.lingering.clear();
}

} // namespace hyp
