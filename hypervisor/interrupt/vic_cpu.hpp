// SPDX-License-Identifier: BSD-3-Clause
// One vCPU's side of its virtual interrupt controller: private interrupts, list registers and the
// virtual CPU interface of the hardware (IHI 0069, chapter 6 and section 12.4).
#pragma once

#include "heap/names.hpp"
#include "interrupt/vic.hpp"
#include "interrupt/virq.hpp"
#include "object/ref.hpp"

#include <arch/cpu.hpp>
#include <arch/work.hpp>
#include <runtime/intrusive_list.hpp>

#include <array>
#include <atomic>
#include <cstdint>

namespace hyp {

class Wakeups;

/// What the virtual interrupt controller asks of a vCPU; implemented above, owned here.
class VirqTarget {
public:
    /// An interrupt for this vCPU became pending or changed from outside the vCPU's own context:
    /// wake it, or make the CPU that runs it leave the guest. Called on any CPU, with no lock of
    /// this layer held, after the change is visible (so that a vCPU that marks itself as waiting
    /// and then finds VicCpu::has_deliverable() false cannot miss it). It may be called without
    /// need; a vCPU whose guest code this CPU will enter next anyway needs nothing. Must not drop
    /// the last reference to a vCPU.
    virtual void virq_pending() = 0;

    /// Index of the physical CPU to which hardware interrupts of this vCPU should go.
    /// A number that is no CPU means: anywhere. Called under the VIC's lock: a plain load.
    [[nodiscard]] virtual unsigned physical_cpu() const = 0;

protected:
    ~VirqTarget() = default;
};

/// Embedded in a vCPU. The functions of the first group are for the CPU on which the vCPU runs,
/// with interrupts masked at EL2 and no lock of a vCPU held: they may call
/// VirqTarget::virq_pending() of other vCPUs of the same VM.
///
/// List registers stay loaded over short exits. What changes meanwhile, here or on another CPU, is
/// marked (`attention_`) and folded in by the next enter().
class VicCpu {
public:
    explicit VicCpu(VirqTarget& target);
    VicCpu(const VicCpu&) = delete;
    VicCpu& operator=(const VicCpu&) = delete;
    ~VicCpu() { detach(); }

    // -- On the CPU that runs the vCPU ---------------------------------------------------------
    /// Right before entering the guest, every time. Brings the hardware up to date.
    void enter() {
        if (!loaded_here()) {
            load();
        }
        if (attention_.load(std::memory_order_relaxed)) {
            enter_slowly();
        }
    }
    /// Before another vCPU, or none, runs on this CPU; after the guest's timers were stopped.
    /// Nothing of this vCPU stays in the hardware. Does nothing when not loaded.
    void exit();
    /// The maintenance interrupt (PPI 25) fired: refills the list registers at once, so that the
    /// level-triggered interrupt is gone before it is looked at again.
    void handle_maintenance();
    /// A timer interrupt (PPI 27 or 30) of this vCPU fired physically while it was loaded, and was
    /// acknowledged and priority-dropped. True: it now belongs to the guest, whose EOI deactivates
    /// it; the caller calls VirqTarget::virq_pending() if the vCPU sleeps. False: there is no VIC;
    /// the caller stops the timer and deactivates.
    [[nodiscard]] bool raise_hardware(std::uint32_t intid);
    /// A trapped write of ICC_DIR_EL1 (only while ICH_HCR_EL2.TDIR is set by this class).
    void deactivate(std::uint32_t intid);

    // -- Anywhere, also under a vCPU's lock: these call nothing above ----------------------------
    /// True if an interrupt would be signalled to the vCPU now (enabled, pending, priority above
    /// mask and running priority, group enabled): a WFI must not sleep. Of a vCPU loaded on
    /// another CPU the answer is "true" when unsure. `powered_down`, inside a PSCI suspend: a
    /// redistributor asleep then asks for wake-up whatever the CPU interface masks (IHI 0069,
    /// 11.1); a WFI goes on.
    [[nodiscard]] bool has_deliverable(bool powered_down = false) const;
    /// True if the private interrupt `intid` would be signalled if it became pending now. For
    /// timers that are due but not pending yet.
    [[nodiscard]] bool could_deliver(std::uint32_t intid, bool powered_down = false) const;

    // -- While the vCPU is not loaded ------------------------------------------------------------
    /// Reset values of the CPU interface (CPU_ON, CPU_OFF). Distributor state is not affected.
    void reset_interface();
    /// Leaves the VIC; private interrupts and the CPU interface are as new, their sources stay
    /// bound to nothing. May drop the last reference to the VIC.
    void detach();
    /// MPIDR_EL1 affinity fields (39:32 and 23:0) by which the guest names this vCPU, if they are
    /// not default_affinity(). After attachment, before the guest runs.
    void set_affinity(std::uint64_t affinity);

    /// VirqTarget::physical_cpu() has a new value: hardware interrupts follow. Anywhere.
    void physical_cpu_changed();

    [[nodiscard]] Vic* vic() const { return vic_.get(); }

