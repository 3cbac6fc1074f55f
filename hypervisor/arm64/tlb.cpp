// SPDX-License-Identifier: BSD-3-Clause
// Stage-2 invalidation works on the current VMID, so VTTBR_EL2 is switched for the duration.
#include <arch/sysreg.hpp>
#include <arch/tlb.hpp>

namespace hyp {

namespace {

/// Beyond this many pages, one "everything of this VMID" costs less than page by page.
constexpr std::uint64_t most_single_pages = 512;

/// Makes `vttbr` current for a scope. With HCR_EL2.TGE clear, TLBI IPAS2 and VMALLS12 take the VMID
/// from VTTBR_EL2. EL2 runs with interrupts masked, so nothing else sees the switch.
class CurrentVmid {
public:
    explicit CurrentVmid(std::uint64_t vttbr) : previous_(HYP_READ_SYSREG(vttbr_el2)) {
        if (vttbr != previous_) {
            HYP_WRITE_SYSREG(vttbr_el2, vttbr);
            changed_ = true;
        }
        // The table writes are visible before any TLBI; the VTTBR write is in effect.
        asm volatile("dsb ish\n\tisb" : : : "memory");
    }
    ~CurrentVmid() {
        if (changed_) {
            HYP_WRITE_SYSREG(vttbr_el2, previous_);
        }
        arch::isb();
    }
    CurrentVmid(const CurrentVmid&) = delete;
    CurrentVmid& operator=(const CurrentVmid&) = delete;

private:
    const std::uint64_t previous_;
    bool changed_ = false;
};

} // namespace

void stage2_invalidate_range(std::uint64_t vttbr, Ipa ipa, std::uint64_t size) {
    if (size > most_single_pages * page_size) {
        stage2_invalidate_all(vttbr);
        return;
    }
    const CurrentVmid scope(vttbr);
    const std::uint64_t end = align_up(ipa.value + size, page_size);
    for (std::uint64_t page = ipa.page().value; page < end; page += page_size) {
        // Bits 47:12 of the address go into bits 35:0 of the operand.
        asm volatile("tlbi ipas2e1is, %0" : : "r"(page >> page_shift) : "memory");
    }
    // Combined stage 1 and 2 entries are not covered by the above (Arm ARM D8.13.5).
    asm volatile("dsb ish\n\ttlbi vmalle1is\n\tdsb ish" : : : "memory");
}

void stage2_invalidate_all(std::uint64_t vttbr) {
    const CurrentVmid scope(vttbr);
    asm volatile("tlbi vmalls12e1is\n\tdsb ish" : : : "memory");
}

} // namespace hyp
