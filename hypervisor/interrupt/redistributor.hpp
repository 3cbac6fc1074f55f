// SPDX-License-Identifier: BSD-3-Clause
// One vCPU's redistributor frames (GICR: RD_base, then SGI_base) of a virtual GICv3
// (IHI 0069, sections 12.10 and 12.11).
#pragma once

#include "memory/vdevice.hpp"

#include <cstdint>

namespace hyp {

class Vic;

/// What is not implemented, and accesses of a wrong size, read as zero and ignore writes; so does
/// everything while no vCPU is attached at this index.
class Redistributor final : public Vdevice {
public:
    /// `index`: attachment index of the vCPU. Before any access.
    void init(Vic& vic, unsigned index) {
        vic_ = &vic;
        index_ = index;
    }

    bool access(MmioAccess& access) override;

private:
    [[nodiscard]] std::uint64_t read(std::uint64_t offset, unsigned size);
    void write(std::uint64_t offset, unsigned size, std::uint64_t value);
    [[nodiscard]] std::uint64_t type() const;
    [[nodiscard]] std::uint32_t read_waker() const;
    void write_waker(std::uint32_t value);

    Vic* vic_ = nullptr;
    unsigned index_ = 0;
};

} // namespace hyp
