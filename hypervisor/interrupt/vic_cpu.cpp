// SPDX-License-Identifier: BSD-3-Clause
// One vCPU's interrupts as the rest of the hypervisor sees them: loading, unloading, questions.
#include "interrupt/vic_cpu.hpp"

#include "interrupt/gicv3.hpp"
#include "interrupt/list_register.hpp"
#include "interrupt/vic.hpp"
#include "interrupt/wakeups.hpp"

#include <arch/cpu.hpp>
#include <arch/gic.hpp>
#include <runtime/panic.hpp>
#include <runtime/relaxed.hpp>

#include <bit>
#include <memory>

namespace hyp {

namespace {

std::array<VicCpu*, max_cpus> current_cpus;

} // namespace

InterfaceFeatures interface_features;

void VicCpu::init_cpu() {
    arch::ich_write_hcr(0);
    const std::uint64_t vtr = arch::ich_read_vtr();
    interface_features.list_registers =
        static_cast<unsigned>(vtr & ich::vtr_list_registers_mask) + 1;
    interface_features.preemption_bits =
        static_cast<unsigned>(vtr >> ich::vtr_preemption_bits_shift & 7) + 1;
    interface_features.active_registers = 1u << (interface_features.preemption_bits - 5);
    for (unsigned n = 0; n < interface_features.list_registers; n++) {
        arch::ich_write_lr(n, 0);
    }
}

VicCpu* VicCpu::current() {
    return current_cpus[cpu_index()];
}

VicCpu::VicCpu(VirqTarget& target) : target_(target) {
    reset_private();
}

void VicCpu::reset_private() {
    for (std::uint32_t n = 0; n < first_spi; n++) {
        Virq& irq = private_[n];
        Vic::unlink(irq);
        if (irq.source != nullptr) {
            irq.source->irq_ = nullptr;
        }
        std::destroy_at(&irq);
        std::construct_at(&irq);
        irq.intid = n;
        irq.edge = n < first_ppi;
    }
    timer_ppis_ = 0;
    asleep_ = true;
}

void VicCpu::detach() {
    if (vic_) {
        rt::ensure(loaded_on_.load(std::memory_order_relaxed) == not_loaded,
                   "a loaded vCPU leaves its VIC");
        vic_->detach_vcpu(*this);
        vic_.clear();
        reset_interface();
    }
}

void VicCpu::set_affinity(std::uint64_t affinity) {
    if (!vic_) {
        return;
    }
    {
        Wakeups wakeups;
        const LockGuard guard(vic_->lock_);
        affinity_ = affinity;
        vic_->update_all(wakeups);
    }
    vic_->reroute_hardware();
}

void VicCpu::reset_interface() {
    vmcr_ = 0;
    ap0r_ = {};
    ap1r_ = {};
}

void VicCpu::physical_cpu_changed() {
    if (vic_) {
        vic_->reroute_hardware();
    }
}

void VicCpu::enter_slowly() {
    if (!vic_) {
        attention_.store(false, std::memory_order_relaxed);
        return;
    }
    Wakeups wakeups(this);
    const LockGuard guard(vic_->lock_);
    if (used_ != 0 || spilled_active_) {
        fold(wakeups);
    }
    refill();
    if (timer_ppis_ != 0) {
        adjust_ppis();
    }
    attention_.store(false, std::memory_order_relaxed);
}

/// Also without a VIC: nothing of another vCPU is to be seen then.
void VicCpu::load() {
    const unsigned cpu = cpu_index();
    rt::ensure(current_cpus[cpu] == nullptr &&
                   loaded_on_.load(std::memory_order_relaxed) == not_loaded,
               "two vCPUs loaded on one CPU, or one on two");
    current_cpus[cpu] = this;
    loaded_on_.store(cpu, std::memory_order_relaxed);
    arch::ich_write_vmcr(vmcr_);
    arch::ich_write_ap0r(0, ap0r_[0]);
    arch::ich_write_ap1r(0, ap1r_[0]);
    for (unsigned n = interface_features.active_registers; n-- > 1;) {
        arch::ich_write_ap0r(n, ap0r_[n]);
        arch::ich_write_ap1r(n, ap1r_[n]);
    }
    hcr_ = vic_ ? ich::hcr_enable : 0;
    arch::ich_write_hcr(hcr_);
}

void VicCpu::save() {
    vmcr_ = arch::ich_read_vmcr();
    ap0r_[0] = arch::ich_read_ap0r(0);
    ap1r_[0] = arch::ich_read_ap1r(0);
    for (unsigned n = interface_features.active_registers; n-- > 1;) {
        ap0r_[n] = arch::ich_read_ap0r(n);
        ap1r_[n] = arch::ich_read_ap1r(n);
    }
}

/// Nothing of it is in the list registers or held active physically. Only the CPU on which it is
/// loaded changes that.
bool VicCpu::is_quiet() const {
    return (used_ | stale_ | physically_active_ | (hcr_ & ~ich::hcr_enable)) == 0;
}

void VicCpu::exit() {
    if (!loaded_here()) {
        return;
    }
    save();
    if (!is_quiet()) {
        exit_slowly();
    }
    // Last, so that has_deliverable() elsewhere sees all of it. The empty interface stays enabled.
    loaded_on_.store(not_loaded, std::memory_order_release);
    current_cpus[cpu_index()] = nullptr;
}

void VicCpu::exit_slowly() {
    Wakeups wakeups(this);
    const LockGuard guard(vic_->lock_);
    fold(wakeups);
    clear_stale();
    attention_.store(true, std::memory_order_relaxed); // of the next enter()
    for (std::uint32_t left = physically_active_; left != 0; left &= left - 1) {
        gic().private_set_active(static_cast<std::uint32_t>(std::countr_zero(left)), false);
    }
    physically_active_ = 0;
    hcr_ = ich::hcr_enable; // no maintenance interrupts for what is gone
    arch::ich_write_hcr(hcr_);
}

void VicCpu::handle_maintenance() {
    if (loaded_here()) {
        enter_slowly();
        arch::ich_barrier();
    }
}

bool VicCpu::raise_hardware(std::uint32_t intid) {
    if (!vic_ || !loaded_here()) {
        return false;
    }
    Wakeups wakeups(this);
    const LockGuard guard(vic_->lock_);
    Virq& irq = private_[intid];
    irq.physical = intid;
    irq.latch = true;
    timer_ppis_ |= 1u << intid;
    physically_active_ |= 1u << intid;
    if (!place_at_once(irq)) {
        vic_->update(irq, wakeups);
    }
    return true;
}

/// A timer PPI is active physically exactly while the guest has it pending or active: so that it
/// does not fire again before the guest's EOI, and does afterwards.
void VicCpu::adjust_ppis() {
    for (std::uint32_t left = timer_ppis_; left != 0; left &= left - 1) {
        const auto intid = static_cast<std::uint32_t>(std::countr_zero(left));
        const Virq& irq = private_[intid];
        const bool wanted = irq.latch || irq.active || irq.loaded();
        const std::uint32_t bit = 1u << intid;
        if (wanted != ((physically_active_ & bit) != 0)) {
            physically_active_ ^= bit;
            gic().private_set_active(intid, wanted);
        }
    }
}

void VicCpu::deactivate(std::uint32_t intid) {
    if (!vic_) {
        return;
    }
    Wakeups wakeups(this);
    const LockGuard guard(vic_->lock_);
    fold(wakeups);
    Virq* irq = vic_->find(intid, index_);
    if (irq != nullptr && irq->active && irq->holder == this) {
        vic_->clear_active(*irq);
        vic_->update(*irq, wakeups);
    }
    request_attention();
}

VicCpu::Mask VicCpu::mask() const {
    const bool here = loaded_here();
    const std::uint64_t vmcr = here ? arch::ich_read_vmcr() : vmcr_;
    const bool shared_point = (vmcr & ich::vmcr_cbpr) != 0;
    // Binary point b leaves bits 7:b of a Group 1 priority, bits 7:b+1 of a Group 0 one.
    const auto low0 = static_cast<unsigned>(vmcr >> ich::vmcr_bpr0_shift & ich::vmcr_bpr_mask) + 1;
    const auto low1 = static_cast<unsigned>(vmcr >> ich::vmcr_bpr1_shift & ich::vmcr_bpr_mask);
    Mask result{{(vmcr & ich::vmcr_group0) != 0, (vmcr & ich::vmcr_group1) != 0},
                {static_cast<std::uint8_t>(0xffu << low0),
                 static_cast<std::uint8_t>(0xffu << (shared_point ? low0 : low1))},
                static_cast<std::uint8_t>(vmcr >> ich::vmcr_pmr_shift),
                0xff};
    for (unsigned n = 0; n < interface_features.active_registers; n++) {
        const auto active = static_cast<std::uint32_t>(
            here ? arch::ich_read_ap0r(n) | arch::ich_read_ap1r(n) : ap0r_[n] | ap1r_[n]);
        if (active != 0) {
            const unsigned level = n * 32 + static_cast<unsigned>(std::countr_zero(active));
            result.running =
                static_cast<std::uint8_t>(level << (8 - interface_features.preemption_bits));
            break;
        }
    }
    return result;
}

bool VicCpu::would_signal(const Virq& irq, const Mask& mask, bool powered_down) const {
    return vic_->forwarded(irq) && ((powered_down && asleep_) || mask.passes(irq));
}

/// The guest is done with all that its list registers were given, and nothing has come since. Only
/// while it is loaded here.
bool VicCpu::nothing_left() const {
    return !attention_.load(std::memory_order_relaxed) && rt::load_relaxed(ready_count_) == 0 &&
           (used_ & ~arch::ich_read_elrsr()) == 0;
}

bool VicCpu::has_deliverable(bool powered_down) const {
    // Without the lock: who makes one pending after this look tells VirqTarget::virq_pending(),
    // which comes to the vCPU's lock, or to its CPU, after the caller has acted on the answer.
    if (!vic_ || (rt::load_relaxed(ready_count_) == 0 && rt::load_relaxed(used_) == 0)) {
        return false;
    }
    if (loaded_here() && nothing_left()) {
        return false;
    }
    const LockGuard guard(vic_->lock_);
    if (loaded_elsewhere()) {
        return true;
    }
    for (const Virq& irq : ready_) {
        if (!irq.active && irq.pending() && would_signal(irq, mask(), powered_down)) {
            return true;
        }
    }
    for (std::uint32_t left = used_; left != 0; left &= left - 1) {
        const auto n = static_cast<unsigned>(std::countr_zero(left));
        const Virq& irq = *in_list_register_[n];
        const std::uint64_t lr = arch::ich_read_lr(n);
        if (!irq.active_after((lr & ich::lr_active) != 0) &&
            irq.pending_after((lr & ich::lr_pending) != 0) &&
            would_signal(irq, mask(), powered_down)) {
            return true;
        }
    }
    return false;
}

bool VicCpu::could_deliver(std::uint32_t intid, bool powered_down) const {
    if (!vic_ || intid >= first_spi) {
        return false;
    }
    const LockGuard guard(vic_->lock_);
    const Virq& irq = private_[intid];
    if (loaded_elsewhere()) {
        return vic_->forwarded(irq);
    }
    bool active = irq.active;
    if (irq.loaded()) {
        const std::uint64_t lr = arch::ich_read_lr(static_cast<unsigned>(irq.list_register));
        active = irq.active_after((lr & ich::lr_active) != 0);
    }
    return !active && would_signal(irq, mask(), powered_down);
}

} // namespace hyp
