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
};

/// Implemented by higher layers, for example one per register frame of a VIC. Called without locks,
/// from several CPUs at once.
class Vdevice {
public:
    /// Serves one access. One that is not aligned reads as zero, and does not write.
    void access(MmioAccess& access) {
        const bool aligned = (access.offset & (access.size - 1)) == 0;
        if (!access.write) {
            access.value = aligned ? read(access.offset, access.size) : 0;
        } else if (aligned) {
            write(access.offset, access.size, access.value);
        }
    }

protected:
    ~Vdevice() = default;

private:
    virtual std::uint64_t read(std::uint64_t offset, unsigned size) = 0;
    virtual void write(std::uint64_t offset, unsigned size, std::uint64_t value) = 0;
};

} // namespace hyp
