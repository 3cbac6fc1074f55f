// SPDX-License-Identifier: BSD-3-Clause
// Named cases, each run in a process of its own: a driver that hangs or kills it fails one case.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace driver {

struct Case {
    const char* name;
    void (*run)(); // returns when all is well, throws Mismatch otherwise
};

// What a case expected and did not find.
class Mismatch : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

void expect(bool holds, std::string_view what);
// Both as `long`: results of system calls are compared, errors as -errno.
void expect_equal(long actual, long expected, std::string_view what);

// Runs one case; prints "ok NAME" or "FAIL NAME: why". A case that leaves VMs, capabilities or
// page tables behind in hypervisor and Resource Manager fails, too. True when it is well.
bool run_case(const Case& which);

std::vector<Case> all_cases();

} // namespace driver
