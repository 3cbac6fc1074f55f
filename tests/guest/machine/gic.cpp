// SPDX-License-Identifier: BSD-3-Clause
// Distributor, redistributors and the CPU interface's system registers.
#include "machine/gic.hpp"

#include "check/check.hpp"
#include "machine/board.hpp"
#include "machine/clock.hpp"
#include "machine/cpus.hpp"
#include "machine/mmio.hpp"
#include "machine/sysreg.hpp"

namespace test::gic {

namespace {

constexpr std::uint32_t ctlr_group1 = 1u << 1;
constexpr std::uint32_t ctlr_affinity_routing = 1u << 4;
constexpr std::uint32_t ctlr_write_pending = 1u << 31;
constexpr std::uint64_t sgi_frame = 0x10000;
constexpr std::uint64_t redistributor_ctlr_write_pending = 1u << 3;
constexpr std::uint32_t all_priorities = 0x01010101u * default_priority;

void wait_for_distributor() {
    (void)wait_until(1000,
                     [] { return (mmio::read32(distributor() + ctlr) & ctlr_write_pending) == 0; });
}

// Register of one bit per interrupt.
void write_bit(std::uint64_t offset, std::uint32_t intid) {
    mmio::write32(bank(intid) + offset + intid / 32 * 4, 1u << intid % 32);
}

bool read_bit(std::uint64_t offset, std::uint32_t intid) {
    return (mmio::read32(bank(intid) + offset + intid / 32 * 4) >> intid % 32 & 1) != 0;
}

void reset_bank(std::uint64_t base, std::uint32_t first, std::uint32_t end) {
    for (std::uint32_t i = first; i < end; i += 32) {
        mmio::write32(base + icenabler + i / 8, ~0u);
        mmio::write32(base + icpendr + i / 8, ~0u);
        mmio::write32(base + icactiver + i / 8, ~0u);
        mmio::write32(base + igroupr + i / 8, ~0u);
    }
    for (std::uint32_t i = first; i < end; i += 4) {
        mmio::write32(base + ipriorityr + i, all_priorities);
    }
}

void init_redistributor() {
    const std::uint64_t base = redistributor(this_cpu());
    constexpr std::uint32_t sleep = 1u << 1;
    constexpr std::uint32_t asleep = 1u << 2;
    mmio::write32(base + redistributor_waker, mmio::read32(base + redistributor_waker) & ~sleep);
    const bool awake =
        wait_until(1000, [&] { return (mmio::read32(base + redistributor_waker) & asleep) == 0; });
    expect(awake, "GICR_WAKER.ChildrenAsleep clears");
    reset_bank(base + sgi_frame, 0, first_spi);
    (void)wait_until(
        1000, [&] { return (mmio::read32(base + ctlr) & redistributor_ctlr_write_pending) == 0; });
    mmio::write32(base + sgi_frame + isenabler, 0xffff); // the SGIs
}

} // namespace

void init_distributor() {
    mmio::write32(distributor() + ctlr, 0);
    wait_for_distributor();
    reset_bank(distributor(), first_spi, interrupt_lines());
    wait_for_distributor();
    mmio::write32(distributor() + ctlr, ctlr_group1 | ctlr_affinity_routing);
    wait_for_distributor();
}

void init_cpu() {
    constexpr std::uint64_t enable_system_registers = 7;
    WRITE_SYSREG(s3_0_c12_c12_5, enable_system_registers); // ICC_SRE_EL1
    isb();
    init_redistributor();
    set_priority_mask(0xff);
    set_split_eoi(false);
    WRITE_SYSREG(s3_0_c12_c12_3, std::uint64_t{0}); // ICC_BPR1_EL1
    WRITE_SYSREG(s3_0_c12_c12_7, std::uint64_t{1}); // ICC_IGRPEN1_EL1
    isb();
}

std::uint64_t distributor() {
    return board().distributor.base;
}

std::uint64_t redistributor(unsigned cpu) {
    const std::uint64_t affinity = board().mpidr[cpu];
    const std::uint32_t packed =
        static_cast<std::uint32_t>((affinity >> 8 & 0xff000000) | (affinity & 0xffffff));
    constexpr std::uint64_t last = 1u << 4;
    const Range region = board().redistributors;
    for (std::uint64_t base = region.base; base < region.end(); base += redistributor_stride) {
        const std::uint64_t type = mmio::read64(base + redistributor_typer);
        if (type >> 32 == packed) {
            return base;
        }
        if ((type & last) != 0) {
            break;
        }
    }
    fail("no redistributor for CPU {} (affinity {x})", cpu, affinity);
}

std::uint64_t bank(std::uint32_t intid) {
    return intid < first_spi ? redistributor(this_cpu()) + sgi_frame : distributor();
}

std::uint32_t interrupt_lines() {
    return ((mmio::read32(distributor() + typer) & 0x1f) + 1) * 32;
}

void enable(std::uint32_t intid) {
    write_bit(isenabler, intid);
}

void disable(std::uint32_t intid) {
    write_bit(icenabler, intid);
    if (intid >= first_spi) {
        wait_for_distributor();
    }
}

void set_priority(std::uint32_t intid, std::uint8_t priority) {
    mmio::write8(bank(intid) + ipriorityr + intid, priority);
}

void set_edge(std::uint32_t intid, bool edge) {
    const std::uint64_t address = bank(intid) + icfgr + intid / 16 * 4;
    const std::uint32_t bit = 2u << intid % 16 * 2;
    const std::uint32_t old = mmio::read32(address);
    mmio::write32(address, edge ? old | bit : old & ~bit);
}

void route(std::uint32_t spi, std::uint64_t mpidr) {
    mmio::write64(distributor() + irouter + spi * 8ULL, mpidr);
}

void set_pending(std::uint32_t intid) {
    write_bit(ispendr, intid);
}

void clear_pending(std::uint32_t intid) {
    write_bit(icpendr, intid);
}

void clear_active(std::uint32_t intid) {
    write_bit(icactiver, intid);
}

bool is_enabled(std::uint32_t intid) {
    return read_bit(isenabler, intid);
}

bool is_pending(std::uint32_t intid) {
    return read_bit(ispendr, intid);
}

bool is_active(std::uint32_t intid) {
    return read_bit(isactiver, intid);
}

void send_sgi(unsigned sgi, std::uint64_t mpidr) {
    const std::uint64_t target = std::uint64_t{1} << (mpidr & 0xf);
    const std::uint64_t upper =
        (mpidr >> 32 & 0xff) << 48 | (mpidr >> 16 & 0xff) << 32 | (mpidr >> 8 & 0xff) << 16;
    dsb(); // what the receiver shall see
    WRITE_SYSREG(s3_0_c12_c11_5, upper | std::uint64_t{sgi} << 24 | target); // ICC_SGI1R_EL1
    isb();
}

std::uint32_t acknowledge() {
    const std::uint64_t intid = READ_SYSREG(s3_0_c12_c12_0); // ICC_IAR1_EL1
    dsb();
    return static_cast<std::uint32_t>(intid);
}

void end_of_interrupt(std::uint32_t intid) {
    WRITE_SYSREG(s3_0_c12_c12_1, std::uint64_t{intid}); // ICC_EOIR1_EL1
    isb();
}

void deactivate(std::uint32_t intid) {
    WRITE_SYSREG(s3_0_c12_c11_1, std::uint64_t{intid}); // ICC_DIR_EL1
    isb();
}

void set_priority_mask(std::uint8_t mask) {
    WRITE_SYSREG(s3_0_c4_c6_0, std::uint64_t{mask}); // ICC_PMR_EL1
    isb();
}

void set_split_eoi(bool split) {
    WRITE_SYSREG(s3_0_c12_c12_4, std::uint64_t{split ? 2u : 0u}); // ICC_CTLR_EL1.EOImode
    isb();
}

std::uint8_t running_priority() {
    return static_cast<std::uint8_t>(READ_SYSREG(s3_0_c12_c11_3)); // ICC_RPR_EL1
}

} // namespace test::gic
