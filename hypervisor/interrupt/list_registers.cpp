// SPDX-License-Identifier: BSD-3-Clause
// Moving interrupts into the list registers of a vCPU and back (IHI 0069, chapter 6).
//
// Folding takes everything back into memory; refilling chooses anew. What does not fit:
//  - pending interrupts wait for the maintenance interrupt "no register pending" (NPIE), which the
//    best pending interrupt, always in a register, keeps away;
//  - active ones are ended through EOIcount (EOImode 0) or a trapped ICC_DIR_EL1 (EOImode 1).
#include "interrupt/list_register.hpp"
#include "interrupt/vic.hpp"
#include "interrupt/vic_cpu.hpp"
#include "interrupt/wakeups.hpp"

#include <arch/gic.hpp>
#include <runtime/relaxed.hpp>

#include <bit>

namespace hyp {

void VicCpu::fold(Wakeups& wakeups) {
    if (spilled_active_) {
        fold_unlisted_eois(wakeups);
    }
    for (std::uint32_t left = used_; left != 0; left &= left - 1) {
        fold_register(static_cast<unsigned>(std::countr_zero(left)), wakeups);
    }
    stale_ |= used_;
    rt::store_relaxed(used_, 0u);
}

void VicCpu::fold_register(unsigned n, Wakeups& wakeups) {
    Virq& irq = *in_list_register_[n];
    const std::uint64_t lr = arch::ich_read_lr(n);
    const bool was_waiting = irq.latch;
    irq.latch =
        was_waiting || ((lr & ich::lr_pending) != 0 && irq.latch_loaded && !irq.drop_pending);
    irq.active = irq.active_after((lr & ich::lr_active) != 0);
    irq.list_register = -1;
    irq.latch_loaded = false;
    irq.drop_pending = false;
    irq.drop_active = false;
    irq.force_active = false;
    irq.announced = false;
    if (!irq.active) {
        irq.holder = nullptr;
    }
    if (irq.physical != 0) {
        const bool ended_by_guest = (lr & (ich::lr_pending | ich::lr_active)) == 0;
        if (ended_by_guest && irq.is_private() && !was_waiting) {
            physically_active_ &= ~(1u << irq.intid);
        } else if (!ended_by_guest && !irq.latch && !irq.active) {
            vic_->deactivate_hardware(irq); // ended by a register write on another CPU
        }
        if (irq.source == nullptr && !irq.is_private()) {
            vic_->finish_detach_hardware(irq);
        }
    }
    if (irq.active || irq.pending()) {
        vic_->update(irq, wakeups);
    }
}

void VicCpu::fold_unlisted_eois(Wakeups& wakeups) {
    const std::uint64_t hcr = arch::ich_read_hcr();
    std::uint64_t count = hcr >> ich::hcr_eoi_count_shift & ich::hcr_eoi_count_mask;
    if ((arch::ich_read_vmcr() & ich::vmcr_eoim) != 0) {
        // EOIR deactivates nothing, and is not to be counted (QEMU does); DIR is trapped.
        count = 0;
    }
    for (; count != 0; count--) {
        // EOImode 0 ends interrupts in the reverse order of their acknowledgement: the active one
        // of the highest priority comes first.
        Virq* ended = nullptr;
        for (Virq& irq : ready_) {
            if (irq.active && (ended == nullptr || irq.priority < ended->priority)) {
                ended = &irq;
            }
        }
        if (ended == nullptr) {
            break;
        }
        vic_->clear_active(*ended);
        vic_->update(*ended, wakeups);
    }
    spilled_active_ = false;
    hcr_ = hcr; // not what was written last: the count must be reset
}

void VicCpu::refill() {
    spilled_active_ = false;
    std::uint64_t hcr = ich::hcr_enable;
    if (ready_count_ <= interface_features.list_registers) {
        while (Virq* irq = ready_.front()) {
            place(*irq);
        }
    } else {
        refill_best();
        for (const Virq& irq : ready_) {
            if (irq.active) {
                spilled_active_ = true;
                hcr |= ich::hcr_lrenpie | ich::hcr_tdir;
            } else {
                hcr |= ich::hcr_npie;
            }
        }
    }
    clear_stale();
    if (hcr != hcr_) {
        hcr_ = hcr;
        arch::ich_write_hcr(hcr);
    }
}

void VicCpu::refill_best() {
    if (Virq* irq = best_ready(true)) {
        place(*irq);
    }
    while (std::countr_one(used_) < static_cast<int>(interface_features.list_registers)) {
        place(*best_ready(false));
    }
}

/// Active interrupts first, their end must reach the hardware; then by priority, then by number.
Virq* VicCpu::best_ready(bool only_pending) {
    Virq* best = nullptr;
    const auto order = [](const Virq& irq) {
        return (irq.active ? 0u : 1u << 24) | std::uint32_t{irq.priority} << 16 | irq.intid;
    };
    for (Virq& irq : ready_) {
        if (!(only_pending && irq.active) && (best == nullptr || order(irq) < order(*best))) {
            best = &irq;
        }
    }
    return best;
}

void VicCpu::place(Virq& irq) {
    rt::IntrusiveList<Virq, ReadyListTag>::remove(irq);
    rt::store_relaxed(ready_count_, ready_count_ - 1);
    write_list_register(irq, static_cast<unsigned>(std::countr_one(used_)));
}

bool VicCpu::place_at_once(Virq& irq) {
    const bool settled = loaded_here() && !attention_.load(std::memory_order_relaxed) &&
                         ready_count_ == 0 && vic_->forwarded(irq) && !irq.active;
    if (!settled) {
        return false;
    }
    unsigned n = static_cast<std::uint8_t>(irq.list_register); // means nothing unless it is loaded
    if (irq.loaded()) {
        const bool ended = (arch::ich_read_lr(n) & (ich::lr_pending | ich::lr_active)) == 0;
        if (!ended || irq.drop_pending || irq.drop_active || irq.force_active) {
            return false;
        }
    } else {
        n = static_cast<unsigned>(std::countr_one(used_));
        if (n >= interface_features.list_registers) {
            return false;
        }
        irq.holder = this;
    }
    write_list_register(irq, n);
    return true;
}

/// Whatever the register held is folded, or of this very interrupt and over.
void VicCpu::write_list_register(Virq& irq, unsigned n) {
    irq.announced = false;
    irq.list_register = static_cast<std::int8_t>(n);
    in_list_register_[n] = &irq;
    rt::store_relaxed(used_, used_ | 1u << n);

    const bool pending = vic_->forwarded(irq) && irq.pending();
    bool set_pending = pending;
    std::uint64_t lr = (irq.group0 ? 0 : ich::lr_group1) |
                       std::uint64_t{irq.priority} << ich::lr_priority_shift | irq.intid |
                       (irq.active ? ich::lr_active : 0);
    if (irq.physical != 0) {
        // Pending and active at once is not defined for these; the latch waits for the end.
        set_pending = pending && !irq.active;
        lr |= ich::lr_hardware | std::uint64_t{irq.physical} << ich::lr_physical_shift;
    } else if (!irq.edge) {
        // At the end the line is looked at again, instead of taking its old level.
        set_pending = pending && !irq.active;
        const bool again = irq.active ? pending : irq.line;
        lr |= again ? ich::lr_eoi : 0;
    }
    if (set_pending) {
        lr |= ich::lr_pending;
        irq.latch_loaded = irq.latch;
        irq.latch = false;
    }
    arch::ich_write_lr(n, lr);
}

void VicCpu::clear_stale() {
    for (std::uint32_t left = stale_ & ~used_; left != 0; left &= left - 1) {
        arch::ich_write_lr(static_cast<unsigned>(std::countr_zero(left)), 0);
    }
    stale_ = 0;
}

} // namespace hyp
