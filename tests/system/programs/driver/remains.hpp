// SPDX-License-Identifier: BSD-3-Clause
// What guests leave behind when they are gone: nothing.
#pragma once

#include <string>
#include <string_view>

namespace driver {

// What there is of VMs in the Resource Manager, the hypervisor and this kernel.
class Remains {
public:
    // As it is now.
    Remains();

    // Waits until it is so again: the drivers give back the last things when a VMM is gone
    // already. Returns the difference, or nothing if there is none any more.
    [[nodiscard]] std::string difference() const;
    // Throws Mismatch if there is one.
    void expect_same(std::string_view where) const;

private:
    std::string counters_; // of RM and hypervisor: VMs, parcels, objects, page tables, ...
    long pins_;            // pages that drivers hold
    long interrupts_;      // of vCPUs
};

// Lines of /proc/interrupts that are vCPUs'.
long interrupts_of_vcpus();

} // namespace driver
