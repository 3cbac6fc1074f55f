// SPDX-License-Identifier: BSD-3-Clause
// Exceptions that a check provokes on purpose, and what becomes of all others.
#pragma once

#include <cstdint>
#include <optional>

namespace test {

/// As boot/vectors.S lays it out.
struct ExceptionFrame {
    std::uint64_t x[31];
    std::uint64_t elr;
    std::uint64_t spsr;
};

/// A synchronous exception that was taken to EL1.
struct Exception {
    std::uint64_t esr;
    std::uint64_t elr;
    std::uint64_t far;

    [[nodiscard]] unsigned ec() const { return static_cast<unsigned>(esr >> 26 & 0x3f); }
    /// DFSC or IFSC of an abort.
    [[nodiscard]] unsigned fault_status() const { return static_cast<unsigned>(esr & 0x3f); }
};

// ESR_EL1.EC (Arm ARM D19.2.39).
inline constexpr unsigned ec_unknown = 0x00;
inline constexpr unsigned ec_instruction_abort = 0x21; // same EL
inline constexpr unsigned ec_data_abort = 0x25;
inline constexpr unsigned ec_breakpoint = 0x31;
inline constexpr unsigned ec_software_step = 0x33;
inline constexpr unsigned ec_watchpoint = 0x35;
inline constexpr unsigned ec_brk = 0x3c;
inline constexpr unsigned fsc_alignment = 0x21;
inline constexpr unsigned fsc_external = 0x10; // synchronous external abort, not on a walk

/// Where to go on after the one exception that is expected.
enum class Resume {
    after_instruction, // ELR + 4
    at_caller,         // x30: the fetch itself failed
    same_instruction,  // with debug exceptions masked: breakpoint, watchpoint, step
};

/// Until end_expecting, one synchronous exception on this CPU is recorded instead of fatal.
void begin_expecting(Resume resume);
/// What was taken, if any.
std::optional<Exception> end_expecting();

/// Runs `action`, in which one synchronous exception may happen.
template <typename Action>
std::optional<Exception> catch_exception(Action action, Resume resume = Resume::after_instruction) {
    begin_expecting(resume);
    action();
    return end_expecting();
}

/// Runs `action` and goes on behind each instruction in it that is an exception.
void begin_ignoring();
void end_ignoring();
template <typename Action>
void ignore_exceptions(Action action) {
    begin_ignoring();
    action();
    end_ignoring();
}

} // namespace test
