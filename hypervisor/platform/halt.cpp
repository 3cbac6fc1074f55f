// SPDX-License-Identifier: BSD-3-Clause
// The flag behind halting; sleeping is an instruction and stands in arm64/ or fake/.
#include "platform/halt.hpp"

#include <atomic>

namespace hyp {

namespace {

constinit std::atomic<bool> halting{false};

} // namespace

bool machine_is_halting() {
    return halting.load(std::memory_order_acquire);
}

bool request_halt() {
    return !halting.exchange(true, std::memory_order_acq_rel);
}

} // namespace hyp
