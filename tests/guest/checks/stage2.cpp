// SPDX-License-Identifier: BSD-3-Clause
// Addresses behind which this VM has nothing: synchronous external aborts, with the right
// addresses, and no way to the hypervisor's memory or to the parts of the GIC that it keeps.
#include "check/tables.hpp"
#include "machine/exceptions.hpp"
#include "machine/gic.hpp"
#include "machine/mmio.hpp"
#include "machine/page_tables.hpp"
#include "machine/sysreg.hpp"

namespace test {

namespace {

constexpr std::uint64_t page_size = 4096;

/// A page at which the device tree knows nothing, below the 40 bits that every model has.
std::uint64_t free_page() {
    for (const std::uint64_t candidate : {0x3f'0000'0000ULL, 0x37'0000'0000ULL, 0x0f00'0000ULL}) {
        if (board().is_free({candidate, page_size})) {
            return candidate;
        }
    }
    skip("the device tree covers every address that this check could use");
}

// What is behind an address: nothing, or perhaps memory of another VM, of which a data access is
// reported as an alignment fault.
enum class Behind { nothing, perhaps_another_vm };

void expect_external_abort(const std::optional<Exception>& taken, const char* what,
                           std::uint64_t address, unsigned ec, Behind behind = Behind::nothing) {
    if (!taken) {
        fail("{} {x}: no exception", what, address);
    }
    const bool status =
        taken->fault_status() == fsc_external ||
        (behind == Behind::perhaps_another_vm && taken->fault_status() == fsc_alignment);
    if (taken->ec() != ec || !status || taken->far != address) {
        fail("{} {x}: ESR {x} FAR {x}", what, address, taken->esr, taken->far);
    }
}

void expect_unreachable(std::uint64_t address, Behind behind = Behind::nothing) {
    std::uint32_t value = 0xabcd;
    const auto load = catch_exception([&] {
        asm volatile("ldr %w0, [%1]" : "+r"(value) : "r"(address) : "memory");
    });
    expect_external_abort(load, "load from", address, ec_data_abort, behind);
    expect_equal("WnR of a load", load->esr >> 6 & 1, 0);
    expect_equal("target register of the load", value, 0xabcd);
    const auto store = catch_exception([&] { mmio::write32(address, 0); });
    expect_external_abort(store, "store to", address, ec_data_abort, behind);
    expect_equal("WnR of a store", store->esr >> 6 & 1, 1);
}

void nothing_there() {
    const std::uint64_t page = free_page();
    expect_unreachable(page);
    expect_unreachable(page + 0xffc);
    const auto odd = catch_exception([&] { (void)mmio::read8(page + 0x123); });
    expect_external_abort(odd, "byte load from", page + 0x123, ec_data_abort);
}

// Instructions without a valid syndrome (pairs, write-back, exclusives, DC ZVA) fare no
// differently.
void nothing_there_for_other_instructions() {
    const std::uint64_t page = free_page();
    map_window(0, page, PageKind::normal);
    const std::uint64_t address = window_address(0) + 0x40;
    const auto pair = catch_exception([&] {
        asm volatile("ldp x8, x9, [%0]" : : "r"(address) : "x8", "x9", "memory");
    });
    expect_external_abort(pair, "LDP from", address, ec_data_abort);
    std::uint64_t moving = address;
    const auto update = catch_exception([&] {
        asm volatile("ldr x8, [%0], #8" : "+r"(moving) : : "x8", "memory");
    });
    expect_external_abort(update, "LDR with write-back from", address, ec_data_abort);
    expect_equal("the base register", moving, address);
    const auto exclusive = catch_exception([&] {
        asm volatile("ldxr x8, [%0]" : : "r"(address) : "x8", "memory");
    });
    expect_external_abort(exclusive, "LDXR from", address, ec_data_abort);
    const auto zero = catch_exception([&] {
        asm volatile("dc zva, %0" : : "r"(address) : "memory");
    });
    expect(zero.has_value(), "DC ZVA is an exception");
    expect_equal("its class", zero->ec(), ec_data_abort);
}

void fetch_from_nothing() {
    const std::uint64_t page = free_page();
    map_window(0, page, PageKind::normal_executable);
    const std::uint64_t address = window_address(0) + 0x10;
    const auto taken = catch_exception(
        [&] {
            asm volatile("blr %0" : : "r"(address) : "x30", "memory");
        },
        Resume::at_caller);
    expect_external_abort(taken, "fetch from", address, ec_instruction_abort);
    expect_equal("ELR", taken->elr, address);
}

/// Gaps between this VM's pieces of RAM, and around it within its first and last 2 MiB block.
template <typename Visit>
void for_each_hole(Visit visit) {
    const auto& ram = board().ram;
    constexpr std::uint64_t gigabyte = std::uint64_t{1} << 30;
    std::uint64_t end = ram[0].base & ~(gigabyte - 1);
    for (const Range& range : ram) {
        if (range.base > end && range.base - end < gigabyte) { // else a gap between banks of RAM
            visit(Range{end, range.base - end});
        }
        end = range.end();
    }
}

// The hypervisor and the Resource Manager live in holes of /memory.
void hypervisor_memory_is_unreachable() {
    unsigned holes = 0;
    for_each_hole([&](const Range& hole) {
        ++holes;
        for (std::uint64_t at = hole.base; at < hole.end(); at += std::uint64_t{64} << 10) {
            expect_unreachable(at, Behind::perhaps_another_vm);
        }
        expect_unreachable(hole.end() - 4, Behind::perhaps_another_vm);
        const auto taken = catch_exception(
            [&] {
                asm volatile("blr %0" : : "r"(hole.base) : "x30", "memory");
            },
            Resume::at_caller);
        expect_external_abort(taken, "fetch from", hole.base, ec_instruction_abort);
    });
    expect(holes > 0, "/memory leaves out what the hypervisor keeps");
}

// No ITS is offered, and what lies between distributor and redistributors (there the ITS is, on
// QEMU's board) is not to be reached; nor are redistributors of other CPUs.
void kept_parts_of_the_gic() {
    expect(!board().has_its, "the device tree has no ITS");
    const std::uint64_t first = board().distributor.base + 0x10000;
    if (board().redistributors.base > first &&
        board().redistributors.base - first < (std::uint64_t{16} << 20)) {
        for (std::uint64_t at = first; at < board().redistributors.base; at += 0x1000) {
            if (board().is_free({at, 0x1000})) {
                expect_unreachable(at);
            }
        }
    }
    const std::uint64_t behind = board().redistributors.end();
    if (board().is_free({behind, gic::redistributor_stride})) {
        expect_unreachable(behind + gic::redistributor_typer);
        expect_unreachable(behind + 0x10000 + gic::isenabler);
    }
}

// All RAM that the device tree offers is there, to the last page.
void all_ram_is_there() {
    for (const Range& ram : board().ram) {
        for (const std::uint64_t at : {ram.base, ram.base + ram.size / 2 / 8 * 8, ram.end() - 8}) {
            const auto taken = catch_exception([&] {
                const std::uint64_t old = mmio::read64(at);
                mmio::write64(at, ~old);
                expect_equal("RAM keeps what is written", mmio::read64(at), ~old);
                mmio::write64(at, old);
            });
            if (taken) {
                fail("RAM at {x}: ESR {x}", at, taken->esr);
            }
        }
    }
}

// Stage-1 tables at an address where nothing is: an external abort on the walk, in this VM only.
void table_walk_into_nothing() {
    const std::uint64_t page = free_page();
    const std::uint64_t address = map_window_table(page);
    const auto taken = catch_exception([&] { (void)mmio::read32(address); });
    unmap_window_table();
    expect(taken.has_value(), "the access is an exception");
    expect_equal("class", taken->ec(), ec_data_abort);
    expect_equal("FAR", taken->far, address);
}

/// In a page of a device that this VM has, behind the device's last register.
std::uint64_t behind_a_device() {
    for (const Range& device : board().occupied) {
        const std::uint64_t end = (device.end() + 7) & ~std::uint64_t{7};
        const std::uint64_t page_end = (end + page_size - 1) & ~(page_size - 1);
        if (end < page_end && board().is_free({end, page_end - end})) {
            return end;
        }
    }
    skip("every device of the board ends with its page");
}

// The bus refuses an access that stage 2 lets through. With FEAT_RAS EL2 gets that abort
// (HCR_EL2.TEA) and passes it on; without it, and with QEMU, the VM has it at once.
void bus_error() {
    const std::uint64_t address = behind_a_device();
    for (unsigned times = 0; times < 3; ++times) {
        expect_unreachable(address);
    }
    const std::uint64_t page = address & ~(page_size - 1);
    map_window(0, page, PageKind::device);
    const std::uint64_t elsewhere = window_address(0) + (address - page);
    const auto pair = catch_exception([&] {
        asm volatile("ldp x8, x9, [%0]" : : "r"(elsewhere) : "x8", "x9", "memory");
    });
    expect_external_abort(pair, "LDP from", elsewhere, ec_data_abort);
}

constexpr Check checks[] = {
    {"stage2.nothing_there", nothing_there, Needs::hypervisor},
    {"stage2.nothing_there_for_other_instructions", nothing_there_for_other_instructions},
    {"stage2.fetch_from_nothing", fetch_from_nothing},
    {"stage2.hypervisor_memory_is_unreachable", hypervisor_memory_is_unreachable, Needs::hypervisor,
     60'000},
    {"stage2.kept_parts_of_the_gic", kept_parts_of_the_gic},
    {"stage2.all_ram_is_there", all_ram_is_there, Needs::nothing},
    {"stage2.table_walk_into_nothing", table_walk_into_nothing},
    {"stage2.bus_error", bus_error, Needs::nothing},
};

} // namespace

std::span<const Check> stage2_checks() {
    return checks;
}

} // namespace test
