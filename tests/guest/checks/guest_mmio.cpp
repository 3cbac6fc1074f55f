// SPDX-License-Identifier: BSD-3-Clause
// MMIO exits of the created VM: addresses, sizes and values in both directions, and accesses that
// are none.
#include "check/tables.hpp"
#include "machine/exceptions.hpp"
#include "machine/sysreg.hpp"
#include "vm/guest.hpp"

namespace test {

namespace {

constexpr std::uint64_t device = 0x0a000000; // behind it is nothing but this program

struct LoadCase {
    AccessKind kind;
    unsigned size;
    std::uint64_t supplied;
    std::uint64_t expected;
};

constexpr LoadCase loads[] = {
    {AccessKind::byte_w, 1, 0x123456789abcdef8, 0xf8},
    {AccessKind::half_w, 2, 0x123456789abcdef8, 0xdef8},
    {AccessKind::word_w, 4, 0x123456789abcdef8, 0x9abcdef8},
    {AccessKind::double_x, 8, 0x923456789abcdef8, 0x923456789abcdef8},
    {AccessKind::signed_byte_w, 1, 0x80, 0xffffff80},
    {AccessKind::signed_byte_w, 1, 0x17f, 0x7f},
    {AccessKind::signed_byte_x, 1, 0x80, 0xffffffffffffff80},
    {AccessKind::signed_half_w, 2, 0x8001, 0xffff8001},
    {AccessKind::signed_half_x, 2, 0x8001, 0xffffffffffff8001},
    {AccessKind::signed_half_x, 2, 0x17fff, 0x7fff},
    {AccessKind::signed_word_x, 4, 0x80000001, 0xffffffff80000001},
    {AccessKind::signed_word_x, 4, 0x17fffffff, 0x7fffffff},
};

void mmio_reads() {
    guest().create_and_boot();
    std::uint64_t address = device;
    for (const LoadCase& load : loads) {
        address += 8;
        guest().prepare(0, Operation::load, {address, static_cast<std::uint64_t>(load.kind)});
        const VcpuExit exit = guest().run(0);
        expect_state(exit, GH_VCPU_STATE_VMMIO_READ);
        expect_equal("IPA", exit.data[0], address);
        expect_equal("size", exit.data[1], load.size);
        expect_equal("data 3", exit.data[2], 0);
        guest().run_to_signal(0, load.supplied);
        if (const std::uint64_t got = guest().mailbox(0).result[0]; got != load.expected) {
            fail("load of kind {} of {x}: got {x}, expected {x}", load.kind, load.supplied, got,
                 load.expected);
        }
    }
    guest().finish();
}

void mmio_read_to_zero_register() {
    guest().create_and_boot();
    guest().prepare(0, Operation::load,
                    {device, static_cast<std::uint64_t>(AccessKind::zero_register)});
    expect_state(guest().run(0), GH_VCPU_STATE_VMMIO_READ);
    guest().run_to_signal(0, 0x1234);
    expect_equal("another register", guest().mailbox(0).result[0], 0x5555'5555'5555'5555);
    guest().finish();
}

struct StoreCase {
    AccessKind kind;
    unsigned size;
    std::uint64_t expected;
};

constexpr std::uint64_t stored = 0xfedc'ba98'7654'3210;
constexpr StoreCase stores[] = {
    {AccessKind::byte_w, 1, 0x10},       {AccessKind::half_w, 2, 0x3210},
    {AccessKind::word_w, 4, 0x76543210}, {AccessKind::double_x, 8, stored},
    {AccessKind::zero_register, 4, 0},
};

void mmio_writes() {
    guest().create_and_boot();
    std::uint64_t address = device;
    for (const StoreCase& store : stores) {
        address += 16;
        guest().prepare(0, Operation::store,
                        {address, static_cast<std::uint64_t>(store.kind), stored});
        const VcpuExit exit = guest().run(0);
        expect_state(exit, GH_VCPU_STATE_VMMIO_WRITE);
        expect_equal("IPA", exit.data[0], address);
        expect_equal("size", exit.data[1], store.size);
        expect_equal("value", exit.data[2], store.expected);
        guest().run_to_signal(0);
    }
    guest().finish();
}

// The last byte below 1 GiB is VMMIO, the first above is not; misaligned and odd addresses arrive.
void mmio_addresses() {
    guest().create_and_boot();
    for (const std::uint64_t address :
         {std::uint64_t{0}, std::uint64_t{0x3ff7fffc}, std::uint64_t{0x10000},
          std::uint64_t{0x3fff0000 - 0x50000}, std::uint64_t{0x2ffffffc}}) {
        guest().prepare(0, Operation::load,
                        {address, static_cast<std::uint64_t>(AccessKind::word_w)});
        const VcpuExit exit = guest().run(0);
        expect_state(exit, GH_VCPU_STATE_VMMIO_READ);
        expect_equal("IPA", exit.data[0], address);
        guest().run_to_signal(0, 1);
    }
    guest().finish();
}

// Unmapped above 1 GiB: an external abort in the VM, and it goes on.
void unmapped_memory() {
    guest().create_and_boot();
    std::uint64_t count = 0;
    for (const std::uint64_t address :
         {std::uint64_t{0x40000000}, guest_ram_base - 4, guest_ram_base + guest_ram_size,
          std::uint64_t{0x1'0000'0000}, std::uint64_t{0x10'0000'0000}}) {
        const Mailbox& box = guest().execute(
            0, Operation::load, {address, static_cast<std::uint64_t>(AccessKind::word_w)});
        expect_equal("exceptions", box.exceptions, ++count);
        expect_equal("class", box.esr >> 26, ec_data_abort);
        expect_equal("fault", box.esr & 0x3f, fsc_external);
        expect_equal("FAR", box.far, address);
    }
    const Mailbox& box = guest().execute(0, Operation::fetch, {0x40000000});
    expect_equal("exceptions", box.exceptions, ++count);
    expect_equal("class", box.esr >> 26, ec_instruction_abort);
    expect_equal("FAR", box.far, 0x40000000);
    guest().finish();
}

// No syndrome, no emulation: the VM gets an external abort, not a wrong value.
void mmio_without_syndrome() {
    guest().create_and_boot();
    std::uint64_t count = 0;
    for (const AccessKind kind : {AccessKind::pair, AccessKind::post_indexed, AccessKind::simd,
                                  AccessKind::exclusive, AccessKind::acquire_pair}) {
        const Mailbox& box =
            guest().execute(0, Operation::load, {device, static_cast<std::uint64_t>(kind)});
        expect_equal("exceptions", box.exceptions, ++count);
        expect_equal("class", box.esr >> 26, ec_data_abort);
        expect_equal("FAR", box.far, device);
    }
    // Nor does the VMM serve instructions.
    const Mailbox& box = guest().execute(0, Operation::fetch, {device});
    expect_equal("exceptions", box.exceptions, ++count);
    expect_equal("class", box.esr >> 26, ec_instruction_abort);
    expect_equal("FAR", box.far, device);
    guest().finish();
}

/// What an access that nobody can serve comes to in the VM.
enum class Outcome { external_abort, external_abort_or_nothing, nothing, unknown };

void expect_outcome(const Mailbox& box, std::uint64_t before, std::uint64_t address,
                    Outcome outcome) {
    const bool nothing =
        outcome == Outcome::nothing ||
        (outcome == Outcome::external_abort_or_nothing && box.exceptions == before);
    expect_equal("exceptions", box.exceptions, before + (nothing ? 0 : 1));
    if (outcome == Outcome::unknown) {
        expect_equal("class", box.esr >> 26, ec_unknown);
    } else if (!nothing) {
        expect_equal("class", box.esr >> 26, ec_data_abort);
        expect_equal("fault", box.esr & 0x3f, fsc_external);
        expect_equal("FAR", box.far, address);
    }
}

// Atomics, exclusives and cache maintenance by address, on registers of a VMM's and an emulated
// device and where nothing is: the VM alone has the consequences, and goes on.
void odd_accesses() {
    const bool has_lse = (READ_SYSREG(id_aa64isar0_el1) >> 20 & 0xf) >= 2;
    const Outcome atomic = has_lse ? Outcome::external_abort : Outcome::unknown;
    struct Odd {
        AccessKind kind;
        Outcome outcome;
    };
    const Odd odd[] = {
        {AccessKind::store_exclusive, Outcome::external_abort_or_nothing}, // without the monitor
        {AccessKind::atomic_add, atomic},
        {AccessKind::compare_swap, atomic},
        {AccessKind::cache_clean, Outcome::external_abort_or_nothing}, // QEMU does nothing
        {AccessKind::cache_zero, Outcome::external_abort},
        {AccessKind::code_invalidate, Outcome::external_abort_or_nothing},
        {AccessKind::prefetch, Outcome::nothing},
    };
    guest().create_and_boot();
    for (const std::uint64_t address : {device, std::uint64_t{0x40000000}, guest_distributor}) {
        for (const Odd& access : odd) {
            const std::uint64_t before = guest().mailbox(0).exceptions;
            const Mailbox& box = guest().execute(
                0, Operation::load, {address, static_cast<std::uint64_t>(access.kind)});
            expect_outcome(box, before, address, access.outcome);
        }
    }
    guest().finish();
}

// A device's registers in the VM are device memory, for its MMU is off: its own alignment fault. On
// hardware (and with a QEMU) that lets it through, it comes to the VMM as it is.
void unaligned() {
    guest().create_and_boot();
    constexpr std::uint64_t address = device + 2;
    guest().prepare(0, Operation::load, {address, static_cast<std::uint64_t>(AccessKind::word_w)});
    const VcpuExit exit = guest().run(0);
    if (exit.state == GH_VCPU_STATE_VMMIO_READ) {
        expect_equal("IPA", exit.data[0], address);
        expect_equal("size", exit.data[1], 4);
        guest().run_to_signal(0, 0x12345678);
        expect_equal("value", guest().mailbox(0).result[0], 0x12345678);
    } else {
        const Mailbox& box = guest().mailbox(0);
        expect_equal("class", box.esr >> 26, ec_data_abort);
        expect_equal("fault", box.esr & 0x3f, fsc_alignment);
        expect_equal("FAR", box.far, address);
    }
    guest().finish();
}

constexpr Check checks[] = {
    {"run.mmio_reads", mmio_reads},
    {"run.mmio_read_to_zero_register", mmio_read_to_zero_register},
    {"run.mmio_writes", mmio_writes},
    {"run.mmio_addresses", mmio_addresses},
    {"run.unmapped_memory", unmapped_memory},
    {"run.mmio_without_syndrome", mmio_without_syndrome},
    {"run.odd_accesses", odd_accesses},
    {"run.mmio_unaligned", unaligned},
};

} // namespace

std::span<const Check> guest_mmio_checks() {
    return checks;
}

} // namespace test
