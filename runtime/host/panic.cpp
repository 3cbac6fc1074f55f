// SPDX-License-Identifier: BSD-3-Clause
// Panic on the host: print the reason and abort, so that a test dies visibly (EXPECT_DEATH sees
// it).
#include <runtime/panic.hpp>

#include <cstdio>
#include <cstdlib>

namespace rt {

void panic(const char* reason) {
    std::fprintf(stderr, "PANIC: %s\n", reason);
    std::abort();
}

} // namespace rt
