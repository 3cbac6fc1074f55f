// SPDX-License-Identifier: BSD-3-Clause
// The per-interrupt registers of a virtual distributor or redistributor.
#include "interrupt/irq_bank.hpp"

#include "interrupt/gicv3.hpp"
#include "interrupt/vic_cpu.hpp"

#include <algorithm>
#include <bit>

namespace hyp {
namespace {

/// Implemented bits of a priority: 32 levels, as the list registers guarantee.
constexpr std::uint32_t priority_mask = 0xf8;

bool in(std::uint64_t offset, std::uint64_t start, std::uint64_t size) {
    return offset - start < size; // below start it wraps
}

} // namespace

void IrqBank::find_private() {
    VicCpu* cpu = vic_.cpus_[vcpu_];
    irqs_ = cpu != nullptr ? std::span(cpu->private_) : std::span<Virq>();
}

void IrqBank::fold_slowly() {
    self_->fold_locked(wakeups_);
    self_->request_attention();
}

Virq* IrqBank::irq(std::uint64_t intid) {
    return intid - first_ < irqs_.size() ? &irqs_[intid - first_] : nullptr;
}

inline std::span<Virq> IrqBank::word(std::uint64_t first) {
    const std::uint64_t index = first - first_;
    return index < irqs_.size()
               ? irqs_.subspan(index, std::min<std::size_t>(32, irqs_.size() - index))
               : std::span<Virq>();
}

template <IrqBank::Bit bit>
std::uint32_t IrqBank::read_bits(std::uint64_t first) {
    std::uint32_t value = 0;
    std::uint32_t mask = 1;
    for (Virq& one : word(first)) {
        value |= (this->*bit)(one) ? mask : 0;
        mask <<= 1;
    }
    return value;
}

std::uint64_t IrqBank::read(std::uint64_t offset, unsigned size) {
    const LockGuard guard(vic_.lock_);
    begin();
    if (in(offset, gic_registers::priority, 0x400) && (size == 1 || size == 4)) {
        return read_priorities(offset - gic_registers::priority, size);
    }
    if (size != 4) {
        return 0;
    }
    if (in(offset, gic_registers::trigger, 0x100)) {
        return read_triggers((offset - gic_registers::trigger) * 4);
    }
    const std::uint64_t first = offset % 0x80 * 8;
    switch (offset & ~std::uint64_t{0x7f}) {
    case gic_registers::group:
        return read_bits<&IrqBank::is_group1>(first);
    case gic_registers::set_enable:
    case gic_registers::clear_enable:
        return read_bits<&IrqBank::is_enabled>(first);
    case gic_registers::set_pending:
    case gic_registers::clear_pending:
        return read_bits<&IrqBank::is_pending>(first);
    case gic_registers::set_active:
    case gic_registers::clear_active:
        return read_bits<&IrqBank::is_active>(first);
    default:
        return 0;
    }
}

void IrqBank::write(std::uint64_t offset, unsigned size, std::uint64_t value) {
    const LockGuard guard(vic_.lock_);
    begin();
    if (size == 4 && in(offset, gic_registers::set_enable, 0x80)) { // the most frequent one
        write_enables<true>(offset % 0x80 * 8, static_cast<std::uint32_t>(value));
        return;
    }
    if (in(offset, gic_registers::priority, 0x400) && (size == 1 || size == 4)) {
        write_priorities(offset - gic_registers::priority, size, value);
        return;
    }
    if (size != 4) {
        return;
    }
    const auto word = static_cast<std::uint32_t>(value);
    if (in(offset, gic_registers::trigger, 0x100)) {
        write_triggers((offset - gic_registers::trigger) * 4, word);
        return;
    }
    const std::uint64_t first = offset % 0x80 * 8;
    switch (offset & ~std::uint64_t{0x7f}) {
    case gic_registers::group:
        write_bits(first, word, &IrqBank::to_group1);
        return write_bits(first, ~word, &IrqBank::to_group0);
    case gic_registers::clear_enable:
        return write_enables<false>(first, word);
    case gic_registers::set_pending:
        return write_bits(first, word, &IrqBank::set_pending);
    case gic_registers::clear_pending:
        return write_bits(first, word, &IrqBank::clear_pending);
    case gic_registers::set_active:
        return write_bits(first, word, &IrqBank::set_active);
    case gic_registers::clear_active:
        return write_bits(first, word, &IrqBank::clear_active);
    default:
        return;
    }
}

void IrqBank::write_bits(std::uint64_t first, std::uint32_t mask, Act act) {
    for (; mask != 0; mask &= mask - 1) {
        Virq* one = irq(first + static_cast<unsigned>(std::countr_zero(mask)));
        if (one != nullptr) {
            (this->*act)(*one);
            vic_.update(*one, wakeups_);
        }
    }
}

/// Whatever is so already needs no second look.
template <bool enabled>
void IrqBank::write_enables(std::uint64_t first, std::uint32_t mask) {
    const std::span<Virq> all = word(first);
    for (; mask != 0; mask &= mask - 1) {
        const auto n = static_cast<unsigned>(std::countr_zero(mask));
        if (n >= all.size() || all[n].enabled == enabled) {
            continue;
        }
        set_enabled(all[n], enabled);
        vic_.update(all[n], wakeups_);
    }
}

bool IrqBank::is_pending(Virq& irq) {
    if (irq.loaded()) {
        vic_.update(irq, wakeups_); // in use on another CPU: the next read shall be nearer to truth
    }
    if (irq.pending_after(irq.loaded())) {
        return true;
    }
    // Disabled, or still active for the guest: the hardware keeps it pending and does not forward
    // it.
    return irq.is_physical_spi() && gic().spi_is_pending(irq.physical);
}

bool IrqBank::is_active(Virq& irq) {
    if (irq.loaded()) {
        vic_.update(irq, wakeups_);
    }
    return irq.active_after(irq.active);
}

void IrqBank::set_enabled(Virq& irq, bool enabled) {
    irq.enabled = enabled;
    if (irq.is_physical_spi()) {
        gic().spi_set_enabled(irq.physical, enabled);
    } else if (irq.physical != 0 && enabled) {
        // The timer may have been turned off since it fired: if not, it fires again.
        vic_.clear_latch(irq);
    }
}

void IrqBank::set_pending(Virq& irq) {
    if (irq.is_physical_spi()) {
        gic().spi_set_pending(irq.physical, true); // comes back as a real one
    } else {
        irq.latch = true;
    }
}

void IrqBank::clear_pending(Virq& irq) {
    if (irq.is_physical_spi()) {
        gic().spi_set_pending(irq.physical, false);
    }
    vic_.clear_latch(irq);
}

void IrqBank::set_active(Virq& irq) {
    if (irq.is_physical_spi()) {
        gic().spi_set_active(irq.physical, true);
    }
    if (irq.loaded()) {
        irq.force_active = true;
        irq.drop_active = false;
    } else {
        irq.active = true;
    }
}

std::uint64_t IrqBank::read_priorities(std::uint64_t first, unsigned size) {
    std::uint64_t value = 0;
    for (unsigned n = 0; n < size; n++) {
        Virq* one = irq(first + n);
        value |= one != nullptr ? std::uint64_t{one->priority} << (8 * n) : 0;
    }
    return value;
}

void IrqBank::write_priorities(std::uint64_t first, unsigned size, std::uint64_t value) {
    for (unsigned n = 0; n < size; n++) {
        if (Virq* one = irq(first + n)) {
            one->priority = static_cast<std::uint8_t>(value >> (8 * n) & priority_mask);
            vic_.update(*one, wakeups_);
        }
    }
}

/// Two bits per interrupt, of which the upper one is the trigger: 1 edge, 0 level.
std::uint32_t IrqBank::read_triggers(std::uint64_t first) {
    std::uint32_t value = 0;
    for (unsigned n = 0; n < 16; n++) {
        Virq* one = irq(first + n);
        value |= one != nullptr && one->edge ? 2u << (2 * n) : 0;
    }
    return value;
}

void IrqBank::write_triggers(std::uint64_t first, std::uint32_t value) {
    for (unsigned n = 0; n < 16; n++) {
        Virq* one = irq(first + n);
        const bool edge = (value >> (2 * n) & 2) != 0;
        if (one == nullptr || one->intid < first_ppi || one->edge == edge) {
            continue;
        }
        one->edge = edge;
        if (one->is_physical_spi()) {
            gic().spi_set_edge(one->physical, edge);
        }
        vic_.update(*one, wakeups_);
    }
}

} // namespace hyp
