// SPDX-License-Identifier: BSD-3-Clause
// Time by the virtual counter, for bounds on waiting.
#pragma once

#include "machine/sysreg.hpp"

#include <cstdint>

namespace test {

/// Counter ticks since some moment before the program started.
inline std::uint64_t now() {
    isb(); // not earlier than program order
    return READ_SYSREG(cntvct_el0);
}

inline std::uint64_t ticks_of_ms(std::uint64_t ms) {
    return READ_SYSREG(cntfrq_el0) / 1000 * ms;
}

/// A moment after which waiting ends.
class Deadline {
public:
    static Deadline after_ms(std::uint64_t ms) { return Deadline(now() + ticks_of_ms(ms)); }
    [[nodiscard]] bool passed() const { return now() >= at_; }

private:
    explicit Deadline(std::uint64_t at) : at_(at) {}
    std::uint64_t at_;
};

/// Polls until the condition holds; false when it did not within the time. Interrupts are taken
/// meanwhile if they are unmasked.
template <typename Condition>
bool wait_until(std::uint64_t ms, Condition condition) {
    const Deadline deadline = Deadline::after_ms(ms);
    while (!condition()) {
        if (deadline.passed()) {
            return condition();
        }
        asm volatile("yield");
    }
    return true;
}

} // namespace test
