// SPDX-License-Identifier: BSD-3-Clause
// A virtual CPU: its registers, what it is attached to, and whether it may run.
//
//              poweron, CPU_ON            WFI, CPU_SUSPEND
//      off ------------------------> ready --------------------> waiting
//       ^    CPU_OFF, poweroff       |  ^    interrupt, timer      |
//       +----------------------------+  +--------------------------+
//                                    |  ^
//        access in a VMMIO range     v  |  next vcpu_run
//                                    mmio
//
//      any state --- SYSTEM_OFF of its group ------------> terminated
//      any state --- SYSTEM_RESET of its group ----------> reset (the caller), terminated (others)
//      ready     --- something that EL2 cannot serve ----> faulted
//      any state --- vcpu_kill --------------------------> killed, for ever
#pragma once

#include "heap/names.hpp"
#include "interrupt/soft_timer.hpp"
#include "interrupt/vic.hpp"
#include "interrupt/vic_cpu.hpp"
#include "interrupt/virq_source.hpp"
#include "memory/address_space.hpp"
#include "object/cspace.hpp"
#include "object/object.hpp"
#include "object/ref.hpp"
#include "vcpu/registers.hpp"
#include "vcpu/run_report.hpp"
#include "vcpu/watchdog.hpp"

#include <arch/guest_state.hpp>
#include <arch/work.hpp>
#include <runtime/intrusive_list.hpp>

#include <array>
#include <atomic>
#include <cstdint>

