// SPDX-License-Identifier: BSD-3-Clause
// What a freestanding program calls once before everything else.
#pragma once

#include <cstdint>

namespace rt {

/// Runs the constructors of static objects, in link order. The linker script of the program
/// provides __init_array_start and __init_array_end around .init_array*.
void run_static_constructors();

/// Makes the stack protector's value unpredictable. Whoever calls it, or calls that, does not
/// return.
void seed_stack_guard(std::uint64_t entropy);

} // namespace rt
