// SPDX-License-Identifier: BSD-3-Clause
// A bitmap of hardware VMIDs.
#include "memory/hardware_vmid.hpp"

#include "heap/names.hpp"

#include <runtime/panic.hpp>

#include <array>
#include <bit>
#include <cstddef>

namespace hyp {

namespace {

struct HardwareVmids {
    Spinlock lock;
    std::array<std::uint64_t, 4> used RT_GUARDED_BY(lock){1}; // 0 is taken
};

constinit HardwareVmids vmids;

} // namespace

Result<std::uint8_t> allocate_hardware_vmid() {
    const LockGuard guard(vmids.lock);
    for (std::size_t word = 0; word < vmids.used.size(); ++word) {
        const int bit = std::countr_one(vmids.used[word]);
        if (bit < 64) {
            vmids.used[word] |= std::uint64_t{1} << bit;
            return static_cast<std::uint8_t>(word * 64 + static_cast<std::size_t>(bit));
        }
    }
    return fail(Error::no_resources);
}

void release_hardware_vmid(std::uint8_t vmid) {
    const LockGuard guard(vmids.lock);
    const std::uint64_t mask = std::uint64_t{1} << (vmid % 64);
    rt::ensure((vmids.used[vmid / 64] & mask) != 0 && vmid != 0, "release of a free VMID");
    vmids.used[vmid / 64] &= ~mask;
}

} // namespace hyp
