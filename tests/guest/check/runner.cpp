// SPDX-License-Identifier: BSD-3-Clause
// Runs the checks one after the other, each from the same state, and reports.
#include "check/check.hpp"

#include "check/tables.hpp"
#include "check/watchdog.hpp"
#include "machine/clock.hpp"
#include "machine/cpus.hpp"
#include "machine/interrupts.hpp"
#include "machine/page_tables.hpp"
#include "machine/sysreg.hpp"
#include "machine/timer.hpp"
#include "machine/uart.hpp"

#include <array>

extern "C" {
[[gnu::returns_twice]] int save_context(std::uint64_t* context);
[[noreturn]] void restore_context(std::uint64_t* context);
}

namespace test {

namespace {

enum class Outcome { passed, failed, skipped };

struct Running {
    std::array<std::uint64_t, 13> context{};
    Outcome outcome = Outcome::passed;
    std::array<char, 400> reason{};
    std::size_t reason_length = 0;
    bool inside = false; // a check runs
};

constinit Running running;

struct Totals {
    unsigned passed = 0;
    unsigned failed = 0;
    unsigned skipped = 0;
};

[[noreturn]] void leave(Outcome outcome) {
    mask_interrupts();
    running.outcome = outcome;
    if (!running.inside) { // between checks: nothing to go back to
        rt::print(uart(), "FAIL runner: {}\n",
                  std::string_view(running.reason.data(), running.reason_length));
        power_off();
    }
    restore_context(running.context.data());
}

const char* missing(const Check& check) {
    const bool smp = check.needs == Needs::smp || check.needs == Needs::hypervisor_smp;
    const bool hypervisor =
        check.needs == Needs::hypervisor || check.needs == Needs::hypervisor_smp;
    if (hypervisor && !has_hypervisor()) {
        return "no hypervisor (boot argument \"bare\")";
    }
    return smp && cpu_count() < 2 ? "only one CPU" : nullptr;
}

void reset_machine() {
    virtual_timer().stop();
    physical_timer().stop();
    for (unsigned i = 0; i < window_pages; ++i) {
        unmap_window(i);
    }
    reset_interrupts();
}

/// A volatile barrier around save_context: nothing of the caller lives in registers across it.
[[gnu::noinline]] void run_one(const Check& check) {
    running.outcome = Outcome::passed;
    running.inside = true;
    if (save_context(running.context.data()) == 0) {
        if (const char* reason = missing(check)) {
            skip(reason);
        }
        reset_machine();
        start_watchdog(check.limit_ms);
        unmask_interrupts();
        check.run();
        if (const auto lost = failure_of_other_cpu(); !lost.empty()) {
            fail("on another CPU: {}", lost);
        }
    }
    mask_interrupts();
    stop_watchdog();
    running.inside = false;
}

void report(const Check& check, Totals& totals) {
    // A line of its own even if somebody else was in the middle of one.
    const std::string_view reason(running.reason.data(), running.reason_length);
    switch (running.outcome) {
    case Outcome::passed:
        ++totals.passed;
        rt::print(uart(), "ok {}\n", check.name);
        break;
    case Outcome::failed:
        ++totals.failed;
        rt::print(uart(), "FAIL {}: {}\n", check.name, reason);
        break;
    case Outcome::skipped:
        ++totals.skipped;
        rt::print(uart(), "skip {}: {}\n", check.name, reason);
        break;
    }
}

} // namespace

void detail::fail_with(std::string_view format, std::span<const rt::detail::Argument> arguments) {
    mask_interrupts();
    std::array<char, 400> text{};
    rt::BufferSink sink(text);
    rt::detail::print_arguments(sink, format, arguments);
    if (this_cpu() != 0) {
        leave_failure_and_turn_off(sink.text());
    }
    running.reason = text;
    running.reason_length = sink.text().size();
    leave(Outcome::failed);
}

void skip(const char* reason) {
    rt::BufferSink sink(running.reason);
    sink.write(reason);
    running.reason_length = sink.text().size();
    leave(Outcome::skipped);
}

void run_all_checks() {
    const std::string_view only =
        board().arguments.find("only=") == std::string_view::npos
            ? std::string_view{}
            : board().arguments.substr(board().arguments.find("only=") + 5);
    const std::string_view prefix = only.substr(0, only.find(' '));
    Totals totals;
    for (const auto& table : check_tables()) {
        for (const Check& check : table) {
            if (std::string_view(check.name).starts_with(prefix)) {
                run_one(check);
                report(check, totals);
            }
        }
    }
    rt::print(uart(), "{} passed, {} failed", totals.passed, totals.failed);
    if (totals.skipped != 0) {
        rt::print(uart(), ", {} skipped", totals.skipped);
    }
    rt::print(uart(), "\n");
}

} // namespace test
