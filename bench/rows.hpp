// SPDX-License-Identifier: BSD-3-Clause
// The groups of rows, one per file.
#pragma once

#include "check/check.hpp"

#include <span>

namespace bench {

std::span<const test::Check> hypercall_rows();
std::span<const test::Check> register_rows();
std::span<const test::Check> interrupt_rows();
std::span<const test::Check> guest_rows();
std::span<const test::Check> resource_manager_rows();

} // namespace bench
