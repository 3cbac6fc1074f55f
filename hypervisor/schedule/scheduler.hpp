// SPDX-License-Identifier: BSD-3-Clause
// Which vCPU each physical CPU runs: fixed priorities, round robin within one, and vCPUs that run
// inside another's vcpu_run (proxy scheduling).
//
// A vCPU with an affinity waits in the queue of that CPU alone. One without waits where it ran
// last, so that it finds its caches; a CPU that has nothing else to do takes it from there.
#pragma once

#include "heap/names.hpp"
#include "interrupt/soft_timer.hpp"
#include "object/ref.hpp"
#include "schedule/run_queue.hpp"
#include "vcpu/run_report.hpp"
#include "vcpu/vcpu.hpp"

#include <arch/cpu.hpp>

#include <array>
#include <atomic>
#include <cstdint>

namespace hyp {

/// The schedule of one physical CPU. All but `queue` belong to that CPU alone.
///
///   scheduled   owns the CPU time; null while idle
///   proxied     runs inside scheduled's vcpu_run; null mostly
///   loaded      whose registers are in the hardware: one of the two, or the last one while idle
///
/// A vCPU that may run on another CPU next (proxied) is unloaded before it is let go.
struct CpuSchedule {
    CpuSchedule();
    /// The priority at which scheduled holds the CPU.
    [[nodiscard]] int priority() const;

    RunQueue queue;
    Ref<Vcpu> scheduled;
    Ref<Vcpu> proxied;
    Vcpu* loaded = nullptr;
    Ref<Vcpu> lingering; // loaded, if it is neither of the two
    SoftTimer slice;
    Ref<Vcpu> preferred;       // takes the place of scheduled, which yielded to it
    int lent_priority = -1;    // scheduled has it from whom yielded to it; -1: its own alone
    bool slice_over = false;   // scheduled gives way to its equals
    bool proxy_yields = false; // proxied gives way to its caller
    bool proxy_dozes = false;  // proxied waits in the hardware, for a timer that fires soon
};

class Scheduler final : public VcpuScheduler {
public:
    Scheduler();

    // VcpuScheduler
    void enqueue(Vcpu&) override;
    void dequeue(Vcpu&) override;
    void kick(unsigned cpu) override;
    [[nodiscard]] std::uint64_t mpidr(unsigned cpu) const override { return mpidr_[cpu]; }

    /// Tells of the next physical CPU, by its MPIDR affinity; in the order of their indices, at
    /// boot, before any VM runs.
    void add_cpu(std::uint64_t affinity) { mpidr_[cpu_count_++] = affinity; }
    [[nodiscard]] unsigned cpu_count() const { return cpu_count_; }

    // All below act on the calling CPU.

    /// The vCPU whose exit is being handled.
    [[nodiscard]] Vcpu& current();
    /// The vCPU whose state is in the hardware, or null.
    [[nodiscard]] Vcpu* loaded() { return mine().loaded; }

    /// Chooses what runs next, sleeps while there is nothing, and makes it ready to be entered.
    HYP_CALLED_BY_NAME [[nodiscard]] GuestRegisters* resume();
    /// The same where nothing has changed since a vCPU was entered here, but that it begins or ends
    /// its run inside another's vcpu_run: whatever else happened would have left work, or will
    /// interrupt this CPU as soon as a vCPU is entered.
    [[nodiscard]] GuestRegisters* hand_over();

    /// vcpu_run by current(). `runs`: the guest runs from the next resume() on and the caller gets
    /// its results when that ends; the reference is taken over.
    /// Errors: as Vcpu::begin_run; denied when the caller itself runs inside a vcpu_run.
    [[nodiscard]] RunStart run_proxy(Ref<Vcpu>& guest, std::uint64_t resume_data,
                                     RunReport& report);

    /// current() gives way to others of its priority; a proxied one to its caller.
    void yield();
    /// Likewise, and `target` comes next if it waits for a CPU and may run on this one. For the
    /// rest of this turn it counts as being of the caller's priority, if that is higher.
    void yield_to(Vcpu& target);
    /// Likewise to the first vCPU in this CPU's queue, if its priority is at least `priority`.
    void yield_to_priority(std::uint64_t priority);

private:
    CpuSchedule& mine() {
        CpuSchedule* cpu = &cpus_[cpu_index()];
        asm("" : "+r"(cpu)); // else the compiler calculates it anew for many a member
        return *cpu;
    }
    void push(Vcpu&, bool front);
    void offer(unsigned home);
    void choose(CpuSchedule&);
    /// Takes the reference if `next` can run here.
    [[nodiscard]] bool start(CpuSchedule&, Ref<Vcpu>& next);
    void idle(CpuSchedule&);
    static void doze(CpuSchedule&);
    [[nodiscard]] Ref<Vcpu> steal();
    [[nodiscard]] bool keeps_cpu(CpuSchedule&);
    static void give_way(CpuSchedule&);
    void give_up(CpuSchedule&);
    [[nodiscard]] static bool proxy_is_due(const CpuSchedule&);
    void end_proxy(CpuSchedule&);
    static GuestRegisters* enter(CpuSchedule&, Vcpu&);
    static void load(CpuSchedule&, Vcpu&);
    HYP_CALLED_BY_NAME static void unload(CpuSchedule&);
    void arm_slice(CpuSchedule&);

    std::array<CpuSchedule, max_cpus> cpus_;
    std::array<std::uint64_t, max_cpus> mpidr_{};
    unsigned cpu_count_ = 0;
    std::atomic<std::uint64_t> idle_{0};   // bit n: CPU n looks for movable vCPUs, then sleeps
    std::atomic<bool> any_movable_{false}; // there was a vCPU without affinity
};

/// Made by the boot CPU before others run.
extern Scheduler the_scheduler;
inline Scheduler& scheduler() {
    return the_scheduler;
}

} // namespace hyp
