// SPDX-License-Identifier: BSD-3-Clause
// What the model's hypercalls are written with.
#pragma once

#include "testing/model_hypervisor.hpp"

#include <cstdio>
#include <cstdlib>

namespace rm::testing {

inline constexpr std::uint64_t page = 4096;

/// The test machine itself failed: nothing that a test could report.
inline void check(bool ok, const char* what) {
    if (!ok) {
        std::perror(what);
        std::abort();
    }
}

} // namespace rm::testing

// Declares `variable` as what `expression` gives, or returns its error.
#define TRY(variable, expression)                                                                  \
    const auto variable##_result = (expression);                                                   \
    if (!variable##_result) {                                                                      \
        return rt::fail(variable##_result.error());                                                \
    }                                                                                              \
    const Ref&(variable) = *variable##_result
