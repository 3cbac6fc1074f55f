// SPDX-License-Identifier: BSD-3-Clause
// Pl031: the Arm PrimeCell real-time clock (Arm DDI 0224, r1p3).
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>

#include "devices/mmio_device.hpp"
#include "devices/prime_cell.hpp"

namespace vmm {

// Counts seconds since 1970 as the host does; a guest may set its own time. The alarm's interrupt
// is not wired: its registers keep what is written, and the device tree names no interrupt.
class Pl031 : public MmioDevice {
public:
    static constexpr std::uint64_t register_block_size = prime_cell_size;

    // `clock`: the host's time in seconds since 1970; called from any thread.
    explicit Pl031(std::function<std::uint64_t()> clock) : clock_{std::move(clock)} {}

    std::uint64_t read(std::uint64_t offset, unsigned size) override;
    void write(std::uint64_t offset, unsigned size, std::uint64_t value) override;

private:
    [[nodiscard]] std::uint32_t now() const;

    std::function<std::uint64_t()> clock_;
    std::mutex mutex_;              // guards what follows
    std::uint32_t guest_ahead_ = 0; // seconds, modulo 2^32
    std::uint32_t loaded_ = 0;
    std::uint32_t match_ = 0;
    std::uint32_t interrupt_mask_ = 0;
};

} // namespace vmm