namespace hyp {

class Vcpu;
class VpmGroup;

enum class VcpuState : std::uint8_t {
    off,
    ready,
    waiting,
    mmio,
    terminated,
    reset,
    faulted,
    killed,
};

/// The VM has ended for this vCPU; only killing follows.
constexpr bool is_final(VcpuState state) {
    return state == VcpuState::terminated || state == VcpuState::reset ||
           state == VcpuState::faulted || state == VcpuState::killed;
}

/// How a waiting vCPU counts in its group: WFI is no suspension.
enum class Suspension : std::uint8_t { none, cpu, system };

/// What a vCPU tells the scheduler, which stands above it. Called without Vcpu's lock held, but
/// for kick().
class VcpuScheduler {
public:
    /// The vCPU became ready and is not proxy-scheduled: queue it where it may run.
    virtual void enqueue(Vcpu&) = 0;
    /// Take it out of the queue if it is there.
    virtual void dequeue(Vcpu&) = 0;
    /// Make the CPU look again: an interrupt for, or the end of, a vCPU that it holds.
    virtual void kick(unsigned cpu) = 0;
    /// MPIDR affinity of a physical CPU.
    [[nodiscard]] virtual std::uint64_t mpidr(unsigned cpu) const = 0;

protected:
    ~VcpuScheduler() = default;
};

/// How a run of vCPUs of one priority shares its CPU.
struct SchedulingParameters {
    unsigned priority;       // 0 lowest .. 63 highest
    std::uint64_t timeslice; // nanoseconds
};

inline constexpr unsigned no_cpu = ~0u;

/// What became of a vcpu_run: an error's number, or
enum class RunStart : std::int64_t {
    runs = 0,      // the vCPU runs from the next entry on
    reported = -1, // it cannot; there is a RunReport
    busy = static_cast<std::int64_t>(Error::busy),
    denied = static_cast<std::int64_t>(Error::denied),
    object_state = static_cast<std::int64_t>(Error::object_state),
};

/// What Vcpu::claim() answers.
enum class Claim : std::uint8_t {
    taken,     // it runs on the claiming CPU from now on
    dropped,   // it does not want to run, or comes back by itself
    elsewhere, // it may not run on the claiming CPU: queue it again
};

struct RunQueueTag {};

class Vcpu final : public Object,
                   public VirqTarget,
                   public rt::ListNode<RunQueueTag>,
                   public rt::ListNode<WatchdogTag> {
    // Here, because every switch uses them, and an instruction reaches as far as 4 KiB.
    Spinlock lock_;
    std::atomic<VcpuState> state_{VcpuState::off};
    unsigned running_on_ RT_GUARDED_BY(lock_) = no_cpu;
    std::atomic<unsigned> loaded_on_{no_cpu}; // no_cpu is stored under lock_, or while it runs
    std::atomic<bool> proxy_{false};
    std::atomic<bool> timer_due_{false};
    std::atomic<Suspension> suspension_{Suspension::none};
    std::uint64_t sleep_state_ RT_GUARDED_BY(lock_) = 0;
    std::atomic<std::uint64_t> stolen_time_ipa_{0}; // set while it is off
    VcpuScheduler& scheduler_;
    std::atomic<unsigned> affinity_{no_cpu}; // changes under lock_, as the next three
    std::atomic<unsigned> ran_on_{no_cpu};   // the last CPU that claimed it
    std::atomic<bool> must_leave_{false};    // running where it may not any more
    std::atomic<bool> wanted_{false};        // another CPU needs what loaded_on_ holds
    SchedulingParameters scheduling_;
    Ref<Cspace> cspace_;
    Ref<AddressSpace> address_space_;
    MmioRequest mmio_{}; // in state `mmio` guarded by lock_, in `ready` the running CPU's

public:
    static constexpr ObjectType type = ObjectType::thread;

    /// The CPU in whose RunQueue it is, no_cpu if in none. For RunQueue alone.
    std::atomic<unsigned> queued_on{no_cpu};

    explicit Vcpu(VcpuScheduler& scheduler);
    ~Vcpu() override;

    // -- Configuration, only before activation (object_state otherwise) -----------------------
    [[nodiscard]] Result<> configure(std::uint64_t option_flags);
    [[nodiscard]] Result<> attach_cspace(Ref<Cspace>);
    [[nodiscard]] Result<> attach_address_space(Ref<AddressSpace>);
    [[nodiscard]] Result<> attach_group(Ref<VpmGroup>, std::uint64_t index);
    /// argument_invalid on a vCPU of the primary VM, busy when it has one.
    [[nodiscard]] Result<> attach_watchdog(Ref<Watchdog>);
    [[nodiscard]] Result<> attach_vic(Vic&, std::uint64_t index);
    [[nodiscard]] Result<> set_priority(std::uint64_t priority);
    [[nodiscard]] Result<> set_timeslice(std::uint64_t nanoseconds);
    /// Register sets of vcpu_register_write; only while the vCPU is off.
    [[nodiscard]] Result<> write_register(std::uint64_t set, std::uint64_t index,
                                          std::uint64_t value);

    /// At any time. `cpu`: an index that the caller checked, or no_cpu: any. An active vCPU moves
    /// as soon as the CPU that runs it, or holds its registers, has let go of it.
    void set_affinity(unsigned cpu);

    // -- Power and life ------------------------------------------------------------------------
    /// off -> ready; busy when it is not off, object_state when it can never run again.
    [[nodiscard]] Result<> power_on(std::uint64_t entry, std::uint64_t context,
                                    std::uint64_t flags);
    /// ready -> off with architectural reset values. For the running vCPU itself.
    void power_off();
    /// ready -> waiting, unless an interrupt is deliverable: then nothing happens.
    /// `power_state` is what EXPECTS_WAKEUP reports: 0 for WFI, else PSCI's argument.
    void wait_for_interrupt(std::uint64_t power_state);
    /// PSCI SYSTEM_SUSPEND by the running vCPU: as wait_for_interrupt(), but it goes on at `entry`
    /// with reset values. GIC interface and timers keep their state, so that they can wake it.
    void suspend_system(std::uint64_t entry, std::uint64_t context);
    [[nodiscard]] Suspension suspension() const { return suspension_.load(); }
    /// To terminated, reset or faulted; tells the HALT interrupt. Running elsewhere: it is kicked.
    void stop(VcpuState final_state, const RunReport& report);
    [[nodiscard]] Result<> kill();

    // -- Proxy scheduling (vcpu_run) -----------------------------------------------------------
    /// Takes the vCPU for `cpu`: `runs` when it may run there now, or is still waiting for a timer
    /// that is about to fire. Errors: busy (not proxy-scheduled), object_state (killed).
    [[nodiscard]] RunStart begin_run(unsigned cpu, std::uint64_t resume_data, RunReport& report) {
        const RunStart start = try_begin_run(cpu, resume_data, report);
        if (suspension_.load() != Suspension::none) [[unlikely]] {
            end_suspension();
        }
        return start;
    }
    /// It stopped running inside vcpu_run: what the caller is told.
    [[nodiscard]] RunReport end_run();
    /// vcpu_run_check: busy while it can run, or, once killed, while a CPU still holds its state.
    [[nodiscard]] Result<RunReport> check();
    /// The vCPU made an MMIO access that its VMM must serve. By the CPU that runs it.
    void begin_mmio(const MmioRequest& request) {
        mmio_ = request;
        // Without the lock: while it runs, others only end it, and whatever they store stays.
        VcpuState state = VcpuState::ready;
        if (state_.compare_exchange_strong(state, VcpuState::mmio, std::memory_order_release,
                                           std::memory_order_relaxed)) {
            arch::note_work(arch::work_hand_over);
        }
    }

    // -- Stolen time (PV time, Arm DEN0057) ----------------------------------------------------
    /// Where the VM reads how long this vCPU was ready but did not run; 0: nowhere.
    [[nodiscard]] std::uint64_t stolen_time_ipa() const {
        return stolen_time_ipa_.load(std::memory_order_relaxed);
    }
    /// Writes it there. On the CPU that has claimed or begun to run it, with no lock held. False:
    /// the VM has no memory there that it may write.
    bool publish_stolen_time() { return stolen_time_ipa() != 0 && write_stolen_time(); }
    /// The same once 15 us have gathered: every entry pays for it otherwise. A VM that took the
    /// memory away from there reads nothing, which harms nobody else.
    void update_stolen_time() {
        if (stolen_time_ipa() != 0 && stolen_.load(std::memory_order_relaxed) - published_ >
                                          arch::counter_frequency() >> 16) {
            (void)write_stolen_time();
        }
    }

    // -- For the scheduler ---------------------------------------------------------------------
    /// ready -> running on `cpu`, unless something else is true by now. When another CPU holds its
    /// registers, that one is asked for them, and the vCPU is queued again by set_unloaded().
    [[nodiscard]] Claim claim(unsigned cpu);
    /// No longer running; true when it is still ready (and so belongs into a queue).
    bool release();
    [[nodiscard]] bool ready() const { return run_state() == VcpuState::ready; }
    /// Running: it may go on, here.
    [[nodiscard]] bool stays() const {
        return ready() && !must_leave_.load(std::memory_order_relaxed);
    }
    [[nodiscard]] unsigned affinity() const { return affinity_.load(std::memory_order_acquire); }
    [[nodiscard]] bool may_run_on(unsigned cpu) const {
        const unsigned fixed = affinity();
        return fixed == cpu || fixed == no_cpu;
    }
    /// In whose queue it waits: affinity(), else the CPU on which it ran last (no_cpu: none yet).
    [[nodiscard]] unsigned home() const {
        const unsigned fixed = affinity();
        return fixed != no_cpu ? fixed : ran_on_.load(std::memory_order_relaxed);
    }
    [[nodiscard]] bool killed() const { return run_state() == VcpuState::killed; }
    [[nodiscard]] VcpuState run_state() const { return state_.load(std::memory_order_acquire); }
    [[nodiscard]] bool proxy() const { return proxy_.load(std::memory_order_acquire); }
    [[nodiscard]] const SchedulingParameters& scheduling() const { return scheduling_; }
    /// Its state is in the hardware of `cpu` from now on.
    void set_loaded(unsigned cpu) { loaded_on_.store(cpu, std::memory_order_release); }
    /// Its state was saved. A vCPU that is off gets its reset values now; one that another CPU
    /// waits for is queued. `still_runs`: on this CPU, which nobody else waits for then.
    void set_unloaded(bool still_runs) {
        if (still_runs && run_state() != VcpuState::off) {
            loaded_on_.store(no_cpu, std::memory_order_release);
        } else {
            let_go();
        }
    }
    /// True while its state may stay in the hardware of an idle CPU.
    [[nodiscard]] bool lingers() const {
        return (run_state() == VcpuState::ready || run_state() == VcpuState::waiting) &&
               !wanted_.load(std::memory_order_relaxed);
    }
    /// Off for good, so that CPU_ON may start it.
    [[nodiscard]] bool is_off() const {
        return run_state() == VcpuState::off &&
               loaded_on_.load(std::memory_order_acquire) == no_cpu;
    }
    /// It was saved and waits, or has lent out its time: the first of its timers is to wake it.
    /// Stays armed over the next load(), until it fires or changes.
    void arm_wake_timer();
    /// So much before the timer of a proxy-scheduled vCPU fires, its runner is woken: it needs
    /// about as long to come to the vcpu_run in which the vCPU waits for the rest of the time.
    static constexpr std::uint64_t wake_lead_ns = 10'000;
    /// One of its timers expired. Nothing to do while it is loaded: the hardware has its timers.
    void timer_expired();
    [[nodiscard]] bool timer_due() const { return timer_due_.load(std::memory_order_acquire); }
    void clear_timer_due() { timer_due_.store(false, std::memory_order_release); }

    // -- Wake-up and halt interrupts -----------------------------------------------------------
    [[nodiscard]] Result<> bind_virq(std::uint64_t source, Vic&, VirqInfo);
    [[nodiscard]] Result<> unbind_virq(std::uint64_t source);

    // -- VirqTarget ----------------------------------------------------------------------------
    void virq_pending() override;
    [[nodiscard]] unsigned physical_cpu() const override { return home(); }

    [[nodiscard]] Cspace& cspace() { return *cspace_; }
    [[nodiscard]] AddressSpace& address_space() { return *address_space_; }
    [[nodiscard]] VpmGroup* group() { return group_.get(); }
    [[nodiscard]] Watchdog* watchdog() { return watchdog_.get(); }
    [[nodiscard]] unsigned index() const { return group_index_; }
    [[nodiscard]] std::uint64_t mpidr() const { return mpidr_; }
    /// For the trace: VMID in bits 31:16, index in 15:0.
    [[nodiscard]] std::uint64_t identity() const {
        return (address_space_ ? std::uint64_t{address_space_->vmid()} << 16 : 0) | group_index_;
    }
    /// The VM of this vCPU owns the machine: its power-off is the machine's.
    [[nodiscard]] bool is_primary() const { return primary_; }

    // Touched only by the CPU on which the vCPU runs, or while it does not run.
    GuestRegisters registers{};
    arch::GuestState guest{};
    VicCpu interrupts;
    SoftTimer wake_timer;

private:
    Result<> on_activate() override;
    void on_destroy() override;
    void reset_registers();
    void set_state(VcpuState state) RT_REQUIRES(lock_) {
        if (state == VcpuState::ready) {
            note_ready();
        }
        state_.store(state, std::memory_order_release);
        arch::note_work(arch::work_schedule);
    }
    [[nodiscard]] bool wake_locked() RT_REQUIRES(lock_);
    [[nodiscard]] RunStart try_begin_run(unsigned cpu, std::uint64_t resume_data, RunReport& report)
        RT_EXCLUDES(lock_);
    HYP_CALLED_BY_NAME void wait(Suspension suspension, std::uint64_t power_state)
        RT_EXCLUDES(lock_);
    void let_go();
    /// Without locks, wherever the vCPU may have left `waiting`.
    HYP_CALLED_BY_NAME void end_suspension();
    void announce_ready();
    void become_proxy();
    /// Nothing for no_cpu.
    void kick(unsigned cpu);
    /// True: another CPU holds its registers and was asked for them.
    [[nodiscard]] bool held_elsewhere(unsigned cpu) RT_REQUIRES(lock_) {
        const unsigned holder = loaded_on_.load(std::memory_order_acquire);
        return holder != no_cpu && holder != cpu && ask_for_registers(holder);
    }
    bool ask_for_registers(unsigned holder) RT_REQUIRES(lock_);
    [[nodiscard]] RunReport report_locked() RT_REQUIRES(lock_);
    void finish_mmio(std::uint64_t value) RT_REQUIRES(lock_);
    [[nodiscard]] Result<> set_stolen_time(std::uint64_t ipa);
    /// Ready, and from now on kept from running; and no more.
    void note_ready() RT_REQUIRES(lock_) {
        if (stolen_time_ipa() != 0) {
            ready_since_ = arch::counter();
        }
    }
    void note_running() RT_REQUIRES(lock_) {
        if (stolen_time_ipa() != 0) {
            count_stolen_time();
        }
    }
    void count_stolen_time() RT_REQUIRES(lock_);
    [[nodiscard]] bool write_stolen_time();

    std::uint64_t ready_since_ RT_GUARDED_BY(lock_) = 0; // the counter; only with stolen_time_ipa_
    std::atomic<std::uint64_t> stolen_{0};               // ticks; changes under lock_
    std::uint64_t published_ = 0;                        // of them; who has claimed it, changes it
    RunReport final_report_ RT_GUARDED_BY(lock_){};

    VirqSource halt_virq_;
    VirqSource wakeup_virq_;

    Ref<VpmGroup> group_;
    Ref<Watchdog> watchdog_;
    unsigned group_index_ = 0;
    std::uint64_t mpidr_ = 0;
    bool primary_ = false;
};

} // namespace hyp
