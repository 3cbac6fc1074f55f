// SPDX-License-Identifier: BSD-3-Clause
// States and priorities of interrupts in all their combinations (IHI 0069, chapter 4): nesting,
// binary points, active and pending at once, moving, and more of them than list registers.
#include "check/tables.hpp"
#include "machine/clock.hpp"
#include "machine/cpus.hpp"
#include "machine/gic.hpp"
#include "machine/interrupts.hpp"
#include "machine/mmio.hpp"
#include "machine/sysreg.hpp"

namespace test {

namespace {

constexpr std::uint32_t spi = 42; // no devices of QEMU's board
constexpr std::uint32_t other_spi = 43;
constexpr std::uint32_t ppi = 20; // nobody's
constexpr std::uint64_t patience_ms = 2000;
constexpr std::uint64_t silence_ms = 20;

std::uint64_t self() {
    return board().mpidr[this_cpu()];
}

std::uint32_t highest_pending() {
    return static_cast<std::uint32_t>(READ_SYSREG(s3_0_c12_c12_2)); // ICC_HPPIR1_EL1
}

void acknowledge(std::uint32_t intid) {
    if (!wait_until(patience_ms, [&] { return highest_pending() == intid; })) {
        fail("interrupt {} is not signalled, but {}", intid, highest_pending());
    }
    expect_equal("acknowledged", gic::acknowledge(), intid);
}

void expect_quiet(const char* why) {
    (void)wait_until(silence_ms, [] { return false; });
    const std::uint32_t intid = gic::acknowledge();
    if (intid != gic::spurious) {
        fail("interrupt {} is signalled although {}", intid, why);
    }
}

void set_active(std::uint32_t intid) {
    mmio::write32(gic::bank(intid) + gic::isactiver + intid / 32 * 4, 1u << intid % 32);
}

void set_binary_point(std::uint64_t point) {
    WRITE_SYSREG(s3_0_c12_c12_3, point); // ICC_BPR1_EL1
    isb();
}

/// Puts back what a check changed in the CPU interface, also when it fails.
struct Interface {
    Interface() = default;
    ~Interface() {
        set_binary_point(0);
        gic::set_split_eoi(false);
        WRITE_SYSREG(s3_0_c12_c12_4, std::uint64_t{0});
        WRITE_SYSREG(s3_0_c12_c12_7, std::uint64_t{1});
        isb();
    }
    Interface(const Interface&) = delete;
    Interface& operator=(const Interface&) = delete;
};

void prepare_spi(std::uint32_t intid, bool edge, std::uint8_t priority = 0xa0) {
    gic::set_edge(intid, edge);
    allow_interrupt(intid, nullptr, priority);
}

// Deeper than there are list registers: each is preempted by the next, then they end in reverse.
void nested(bool split) {
    constexpr unsigned depth = 14;
    const MaskedInterrupts masked;
    const Interface restored;
    gic::set_split_eoi(split);
    for (unsigned n = 0; n < depth; ++n) {
        allow_interrupt(n, nullptr, static_cast<std::uint8_t>(0xf0 - n * 0x10));
    }
    for (unsigned n = 0; n < depth; ++n) {
        gic::send_sgi(n, self());
        acknowledge(n);
        expect_equal("running priority", gic::running_priority(), 0xf0 - n * 0x10);
        expect(gic::is_active(n), "it is active");
    }
    for (unsigned n = depth; n-- != 0;) {
        expect_equal("running priority", gic::running_priority(), 0xf0 - n * 0x10);
        gic::end_of_interrupt(n);
        expect(gic::is_active(n) == split, "EOIR deactivates in EOImode 0 alone");
    }
    expect_equal("running priority after all", gic::running_priority(), 0xff);
    for (unsigned n = 0; split && n < depth; ++n) { // in another order than EOIR
        gic::deactivate(n);
        expect(!gic::is_active(n), "it is not active after DIR");
    }
    for (unsigned n = 0; n < depth; ++n) {
        expect(!gic::is_active(n) && !gic::is_pending(n), "nothing of it is left");
    }
    expect_quiet("all have ended");
}

void nested_in_one_step() {
    nested(false);
}
void nested_in_two_steps() {
    nested(true);
}

// The same while each is pending again behind its active state.
void nested_and_pending_again() {
    constexpr unsigned depth = 10;
    const MaskedInterrupts masked;
    const Interface restored;
    for (unsigned n = 0; n < depth; ++n) {
        allow_interrupt(n, nullptr, static_cast<std::uint8_t>(0xf0 - n * 0x10));
    }
    for (unsigned n = 0; n < depth; ++n) {
        gic::send_sgi(n, self());
        acknowledge(n);
        gic::send_sgi(n, self());
        expect(gic::is_active(n) && gic::is_pending(n), "it is active and pending");
    }
    for (unsigned n = depth; n-- != 0;) {
        gic::end_of_interrupt(n);
        acknowledge(n); // of a higher priority than those that were preempted
        gic::end_of_interrupt(n);
    }
    expect_quiet("all have ended");
}

void binary_point() {
    const MaskedInterrupts masked;
    const Interface restored;
    set_binary_point(6); // priorities of 64 numbers are equal
    allow_interrupt(1, nullptr, 0xb0);
    allow_interrupt(2, nullptr, 0x80);
    allow_interrupt(3, nullptr, 0x70);
    gic::send_sgi(1, self());
    acknowledge(1);
    expect_equal("running priority is the group's", gic::running_priority(), 0x80);
    gic::send_sgi(2, self());
    expect_quiet("it is of the same group of priorities");
    gic::send_sgi(3, self());
    acknowledge(3);
    gic::end_of_interrupt(3);
    gic::end_of_interrupt(1);
    acknowledge(2);
    gic::end_of_interrupt(2);
}

void common_binary_point() {
    const MaskedInterrupts masked;
    const Interface restored;
    constexpr std::uint64_t cbpr = 1;
    WRITE_SYSREG(s3_0_c12_c12_4, cbpr);            // ICC_CTLR_EL1
    WRITE_SYSREG(s3_0_c12_c8_3, std::uint64_t{6}); // ICC_BPR0_EL1: preemption by bit 7 alone
    isb();
    allow_interrupt(1, nullptr, 0xc0);
    allow_interrupt(2, nullptr, 0x80);
    allow_interrupt(3, nullptr, 0x40);
    gic::send_sgi(1, self());
    acknowledge(1);
    gic::send_sgi(2, self());
    expect_quiet("ICC_BPR0_EL1 makes them equals");
    gic::send_sgi(3, self());
    acknowledge(3);
    gic::end_of_interrupt(3);
    gic::end_of_interrupt(1);
    acknowledge(2);
    gic::end_of_interrupt(2);
    WRITE_SYSREG(s3_0_c12_c8_3, std::uint64_t{0});
    isb();
}

void active_by_register() {
    const MaskedInterrupts masked;
    prepare_spi(spi, true);
    set_active(spi);
    gic::set_pending(spi);
    expect(gic::is_active(spi) && gic::is_pending(spi), "it is active and pending");
    expect_quiet("it is active");
    expect_equal("running priority", gic::running_priority(), 0xff);
    gic::clear_active(spi);
    acknowledge(spi);
    gic::end_of_interrupt(spi);
    set_active(5); // an SGI likewise
    allow_interrupt(5);
    gic::send_sgi(5, self());
    expect_quiet("it is active");
    gic::clear_active(5);
    acknowledge(5);
    gic::end_of_interrupt(5);
}

// ICACTIVER in the midst of its handling: the priority stays until EOIR.
void deactivated_by_register() {
    const MaskedInterrupts masked;
    prepare_spi(spi, true);
    gic::set_pending(spi);
    acknowledge(spi);
    gic::clear_active(spi);
    expect(!gic::is_active(spi), "it is not active after ICACTIVER");
    expect_equal("running priority", gic::running_priority(), 0xa0);
    gic::end_of_interrupt(spi);
    expect_equal("running priority after EOIR", gic::running_priority(), 0xff);
    gic::set_pending(spi);
    acknowledge(spi);
    gic::end_of_interrupt(spi);
}

void edge_again_while_active() {
    const MaskedInterrupts masked;
    prepare_spi(spi, true);
    gic::set_pending(spi);
    acknowledge(spi);
    gic::set_pending(spi);
    expect(gic::is_active(spi) && gic::is_pending(spi), "it is active and pending");
    expect_quiet("it is active");
    gic::end_of_interrupt(spi);
    acknowledge(spi);
    gic::end_of_interrupt(spi);
    expect_quiet("two edges are two interrupts");
}

// A level-triggered SPI without a line, made pending by ISPENDR: once.
void level_by_register() {
    const MaskedInterrupts masked;
    prepare_spi(spi, false);
    gic::set_pending(spi);
    acknowledge(spi);
    expect(!gic::is_pending(spi), "the acknowledge takes what ISPENDR has set");
    gic::end_of_interrupt(spi);
    expect_quiet("it was pending once");
}

void private_by_register() {
    const MaskedInterrupts masked;
    for (const std::uint32_t intid : {ppi, std::uint32_t{9}}) {
        allow_interrupt(intid);
        gic::set_pending(intid);
        expect(gic::is_pending(intid), "it is pending after ISPENDR");
        acknowledge(intid);
        expect(gic::is_active(intid) && !gic::is_pending(intid), "then it is active");
        gic::end_of_interrupt(intid);
        gic::set_pending(intid);
        gic::clear_pending(intid);
        expect_quiet("ICPENDR took it back");
    }
}

void disabled_while_pending() {
    const MaskedInterrupts masked;
    prepare_spi(spi, true);
    gic::set_pending(spi);
    expect(wait_until(patience_ms, [] { return highest_pending() == spi; }), "it is signalled");
    gic::disable(spi);
    expect_quiet("it was disabled");
    expect(gic::is_pending(spi), "it stays pending");
    gic::enable(spi);
    acknowledge(spi);
    gic::disable(spi); // while active: no effect on that
    expect(gic::is_active(spi), "it is active");
    gic::end_of_interrupt(spi);
    expect(!gic::is_active(spi), "it is not active after EOIR");
}

void priority_changes_while_pending() {
    const MaskedInterrupts masked;
    prepare_spi(spi, true, 0xc0);
    prepare_spi(other_spi, true, 0xb0);
    gic::set_pending(spi);
    gic::set_pending(other_spi);
    expect(wait_until(patience_ms, [] { return highest_pending() == other_spi; }),
           "the more urgent one is first");
    gic::set_priority(spi, 0x40);
    acknowledge(spi);
    gic::end_of_interrupt(spi);
    acknowledge(other_spi);
    gic::end_of_interrupt(other_spi);
}

// GICD_IROUTER moves what is pending already.
void pending_is_rerouted() {
    turn_on(1);
    {
        const MaskedInterrupts masked;
        prepare_spi(spi, true);
        gic::set_pending(spi);
        expect(wait_until(patience_ms, [] { return highest_pending() == spi; }), "it is signalled");
        gic::route(spi, board().mpidr[1]);
        const bool came = wait_until(patience_ms, [] { return interrupt_count_on(1, spi) == 1; });
        expect(came, "it arrives on the other CPU");
        expect_quiet("it went to the other CPU");
    }
    expect_equal("on CPU 0", interrupt_count_on(0, spi), 0);
}

// An active interrupt stays with whom has acknowledged it; its next edge goes to the new CPU.
void active_stays_where_it_is() {
    turn_on(1);
    const MaskedInterrupts masked;
    prepare_spi(spi, true);
    gic::set_pending(spi);
    acknowledge(spi);
    gic::route(spi, board().mpidr[1]);
    gic::set_pending(spi);
    (void)wait_until(silence_ms, [] { return false; });
    expect_equal("on CPU 1 while active here", interrupt_count_on(1, spi), 0);
    gic::end_of_interrupt(spi);
    const bool came = wait_until(patience_ms, [] { return interrupt_count_on(1, spi) == 1; });
    expect(came, "then it arrives on the other CPU");
}

void interface_off() {
    const MaskedInterrupts masked;
    const Interface restored;
    WRITE_SYSREG(s3_0_c12_c12_7, std::uint64_t{0}); // ICC_IGRPEN1_EL1
    isb();
    allow_interrupt(3);
    gic::send_sgi(3, self());
    expect_quiet("the interface's group is off");
    expect(gic::is_pending(3), "it is pending");
    WRITE_SYSREG(s3_0_c12_c12_7, std::uint64_t{1});
    isb();
    acknowledge(3);
    gic::end_of_interrupt(3);
}

void senseless_ends() {
    const MaskedInterrupts masked;
    const Interface restored;
    for (const std::uint32_t intid : {1020u, 1021u, 1022u, 1023u}) {
        gic::end_of_interrupt(intid);
    }
    gic::set_split_eoi(true);
    for (const std::uint32_t intid : {0u, 20u, 42u, 500u, 1019u, 1023u, 8192u}) {
        gic::deactivate(intid);
    }
    gic::set_split_eoi(false);
    expect_equal("running priority", gic::running_priority(), 0xff);
    allow_interrupt(3);
    gic::send_sgi(3, self());
    acknowledge(3);
    gic::end_of_interrupt(3);
}

/// Group 0 on in distributor and CPU interface, until the end of the scope.
struct Group0 {
    Group0() { set(1u << 4 | 3); }
    ~Group0() {
        WRITE_SYSREG(s3_0_c12_c8_3, std::uint64_t{0}); // ICC_BPR0_EL1
        set(1u << 4 | 2);
    }
    Group0(const Group0&) = delete;
    Group0& operator=(const Group0&) = delete;

private:
    static void set(std::uint32_t control) {
        mmio::write32(gic::distributor() + gic::ctlr, control);
        WRITE_SYSREG(s3_0_c12_c12_6, std::uint64_t{control & 1}); // ICC_IGRPEN0_EL1
        isb();
    }
};

void set_group(std::uint32_t intid, bool one) {
    const std::uint64_t address = gic::bank(intid) + gic::igroupr + intid / 32 * 4;
    const std::uint32_t bit = 1u << intid % 32;
    const std::uint32_t others = mmio::read32(address) & ~bit;
    mmio::write32(address, others | (one ? bit : 0));
    expect_equal("IGROUPR", mmio::read32(address), others | (one ? bit : 0));
}

std::uint32_t acknowledge_group0() {
    (void)wait_until(silence_ms, [] { return READ_SYSREG(s3_0_c12_c8_2) != gic::spurious; });
    const auto intid = static_cast<std::uint32_t>(READ_SYSREG(s3_0_c12_c8_0)); // ICC_IAR0_EL1
    dsb();
    return intid;
}

void end_group0(std::uint32_t intid) {
    WRITE_SYSREG(s3_0_c12_c8_1, std::uint64_t{intid}); // ICC_EOIR0_EL1
    isb();
}

// An interrupt in Group 0 is an FIQ, by other registers, under enables of its own.
void group0_spi() {
    const MaskedInterrupts masked;
    const Group0 enabled;
    prepare_spi(spi, true);
    set_group(spi, false);
    gic::set_pending(spi);
    (void)wait_until(silence_ms, [] { return false; });
    expect_equal("ICC_IAR1_EL1", gic::acknowledge(), gic::spurious);
    expect_equal("ICC_IAR0_EL1", acknowledge_group0(), spi);
    expect_equal("running priority", gic::running_priority(), 0xa0);
    prepare_spi(other_spi, true, 0x40); // of Group 1, more urgent
    gic::set_pending(other_spi);
    acknowledge(other_spi);
    gic::end_of_interrupt(other_spi);
    end_group0(spi);
    expect(!gic::is_active(spi), "it is not active after EOIR0");
    mmio::write32(gic::distributor() + gic::ctlr, 1u << 4 | 2); // Group 1 alone
    gic::set_pending(spi);
    expect_equal("with its group off", acknowledge_group0(), gic::spurious);
    set_group(spi, true); // moves to the other group while it is pending
    acknowledge(spi);
    gic::end_of_interrupt(spi);
}

void group0_sgi() {
    const MaskedInterrupts masked;
    const Group0 enabled;
    allow_interrupt(4);
    set_group(4, false);
    gic::send_sgi(4, self()); // by ICC_SGI1R_EL1: not for Group 0
    expect_equal("ICC_SGI1R_EL1 and Group 0", acknowledge_group0(), gic::spurious);
    dsb();
    WRITE_SYSREG(s3_0_c12_c11_7, std::uint64_t{4} << 24 | std::uint64_t{1} << (self() & 0xf));
    isb();
    expect_equal("by ICC_SGI0R_EL1", acknowledge_group0(), 4);
    end_group0(4);
    set_group(4, true);
    expect_quiet("it was ended");
}

void routes_by_halves() {
    const std::uint64_t address = gic::distributor() + gic::irouter + spi * 8;
    mmio::write64(address, 0);
    mmio::write32(address, 0x00'03'02'01);
    mmio::write32(address + 4, 0x04);
    expect_equal("GICD_IROUTER", mmio::read64(address), 0x04'00'03'02'01);
    expect_equal("upper half", mmio::read32(address + 4), 0x04);
    if (has_hypervisor()) { // QEMU keeps them
        mmio::write64(address, ~std::uint64_t{0});
        expect_equal("reserved bits, and no 1 of N", mmio::read64(address), 0xff'00ff'ffff);
    }
    mmio::write64(address, self());
}

void priorities_of_private_interrupts() {
    const std::uint64_t address = gic::redistributor(0) + 0x10000 + gic::ipriorityr;
    for (unsigned n = 0; n < 32; ++n) {
        mmio::write8(address + n, static_cast<std::uint8_t>(n * 8));
    }
    for (unsigned n = 0; n < 32; n += 4) {
        expect_equal("four of them", mmio::read32(address + n),
                     0x18100800u + 0x20202020u * (n / 4));
    }
    expect_equal("GICD_IPRIORITYR0 is reserved", mmio::read32(gic::distributor() + gic::ipriorityr),
                 0);
}

constexpr Check checks[] = {
    {"state.nested_in_one_step", nested_in_one_step, Needs::nothing},
    {"state.nested_in_two_steps", nested_in_two_steps, Needs::nothing},
    {"state.nested_and_pending_again", nested_and_pending_again, Needs::nothing},
    {"state.binary_point", binary_point, Needs::nothing},
    {"state.common_binary_point", common_binary_point, Needs::nothing},
    {"state.active_by_register", active_by_register, Needs::nothing},
    {"state.deactivated_by_register", deactivated_by_register, Needs::nothing},
    {"state.edge_again_while_active", edge_again_while_active, Needs::nothing},
    {"state.level_by_register", level_by_register, Needs::nothing},
    {"state.private_by_register", private_by_register, Needs::nothing},
    {"state.disabled_while_pending", disabled_while_pending, Needs::nothing},
    {"state.priority_changes_while_pending", priority_changes_while_pending, Needs::nothing},
    {"state.pending_is_rerouted", pending_is_rerouted, Needs::smp},
    {"state.active_stays_where_it_is", active_stays_where_it_is, Needs::smp},
    {"state.interface_off", interface_off, Needs::nothing},
    {"state.senseless_ends", senseless_ends, Needs::nothing},
    {"state.group0_spi", group0_spi, Needs::nothing},
    {"state.group0_sgi", group0_sgi, Needs::nothing},
    {"state.routes_by_halves", routes_by_halves, Needs::nothing},
    {"state.priorities_of_private_interrupts", priorities_of_private_interrupts, Needs::nothing},
};

} // namespace

std::span<const Check> gic_state_checks() {
    return checks;
}

} // namespace test
