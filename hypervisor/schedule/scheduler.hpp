// SPDX-License-Identifier: BSD-3-Clause
// Which vCPU each physical CPU runs: fixed priorities, round robin within one, and vCPUs that run
// inside another's vcpu_run (proxy scheduling).
#pragma once

#include "interrupt/soft_timer.hpp"
#include "object/ref.hpp"
#include "schedule/run_queue.hpp"
#include "vcpu/run_report.hpp"
#include "vcpu/vcpu.hpp"

#include <arch/cpu.hpp>
#include <runtime/result.hpp>

#include <array>
#include <cstdint>
#include <optional>

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

    RunQueue queue;
    Ref<Vcpu> scheduled;
    Ref<Vcpu> proxied;
    Ref<Vcpu> loaded;
    SoftTimer slice;
    bool slice_over = false;   // scheduled gives way to its equals
    bool proxy_yields = false; // proxied gives way to its caller
};

class Scheduler final : public VcpuScheduler {
public:
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
    [[nodiscard]] Vcpu* loaded() { return mine().loaded.get(); }

    /// Chooses what runs next, sleeps while there is nothing, and makes it ready to be entered.
    [[nodiscard]] GuestRegisters* resume();

    /// vcpu_run by current(). A report: the guest cannot run, tell the caller. None: the guest
    /// runs from the next resume() on and the caller gets its results when that ends.
    /// Errors: as Vcpu::begin_run; denied when the caller itself runs inside a vcpu_run.
    [[nodiscard]] rt::Result<std::optional<RunReport>> run_proxy(Ref<Vcpu> guest,
                                                                 std::uint64_t resume_data);

    /// current() gives way to others of its priority; a proxied one to its caller.
    void yield();

private:
    CpuSchedule& mine() { return cpus_[cpu_index()]; }
    void choose(CpuSchedule&);
    [[nodiscard]] bool keeps_cpu(CpuSchedule&);
    void give_up(CpuSchedule&);
    void end_proxy_if_due(CpuSchedule&);
    void end_proxy(CpuSchedule&);
    void load(CpuSchedule&, const Ref<Vcpu>&);
    void unload(CpuSchedule&);
    void arm_slice(CpuSchedule&);

    std::array<CpuSchedule, max_cpus> cpus_;
    std::array<std::uint64_t, max_cpus> mpidr_{};
    unsigned cpu_count_ = 0;
};

Scheduler& scheduler();

} // namespace hyp
