// SPDX-License-Identifier: BSD-3-Clause
// The program inside the created VM: signals, does what its mailbox says, signals again.
#include "machine/mmio.hpp"
#include "machine/sysreg.hpp"
#include "vm/program/operations.hpp"

#include <runtime/panic.hpp>

extern "C" const char secondary_start[];

namespace test {

namespace {

unsigned this_vcpu() {
    return static_cast<unsigned>(READ_SYSREG(mpidr_el1) & 0xff) % guest_cpus;
}

Mailbox& own_mailbox() {
    return *reinterpret_cast<Mailbox*>(guest_ram_base + guest_mailboxes + this_vcpu() * 4096ULL);
}

} // namespace

/// Called by the vectors; returns where to go on. Interrupts stay masked: these are synchronous.
extern "C" std::uint64_t program_exception(std::uint64_t link) {
    constexpr std::uint64_t ec_instruction_abort = 0x21;
    Mailbox& mailbox = own_mailbox();
    mailbox.exceptions = mailbox.exceptions + 1;
    mailbox.esr = READ_SYSREG(esr_el1);
    mailbox.elr = READ_SYSREG(elr_el1);
    mailbox.far = READ_SYSREG(far_el1);
    return mailbox.esr >> 26 == ec_instruction_abort ? link : mailbox.elr + 4;
}

extern "C" [[noreturn]] void program_main(std::uint64_t x0, std::uint64_t daif,
                                          std::uint64_t sctlr) {
    Mailbox& mailbox = own_mailbox();
    mailbox.entry_x0 = x0;
    mailbox.entry_el = READ_SYSREG(currentel);
    mailbox.entry_daif = daif;
    mailbox.entry_sctlr = sctlr;
    mailbox.secondary_entry = reinterpret_cast<std::uint64_t>(secondary_start);
    for (;;) {
        const std::uint64_t signal = guest_signal + this_vcpu() * guest_signal_stride;
        dsb();
        mmio::write64(signal, mailbox.operations);
        perform(mailbox, this_vcpu());
        mailbox.operations = mailbox.operations + 1;
    }
}

} // namespace test

/// Shows as an access to an address that the checks do not know.
void rt::panic(const char*) {
    for (;;) {
        test::mmio::write32(test::guest_signal + 0xf00000, 0);
    }
}
