// SPDX-License-Identifier: BSD-3-Clause
// One mailbox per CPU: the main CPU writes a function, the other runs it and says done.
#include "machine/cpus.hpp"

#include "calls/psci.hpp"
#include "check/check.hpp"
#include "machine/clock.hpp"
#include "machine/gic.hpp"
#include "machine/page_tables.hpp"
#include "machine/sysreg.hpp"

#include <algorithm>
#include <array>
#include <atomic>

extern "C" const char secondary_entry[];

namespace test {

namespace {

enum class State : std::uint32_t { off, idle, busy, done, leaving };

struct alignas(64) Mailbox {
    std::atomic<State> state;
    CpuFunction function;
    std::uint64_t argument;
    std::uint64_t result;
};

constexpr std::size_t stack_size = 16384;
struct alignas(4096) Stack {
    std::array<std::byte, stack_size> bytes;
};

constinit std::array<Mailbox, max_cpus> mailboxes{};
constinit std::array<Stack, max_cpus> stacks{};
struct alignas(64) AlignedStart {
    CpuStart start;
};
constinit std::array<AlignedStart, max_cpus> starts{};

struct Lost {
    std::atomic<bool> present;
    std::array<char, 300> text;
    std::size_t length;
};
constinit Lost lost{};

void serve(Mailbox& mailbox) {
    mailbox.state = State::idle;
    for (;;) {
        const State state = mailbox.state;
        if (state == State::busy) {
            mailbox.result = mailbox.function(mailbox.argument);
            mailbox.state = State::done;
        } else if (state == State::leaving) {
            mask_interrupts();
            mailbox.state = State::off;
            psci::cpu_off();
        }
        asm volatile("yield");
    }
}

/// Fails the check with a CPU's own reason if it left one.
[[noreturn]] void fail_for(unsigned cpu, const char* what) {
    const std::string_view reason = failure_of_other_cpu();
    fail("CPU {}: {}{}{}", cpu, what, reason.empty() ? "" : ": ", reason);
}

} // namespace

extern "C" void start_secondary(CpuStart* start) {
    enable_mmu();
    gic::init_cpu();
    unmask_interrupts();
    serve(mailboxes[start->index]);
}

unsigned cpu_count() {
    return static_cast<unsigned>(board().mpidr.size());
}

unsigned this_cpu() {
    constexpr std::uint64_t affinity = 0xff00ffffff;
    const std::uint64_t mine = READ_SYSREG(mpidr_el1) & affinity;
    for (unsigned i = 0; i < cpu_count(); ++i) {
        if (board().mpidr[i] == mine) {
            return i;
        }
    }
    return 0;
}

std::uint64_t cpu_entry_point() {
    return reinterpret_cast<std::uint64_t>(secondary_entry);
}

std::uint64_t cpu_context(unsigned cpu) {
    return reinterpret_cast<std::uint64_t>(&starts[cpu].start);
}

CpuStart cpu_start_record(unsigned cpu) {
    clean_invalidate(&starts[cpu], sizeof starts[cpu]);
    return starts[cpu].start;
}

void turn_on(unsigned cpu) {
    Mailbox& mailbox = mailboxes[cpu];
    if (mailbox.state != State::off) {
        return;
    }
    // The CPU starts with its MMU off and must find all this in memory.
    const auto stack = reinterpret_cast<std::uint64_t>(&stacks[cpu]);
    starts[cpu].start = {stack + stack_size, cpu, 0, 0, 0, 0};
    clean_invalidate(&stacks[cpu], stack_size);
    clean_invalidate(&starts[cpu], sizeof starts[cpu]);
    std::int64_t result = 0;
    const bool accepted = wait_until(2000, [&] { // it may still be on its way off
        result = psci::cpu_on(board().mpidr[cpu], cpu_entry_point(), cpu_context(cpu));
        return result != psci::already_on;
    });
    if (!accepted || result != psci::success) {
        fail("CPU_ON of CPU {} gave {}", cpu, result);
    }
    if (!wait_until(3000, [&] { return mailbox.state == State::idle; })) {
        fail_for(cpu, "did not come up");
    }
}

void turn_off(unsigned cpu) {
    Mailbox& mailbox = mailboxes[cpu];
    if (mailbox.state == State::off) {
        return;
    }
    mailbox.state = State::leaving;
    const bool off = wait_until(3000, [&] {
        return mailbox.state == State::off &&
               psci::affinity_info(board().mpidr[cpu], 0) == psci::affinity_off;
    });
    if (!off) {
        fail_for(cpu, "did not turn off");
    }
}

void start_on(unsigned cpu, CpuFunction function, std::uint64_t argument) {
    turn_on(cpu);
    Mailbox& mailbox = mailboxes[cpu];
    if (mailbox.state == State::busy) { // of a check that was abandoned
        fail_for(cpu, "is still busy with an earlier check");
    }
    mailbox.function = function;
    mailbox.argument = argument;
    mailbox.state = State::busy;
}

std::uint64_t wait_for(unsigned cpu, std::uint64_t ms) {
    Mailbox& mailbox = mailboxes[cpu];
    const bool done = wait_until(ms, [&] { return mailbox.state != State::busy; });
    if (!done || mailbox.state != State::done) {
        fail_for(cpu, "its part of the check did not end");
    }
    return mailbox.result;
}

void leave_failure_and_turn_off(std::string_view reason) {
    lost.length = std::min(reason.size(), lost.text.size());
    std::copy_n(reason.begin(), lost.length, lost.text.begin());
    lost.present = true;
    mailboxes[this_cpu()].state = State::off;
    psci::cpu_off();
}

std::string_view failure_of_other_cpu() {
    if (!lost.present) {
        return {};
    }
    lost.present = false;
    return {lost.text.data(), lost.length};
}

void power_off() {
    psci::system_off();
}

} // namespace test
