// SPDX-License-Identifier: BSD-3-Clause
// WakeupCollector: at most one on each CPU, found by whoever wakes a vCPU there.
#include "vcpu/wakeup_collector.hpp"

#include <arch/cpu.hpp>

#include <array>

namespace hyp {

namespace {

std::array<WakeupCollector*, max_cpus> collectors;

} // namespace

WakeupCollector::WakeupCollector(const Vic* vic) : vic_(vic) {
    collectors[cpu_index()] = this;
}

WakeupCollector::~WakeupCollector() {
    collectors[cpu_index()] = nullptr;
}

bool WakeupCollector::takes(const VirqSource& wakeup, unsigned index) {
    WakeupCollector* const here = collectors[cpu_index()];
    if (here == nullptr || !wakeup.bound_to(here->vic_)) {
        return false;
    }
    here->vcpus_ |= std::uint64_t{1} << index;
    return true;
}

} // namespace hyp
