// SPDX-License-Identifier: BSD-3-Clause
// The end of the line: each program that uses the runtime defines what panic does.
#pragma once

namespace rt {

/// Prints the reason (a static string) and never returns. Defined by hypervisor, RM, guests and,
/// for host tests, by runtime/host.
[[noreturn]] void panic(const char* reason);

/// An invariant whose failure means that going on would be worse than stopping.
inline void ensure(bool condition, const char* reason) {
    if (!condition) {
        panic(reason);
    }
}

} // namespace rt
