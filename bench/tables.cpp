// SPDX-License-Identifier: BSD-3-Clause
// What the check runner runs in this program: each "check" prints rows, or fails.
#include "rows.hpp"

#include "check/tables.hpp"

#include <array>

std::span<const std::span<const test::Check>> test::check_tables() {
    static const std::array tables{bench::hypercall_rows(), bench::register_rows(),
                                   bench::interrupt_rows(), bench::guest_rows(),
                                   bench::resource_manager_rows()};
    return tables;
}
