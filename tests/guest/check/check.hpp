// SPDX-License-Identifier: BSD-3-Clause
// What a check is, and the ways in which it ends.
#pragma once

#include "machine/board.hpp"

#include <runtime/print.hpp>

#include <cstdint>
#include <span>
#include <string_view>

namespace test {

/// Where a check can run.
enum class Needs {
    nothing,    // any machine at EL1
    hypervisor, // ours below
    smp,        // any machine with two CPUs
    hypervisor_smp,
};

/// One check: passes if `run` returns.
struct Check {
    const char* name;
    void (*run)();
    Needs needs = Needs::hypervisor;
    std::uint64_t limit_ms = 10'000;
};

/// Runs all checks of all tables, prints a line for each and the closing one.
void run_all_checks();

namespace detail {
[[noreturn]] void fail_with(std::string_view format, std::span<const rt::detail::Argument>);
}

/// Ends the running check. On another CPU than the main one: leaves the reason and turns itself
/// off.
template <typename... Arguments>
[[noreturn]] void fail(rt::FormatString<std::type_identity_t<Arguments>...> format,
                       const Arguments&... arguments) {
    const std::array<rt::detail::Argument, sizeof...(Arguments)> list{
        rt::detail::Argument(arguments)...};
    detail::fail_with(format.text(), list);
}

/// Ends the running check as not applicable; `reason` says what this machine lacks.
[[noreturn]] void skip(const char* reason);

/// `what` is a statement that must be true.
inline void expect(bool condition, const char* what) {
    if (!condition) {
        fail("not so: {}", what);
    }
}

inline void expect_equal(const char* what, std::uint64_t actual, std::uint64_t expected) {
    if (actual != expected) {
        fail("{}: got {x}, expected {x}", what, actual, expected);
    }
}

/// An address relative to the start of the program, for looking it up in the ELF file.
std::uint64_t image_offset(std::uint64_t address);

/// What the virtual counter was at the program's first instruction.
std::uint64_t first_tick();

/// The hypervisor is below (no "bare" among the boot arguments).
bool has_hypervisor();

} // namespace test
