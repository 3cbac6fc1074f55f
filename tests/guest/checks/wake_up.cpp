// SPDX-License-Identifier: BSD-3-Clause
// How late an idle vCPU of the created VM wakes by its own timer, while the program sleeps until
// its wake-up interrupt.
#include "check/tables.hpp"
#include "machine/clock.hpp"
#include "machine/interrupts.hpp"
#include "machine/uart.hpp"
#include "vm/guest.hpp"

#include <algorithm>
#include <array>

namespace test {

namespace {

constexpr std::uint64_t tick_ms = 4; // of a Linux with HZ=250, as Debian's is

/// Ticks from the timer's time to the vCPU's next instruction.
std::uint64_t lateness(bool is_physical, std::uint64_t ahead) {
    const std::uint32_t irq = guest().wakeup_irq(0);
    const std::uint64_t ppi = is_physical ? 30 : 27;
    const Mailbox& armed =
        guest().execute(0, Operation::start_timer, {ahead, is_physical ? 1ULL : 0ULL});
    const std::uint64_t at = armed.result[0];
    guest().prepare(0, Operation::sleep);
    const std::uint32_t seen = interrupt_count(irq);
    VcpuExit exit = guest().run(0);
    if (exit.state == GH_VCPU_STATE_EXPECTS_WAKEUP) {
        expect(wait_for_count(irq, seen, 3000), "the timer raises the wake-up interrupt");
        exit = guest().run(0);
    }
    expect_equal("state", exit.state, GH_VCPU_STATE_VMMIO_WRITE);
    const std::uint64_t woken = guest().mailbox(0).result[1];
    expect(woken >= at, "it does not wake before its time");
    expect_equal("its interrupt", guest().execute(0, Operation::gic_acknowledge).result[0], ppi);
    guest().execute(0, Operation::stop_timer);
    guest().execute(0, Operation::gic_end, {ppi});
    return woken - at;
}

/// No later than one tick. On a busy computer most rounds measure that computer: then the best
/// quarter counts, but where QEMU counts instructions (boot argument "exact") each of them.
void by_timer(bool is_physical) {
    guest().create_and_boot();
    guest().execute(0, Operation::gic_begin);
    guest().execute(0, Operation::gic_enable, {is_physical ? 30ULL : 27ULL});
    std::array<std::uint64_t, 20> late{};
    for (std::uint64_t round = 0; round < late.size(); ++round) {
        late[round] = lateness(is_physical, ticks_of_ms(1) / 4 * (round + 1));
    }
    guest().finish();
    std::ranges::sort(late);
    const auto us = [](std::uint64_t ticks) { return ticks * 1000 / ticks_of_ms(1); };
    rt::print(uart(), "{} timer: an idle vCPU wakes {} us late, at most {} us\n",
              is_physical ? "physical" : "virtual", us(late[late.size() / 4]), us(late.back()));
    const bool exact = board().has_argument("exact");
    const std::uint64_t counted = exact ? late.back() : late[late.size() / 4];
    expect(counted <= ticks_of_ms(tick_ms), "it wakes within one tick");
}

constexpr Check checks[] = {
    {"wake_up.by_virtual_timer", [] { by_timer(false); }},
    {"wake_up.by_physical_timer", [] { by_timer(true); }},
};

} // namespace

std::span<const Check> wake_up_checks() {
    return checks;
}

} // namespace test