    /// The VicCpu whose state is in the hardware of this CPU, or nullptr.
    HYP_CALLED_BY_NAME static VicCpu* current();
    /// On each CPU, before it runs a vCPU: finds the number of list registers and priority bits
    /// and empties the virtual interface.
    static void init_cpu();

private:
    friend class Vic;
    friend class IrqBank;
    friend class Distributor;
    friend class Redistributor;
    friend class Wakeups;

    static constexpr unsigned list_registers_limit = 16; // architectural maximum
    static constexpr unsigned not_loaded = ~0u;

    /// What decides whether an interrupt is signalled (IHI 0069, section 4.8).
    struct Mask {
        std::array<bool, 2> enabled;            // of Group 0 and 1
        std::array<std::uint8_t, 2> group_mask; // likewise: the bits of a priority that can preempt
        std::uint8_t priority;                  // only numbers below it pass
        std::uint8_t running; // group priority of what is being handled; 0xff: nothing
        [[nodiscard]] bool passes(const Virq& irq) const {
            const unsigned group = irq.group0 ? 0 : 1;
            return enabled[group] && irq.priority < priority &&
                   (irq.priority & group_mask[group]) < running;
        }
    };

    /// enter() has work now: the next one, if the vCPU is not loaded. Where it runs on another CPU,
    /// a kick tells that one.
    void request_attention() {
        attention_.store(true, std::memory_order_relaxed);
        if (loaded_here()) {
            arch::note_work(arch::work_interrupts);
        }
    }
    void enter_slowly();
    HYP_CALLED_BY_NAME void load();
    void save();
    void exit_slowly();
    /// fold(), for a caller that the analysis cannot see to hold this VIC's lock.
    void fold_locked(Wakeups& wakeups) RT_NO_ANALYSIS { fold(wakeups); }
    void fold(Wakeups& wakeups) RT_REQUIRES(vic_->lock_);
    void fold_register(unsigned n, Wakeups& wakeups) RT_REQUIRES(vic_->lock_);
    void fold_unlisted_eois(Wakeups& wakeups) RT_REQUIRES(vic_->lock_);
    void refill() RT_REQUIRES(vic_->lock_);
    void refill_best() RT_REQUIRES(vic_->lock_);
    void place(Virq& irq) RT_REQUIRES(vic_->lock_);
    /// Puts a private interrupt that has just become pending into a list register, if nothing else
    /// of this vCPU would change by a fold and refill; else false, and update() is to be called.
    [[nodiscard]] bool place_at_once(Virq& irq) RT_REQUIRES(vic_->lock_);
    /// For a caller that the analysis cannot see to hold this VIC's lock.
    [[nodiscard]] bool place_at_once_locked(Virq& irq) RT_NO_ANALYSIS { return place_at_once(irq); }
    void write_list_register(Virq& irq, unsigned n) RT_REQUIRES(vic_->lock_);
    void clear_stale() RT_REQUIRES(vic_->lock_);
    void adjust_ppis() RT_REQUIRES(vic_->lock_);
    [[nodiscard]] Virq* best_ready(bool only_pending) RT_REQUIRES(vic_->lock_);
    [[nodiscard]] bool loaded_here() const {
        return loaded_on_.load(std::memory_order_relaxed) == cpu_index();
    }
    /// Its registers cannot be read from here.
    [[nodiscard]] bool loaded_elsewhere() const {
        return loaded_on_.load(std::memory_order_acquire) != not_loaded && !loaded_here();
    }
    [[nodiscard]] bool is_quiet() const;
    [[nodiscard]] bool nothing_left() const;
    [[nodiscard]] Mask mask() const;
    [[nodiscard]] bool would_signal(const Virq& irq, const Mask& mask, bool powered_down) const
        RT_REQUIRES(vic_->lock_);
    void reset_private();

    Ref<Vic> vic_; // set while attached
    VirqTarget& target_;
    unsigned index_ = 0;
    std::uint64_t affinity_ = 0;
    std::atomic<bool> attention_{true}; // enter() has work; set and cleared under the VIC's lock
    std::atomic<unsigned> loaded_on_{not_loaded};
    std::atomic<unsigned> being_notified_{0}; // callers of target_; detach() waits for them

    // Guarded by the VIC's lock; has_deliverable() looks at ready_count_ and used_ without it.
    mutable rt::IntrusiveList<Virq, ReadyListTag> ready_;
    unsigned ready_count_ = 0;
    bool asleep_ = true; // GICR_WAKER.ProcessorSleep
    std::array<Virq, first_spi> private_;
    std::array<Virq*, list_registers_limit> in_list_register_{};
    std::uint32_t used_ = 0;       // list registers that hold one of in_list_register_
    std::uint32_t stale_ = 0;      // list registers that were folded and not overwritten yet
    bool spilled_active_ = false;  // an active interrupt found no list register
    std::uint32_t timer_ppis_ = 0; // private interrupts with a physical one behind them

    // Only for the CPU on which the vCPU is loaded; the last four while it is not loaded.
    std::uint32_t physically_active_ = 0; // timer PPIs of this CPU held active for the guest
    std::uint64_t hcr_ = 0;               // ICH_HCR_EL2 as last written
    std::uint64_t vmcr_ = 0;
    std::array<std::uint64_t, 4> ap0r_{};
    std::array<std::uint64_t, 4> ap1r_{};
};

} // namespace hyp
