// SPDX-License-Identifier: BSD-3-Clause
// What the memory layer knows of a virtual device: registers that answer to loads and stores.
#pragma once

#include <cstdint>

namespace hyp {

/// One trapped load or store.
struct MmioAccess {
    std::uint64_t offset = 0; // bytes from the start of the device's range
    unsigned size = 0;        // 1, 2, 4 or 8 bytes
    bool write = false;
    std::uint64_t value = 0; // written, or to be filled in; zero-extended
    unsigned vcpu_index = 0; // the vCPU's index in its VIC
};

/// Of the virtual devices in an address space: there is none at the address, or it has no such
/// register, or it has served the access.
enum class VdeviceAnswer : std::uint8_t { nobody, refused, served };

/// Implemented by higher layers, for example one per register frame of a VIC.
class Vdevice {
public:
    /// Serves one access; false if the device has no such register (the VM then gets an abort).
    /// Called without locks, from several CPUs at once.
    virtual bool access(MmioAccess& access) = 0;

protected:
    ~Vdevice() = default;
};

} // namespace hyp
