// SPDX-License-Identifier: BSD-3-Clause
// Registers that trap: identification, the virtual GIC's frames; and an access to nothing.
#include "measure.hpp"
#include "rows.hpp"

#include "machine/gic.hpp"
#include "machine/interrupts.hpp"
#include "machine/mmio.hpp"
#include "machine/page_tables.hpp"

extern "C" const std::byte skipping_vectors[];

namespace bench {

namespace {

using test::Check;
namespace gic = test::gic;

void identification() {
    row("sysreg.id_aa64pfr0", [] { (void)READ_SYSREG(id_aa64pfr0_el1); });
    row("sysreg.actlr", [] { (void)READ_SYSREG(actlr_el1); });
}

void distributor() {
    const std::uint64_t base = gic::distributor();
    row("gic.typer_read", [=] { (void)test::mmio::read32(base + gic::typer); });
    // SPI 32: nobody's, so that enabling it does no more than that.
    row("gic.isenabler_write", [=] { test::mmio::write32(base + gic::isenabler + 4, 1); });
    gic::disable(gic::first_spi);
    const std::uint64_t own = gic::redistributor(0) + 0x10000;
    row("gic.isenabler0_write", [=] { test::mmio::write32(own + gic::isenabler, 1); });
    row("gic.ispendr_read", [=] { (void)test::mmio::read32(base + gic::ispendr + 4); });
}

// Stage 2 maps nothing there: an external abort, which the vectors of this program only skip.
void stage2_fault() {
    constexpr std::uint64_t free_ipa = 0x3f'0000'0000;
    if (!test::board().is_free({free_ipa, 4096})) {
        test::fail("the address {x} is in use", free_ipa);
    }
    test::map_window(0, free_ipa, test::PageKind::device);
    const std::uint64_t address = test::window_address(0);
    const test::MaskedInterrupts masked;
    const std::uint64_t vectors = READ_SYSREG(vbar_el1);
    WRITE_SYSREG(vbar_el1, reinterpret_cast<std::uint64_t>(skipping_vectors));
    test::isb();
    row("stage2.fault", [=] { (void)test::mmio::read32(address); });
    WRITE_SYSREG(vbar_el1, vectors);
    test::isb();
}

constexpr Check rows[] = {
    {"bench.identification", identification},
    {"bench.distributor", distributor},
    {"bench.stage2_fault", stage2_fault},
};

} // namespace

std::span<const Check> register_rows() {
    return rows;
}

} // namespace bench
