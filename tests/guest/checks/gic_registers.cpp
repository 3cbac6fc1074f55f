// SPDX-License-Identifier: BSD-3-Clause
// The distributor's and redistributors' registers as a driver sees them (IHI 0069, chapter 12).
#include "check/tables.hpp"
#include "machine/cpus.hpp"
#include "machine/exceptions.hpp"
#include "machine/gic.hpp"
#include "machine/mmio.hpp"
#include "machine/sysreg.hpp"

namespace test {

namespace {

constexpr std::uint32_t spi = 42;        // no device of QEMU's board has it
constexpr std::uint32_t device_spi = 33; // one does (its UART), and nobody has turned it on

void distributor_identification() {
    const std::uint64_t base = gic::distributor();
    expect_equal("GICD_PIDR2.ArchRev", mmio::read32(base + gic::pidr2) >> 4 & 0xf, 3);
    const std::uint32_t type = mmio::read32(base + gic::typer);
    expect((type & 0x1f) >= 1, "GICD_TYPER tells of SPIs");
    expect((type >> 19 & 0x1f) >= 9, "GICD_TYPER.IDbits: at least 10 bits");
    expect_equal("GICD_CIDR0", mmio::read32(base + 0xfff0) & 0xff, 0x0d);
}

void no_lpis_under_hypervisor() {
    expect_equal("GICD_TYPER.LPIS", mmio::read32(gic::distributor() + gic::typer) >> 17 & 1, 0);
}

void distributor_control() {
    const std::uint32_t control = mmio::read32(gic::distributor() + gic::ctlr);
    expect_equal("GICD_CTLR.ARE", control >> 4 & 1, 1);
    expect_equal("GICD_CTLR.DS", control >> 6 & 1, 1);
    expect_equal("GICD_CTLR.EnableGrp1", control >> 1 & 1, 1);
}

void redistributors() {
    for (unsigned cpu = 0; cpu < cpu_count(); ++cpu) {
        const std::uint64_t base = gic::redistributor(cpu);
        const std::uint64_t type = mmio::read64(base + gic::redistributor_typer);
        expect_equal("GICR_TYPER, upper half by word", mmio::read32(base + 12), type >> 32);
        expect_equal("GICR_TYPER, lower half by word", mmio::read32(base + 8), type & 0xffffffff);
        expect_equal("GICR_TYPER.Processor_Number", type >> 8 & 0xffff, cpu);
        expect_equal("GICR_TYPER.Last", type >> 4 & 1, cpu + 1 == cpu_count());
        expect_equal("GICR_PIDR2.ArchRev", mmio::read32(base + gic::pidr2) >> 4 & 0xf, 3);
    }
}

void enable_bits() {
    const std::uint64_t base = gic::distributor();
    mmio::write32(base + gic::icenabler + 4, ~0u);
    expect_equal("GICD_ISENABLER1 after clear", mmio::read32(base + gic::isenabler + 4), 0);
    mmio::write32(base + gic::isenabler + 4, 0xa0000002);
    expect_equal("GICD_ISENABLER1", mmio::read32(base + gic::isenabler + 4), 0xa0000002);
    expect_equal("GICD_ICENABLER1", mmio::read32(base + gic::icenabler + 4), 0xa0000002);
    mmio::write32(base + gic::isenabler + 4, 0);
    expect_equal("writing 0 changes nothing", mmio::read32(base + gic::isenabler + 4), 0xa0000002);
    mmio::write32(base + gic::icenabler + 4, 0x80000000);
    expect_equal("clear of one bit", mmio::read32(base + gic::isenabler + 4), 0x20000002);
    mmio::write32(base + gic::icenabler + 4, ~0u);
}

void pending_and_active(std::uint32_t intid) {
    const std::uint32_t bit = 1u << intid % 32;
    gic::set_pending(intid);
    expect(gic::is_pending(intid), "an SPI is pending after ISPENDR");
    expect_equal("the neighbours", mmio::read32(gic::distributor() + gic::ispendr + 4), bit);
    gic::clear_pending(intid);
    expect(!gic::is_pending(intid), "it is not after ICPENDR");
    mmio::write32(gic::distributor() + gic::isactiver + 4, bit);
    expect(gic::is_active(intid), "an SPI is active after ISACTIVER");
    gic::clear_active(intid);
    expect(!gic::is_active(intid), "it is not after ICACTIVER");
}

void pending_and_active_bits() {
    pending_and_active(spi);
}

// Of a disabled interrupt with hardware behind it, too.
void pending_and_active_bits_of_a_device() {
    pending_and_active(device_spi);
}

void sgi_bank() {
    const std::uint64_t base = gic::redistributor(0) + 0x10000;
    expect_equal("SGIs are enabled", mmio::read32(base + gic::isenabler) & 0xffff, 0xffff);
    mmio::write32(base + gic::icenabler, 1u << 5);
    expect_equal("after disabling SGI 5", mmio::read32(base + gic::isenabler) & 0xffff, 0xffdf);
    mmio::write32(base + gic::isenabler, 1u << 5);
    // The distributor's words for INTIDs 0 to 31 are reserved with affinity routing.
    expect_equal("GICD_ISENABLER0", mmio::read32(gic::distributor() + gic::isenabler), 0);
    mmio::write32(gic::distributor() + gic::icenabler, ~0u);
    expect_equal("SGIs after a write of GICD_ICENABLER0",
                 mmio::read32(base + gic::isenabler) & 0xffff, 0xffff);
}

void priorities() {
    const std::uint64_t address = gic::distributor() + gic::ipriorityr + 36;
    mmio::write32(address, 0x80'60'40'20);
    expect_equal("by word", mmio::read32(address), 0x80604020);
    expect_equal("byte 1", mmio::read8(address + 1), 0x40);
    mmio::write8(address + 2, 0xf8);
    expect_equal("after a byte write", mmio::read32(address), 0x80f84020);
    mmio::write8(address, 0xff);
    const std::uint8_t implemented = mmio::read8(address);
    expect((implemented & 0xf0) == 0xf0, "at least 16 priority levels exist");
    expect_equal("unimplemented bits are the low ones", implemented & (~implemented >> 1) & 0x7f,
                 0);
    mmio::write32(address, 0xa0a0a0a0);
}

void configuration() {
    const std::uint64_t address = gic::distributor() + gic::icfgr + 8; // SPIs 32..47
    mmio::write32(address, 0);
    expect_equal("all level", mmio::read32(address), 0);
    mmio::write32(address, 0xffffffff);
    expect_equal("all edge, odd bits only", mmio::read32(address), 0xaaaaaaaa);
    gic::set_edge(spi, false);
    expect_equal("one level", mmio::read32(address), 0xaa8aaaaa);
    mmio::write32(address, 0);
    const std::uint64_t sgis = gic::redistributor(0) + 0x10000 + gic::icfgr;
    mmio::write32(sgis, 0);
    expect_equal("SGIs are always edge", mmio::read32(sgis), 0xaaaaaaaa);
}

void routing() {
    const std::uint64_t address = gic::distributor() + gic::irouter + spi * 8;
    mmio::write64(address, board().mpidr[cpu_count() - 1]);
    expect_equal("GICD_IROUTER", mmio::read64(address), board().mpidr[cpu_count() - 1]);
    mmio::write64(address, board().mpidr[0]);
    expect_equal("GICD_IROUTER, by word", mmio::read32(address), board().mpidr[0] & 0xffffffff);
}

// Beyond the last INTID there is nothing: zero, and writes have no effect.
void beyond_the_last_interrupt() {
    const std::uint32_t lines = gic::interrupt_lines();
    if (lines > 1020 - 32) {
        skip("the distributor has all interrupts");
    }
    const std::uint64_t address = gic::distributor() + gic::isenabler + lines / 8;
    mmio::write32(address, ~0u);
    expect_equal("GICD_ISENABLER beyond the last", mmio::read32(address), 0);
}

/// Nothing but the access itself may happen: no other interrupt's state, no exception.
void access_everything(std::uint64_t base, std::uint64_t size) {
    for (std::uint64_t offset = 0; offset < size; offset += 4) {
        const auto taken = catch_exception([&] {
            (void)mmio::read32(base + offset);
            (void)mmio::read8(base + offset + 1);
            (void)mmio::read16(base + offset + 2);
            if (offset % 8 == 0) {
                (void)mmio::read64(base + offset);
            }
        });
        if (taken) {
            fail("reading offset {x} of the frame at {x}: exception with ESR {x}", offset, base,
                 taken->esr);
        }
    }
}

void all_reads_are_harmless() {
    access_everything(gic::distributor(), 0x10000);
    access_everything(gic::redistributor(0), gic::redistributor_stride);
}

void writes_to_read_only_registers() {
    const std::uint64_t base = gic::distributor();
    const std::uint64_t rd = gic::redistributor(0);
    const std::uint32_t type = mmio::read32(base + gic::typer);
    const std::uint64_t rd_type = mmio::read64(rd + gic::redistributor_typer);
    for (const std::uint64_t address :
         {base + gic::typer, base + gic::iidr, base + 0x0010, base + 0x0040, base + 0x5000,
          base + 0xd000, base + gic::pidr2, base + 0xfff0, rd + 4, rd + 8, rd + 12, rd + gic::pidr2,
          rd + 0x10000 + 0xd00, rd + 0x1fff0}) {
        const auto taken = catch_exception([&] { mmio::write32(address, ~0u); });
        expect(!taken, "writing a read-only or reserved register is no exception");
    }
    expect_equal("GICD_TYPER", mmio::read32(base + gic::typer), type);
    expect_equal("GICR_TYPER", mmio::read64(rd + gic::redistributor_typer), rd_type);
    expect_equal("GICD_PIDR2.ArchRev", mmio::read32(base + gic::pidr2) >> 4 & 0xf, 3);
}

// One-bit registers are words: other sizes are reserved, and must at least not enable anything.
void wrong_sizes() {
    const std::uint64_t address = gic::distributor() + gic::isenabler + 4;
    const auto taken = catch_exception([&] {
        mmio::write8(address, 0xff);
        mmio::write16(address, 0xffff);
        mmio::write64(address & ~7ULL, ~0ULL);
    });
    expect(!taken, "an access of the wrong size is no exception");
    expect_equal("GICD_ISENABLER1", mmio::read32(address), 0);
}

void group_register() {
    expect_equal("GICD_IGROUPR1", mmio::read32(gic::distributor() + gic::igroupr + 4), ~0u);
}

void interface_registers() {
    expect_equal("ICC_SRE_EL1.SRE", READ_SYSREG(s3_0_c12_c12_5) & 1, 1);
    const std::uint64_t control = READ_SYSREG(s3_0_c12_c12_4);
    expect((control >> 8 & 7) >= 4, "ICC_CTLR_EL1.PRIbits: at least 5 bits");
    expect_equal("ICC_RPR_EL1 when idle", gic::running_priority(), 0xff);
    expect_equal("ICC_IAR1_EL1 when idle", gic::acknowledge(), gic::spurious);
    expect_equal("ICC_HPPIR1_EL1 when idle", READ_SYSREG(s3_0_c12_c12_2), gic::spurious);
    gic::set_priority_mask(0x80);
    expect_equal("ICC_PMR_EL1", READ_SYSREG(s3_0_c4_c6_0), 0x80);
    gic::set_priority_mask(0xff);
    gic::set_split_eoi(true);
    expect_equal("ICC_CTLR_EL1.EOImode", READ_SYSREG(s3_0_c12_c12_4) >> 1 & 1, 1);
    gic::set_split_eoi(false);
    WRITE_SYSREG(s3_0_c12_c12_7, std::uint64_t{0});
    isb();
    expect_equal("ICC_IGRPEN1_EL1 off", READ_SYSREG(s3_0_c12_c12_7), 0);
    WRITE_SYSREG(s3_0_c12_c12_7, std::uint64_t{1});
    isb();
    expect_equal("ICC_IGRPEN1_EL1 on", READ_SYSREG(s3_0_c12_c12_7), 1);
}

constexpr Check checks[] = {
    {"gic.distributor_identification", distributor_identification, Needs::nothing},
    {"gic.no_lpis", no_lpis_under_hypervisor},
    {"gic.distributor_control", distributor_control, Needs::nothing},
    {"gic.redistributors", redistributors, Needs::nothing},
    {"gic.enable_bits", enable_bits, Needs::nothing},
    {"gic.pending_and_active_bits", pending_and_active_bits, Needs::nothing},
    {"gic.pending_and_active_bits_of_a_device", pending_and_active_bits_of_a_device,
     Needs::nothing},
    {"gic.sgi_bank", sgi_bank, Needs::nothing},
    {"gic.priorities", priorities, Needs::nothing},
    {"gic.configuration", configuration, Needs::nothing},
    {"gic.routing", routing, Needs::nothing},
    {"gic.beyond_the_last_interrupt", beyond_the_last_interrupt},
    {"gic.all_reads_are_harmless", all_reads_are_harmless, Needs::hypervisor, 60'000},
    {"gic.writes_to_read_only_registers", writes_to_read_only_registers, Needs::hypervisor},
    {"gic.wrong_sizes", wrong_sizes},
    {"gic.group_register", group_register, Needs::nothing},
    {"gic.interface_registers", interface_registers, Needs::nothing},
};

} // namespace

std::span<const Check> gic_register_checks() {
    return checks;
}

} // namespace test
