// SPDX-License-Identifier: BSD-3-Clause
// The registers that exist once per interrupt, in the distributor for SPIs and in a redistributor
// for private interrupts: enable, pending, active, priority, trigger (IHI 0069, 12.9 and 12.11).
#pragma once

#include "interrupt/gic_registers.hpp"
#include "interrupt/vic.hpp"
#include "interrupt/wakeups.hpp"

#include <cstdint>
#include <span>

namespace hyp {

/// Offsets of these registers within a frame, the same for GICD and the SGI_base frame of GICR.
constexpr bool is_in_bank(std::uint64_t offset) {
    return offset >= gic_registers::group && offset < gic_registers::group_modifier;
}

/// Identification registers 0xffd0..0xfffc, the same in every frame: GICv3.
std::uint32_t gic_identification(std::uint64_t offset);
/// GICD_IIDR and GICR_IIDR: no implementer has a number for us.
inline constexpr std::uint32_t gic_implementer = 0x47000000;

/// A view of the interrupts of one frame, for one access.
class IrqBank {
public:
    /// The SPIs.
    explicit IrqBank(Vic& vic)
        : vic_(vic), first_(first_spi), irqs_(vic.shared_, vic.shared_count_) {}
    /// The private interrupts of the vCPU with this index.
    IrqBank(Vic& vic, unsigned vcpu) : vic_(vic), first_(0), vcpu_(vcpu) {}

    /// `offset` 0x080..0xcff. Other registers, sizes and alignments: zero, ignored.
    HYP_CALLED_BY_NAME [[nodiscard]] std::uint64_t read(std::uint64_t offset, unsigned size)
        RT_EXCLUDES(vic_.lock_);
    HYP_CALLED_BY_NAME void write(std::uint64_t offset, unsigned size, std::uint64_t value)
        RT_EXCLUDES(vic_.lock_);

private:
    using Bit = bool (IrqBank::*)(Virq&);
    using Act = void (IrqBank::*)(Virq&);

    /// Takes back the list registers of the vCPU that makes the access, so that its states are
    /// true.
    void begin() RT_REQUIRES(vic_.lock_) {
        if (first_ == 0) {
            find_private();
        }
        if (self_ != nullptr && self_->used_ != 0 && self_->vic() == &vic_) {
            fold_slowly();
        }
    }
    void find_private() RT_REQUIRES(vic_.lock_);
    void fold_slowly() RT_REQUIRES(vic_.lock_);
    [[nodiscard]] Virq* irq(std::uint64_t intid) RT_REQUIRES(vic_.lock_);
    /// The interrupts first .. first + 31 that exist, side by side in memory.
    [[nodiscard]] std::span<Virq> word(std::uint64_t first) RT_REQUIRES(vic_.lock_);
    template <Bit bit>
    [[nodiscard]] std::uint32_t read_bits(std::uint64_t first) RT_REQUIRES(vic_.lock_);
    void write_bits(std::uint64_t first, std::uint32_t mask, Act act) RT_REQUIRES(vic_.lock_);
    template <bool enabled>
    void write_enables(std::uint64_t first, std::uint32_t mask) RT_REQUIRES(vic_.lock_);
    void to_group0(Virq& irq) { irq.group0 = true; }
    void to_group1(Virq& irq) { irq.group0 = false; }
    [[nodiscard]] std::uint64_t read_priorities(std::uint64_t first, unsigned size)
        RT_REQUIRES(vic_.lock_);
    void write_priorities(std::uint64_t first, unsigned size, std::uint64_t value)
        RT_REQUIRES(vic_.lock_);
    [[nodiscard]] std::uint32_t read_triggers(std::uint64_t first) RT_REQUIRES(vic_.lock_);
    void write_triggers(std::uint64_t first, std::uint32_t value) RT_REQUIRES(vic_.lock_);

    bool is_group1(Virq& irq) { return !irq.group0; }
    bool is_enabled(Virq& irq) { return irq.enabled; }
    bool is_pending(Virq& irq) RT_REQUIRES(vic_.lock_);
    bool is_active(Virq& irq) RT_REQUIRES(vic_.lock_);
    void set_enabled(Virq& irq, bool enabled) RT_REQUIRES(vic_.lock_);
    void set_pending(Virq& irq) RT_REQUIRES(vic_.lock_);
    void clear_pending(Virq& irq) RT_REQUIRES(vic_.lock_);
    void set_active(Virq& irq) RT_REQUIRES(vic_.lock_);
    void clear_active(Virq& irq) RT_REQUIRES(vic_.lock_) { vic_.clear_active(irq); }

    Vic& vic_;
    VicCpu* const self_ = VicCpu::current();
    Wakeups wakeups_{self_};    // told when the access is over
    const std::uint64_t first_; // the INTID of irqs_[0]
    std::span<Virq> irqs_;
    const unsigned vcpu_ = 0; // whose private ones they are, if so
};

} // namespace hyp
