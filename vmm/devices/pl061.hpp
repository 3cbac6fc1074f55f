// SPDX-License-Identifier: BSD-3-Clause
// Pl061: the Arm PrimeCell GPIO controller with eight lines (Arm DDI 0190, r1p0).
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>

#include "devices/mmio_device.hpp"
#include "devices/prime_cell.hpp"

namespace vmm {

// Here the lines are buttons: the host presses, and the line is high until the guest has looked at
// it. A guest that is slow, or loads its driver late, misses no press:
//
//     low --press()--> high --guest reads the data register with this line--> low
//
// The interrupt is a level in the hardware and an edge on our wire, sent when the masked status
// leaves 0 and when a guest clears one line's cause while another one stays.
class Pl061 : public MmioDevice {
public:
    static constexpr std::uint64_t register_block_size = prime_cell_size;
    static constexpr unsigned lines = 8;

    // `interrupt` sends one edge; called with the device's lock held.
    explicit Pl061(std::function<void()> interrupt) : interrupt_{std::move(interrupt)} {}

    std::uint64_t read(std::uint64_t offset, unsigned size) override;
    void write(std::uint64_t offset, unsigned size, std::uint64_t value) override;

    // `line` < lines. Any thread.
    void press(unsigned line);

private:
    [[nodiscard]] std::uint8_t masked_status() const;
    std::uint8_t read_data(std::uint8_t mask);
    void set_input(std::uint8_t levels);
    void write_register(std::uint64_t offset, std::uint8_t value);

    std::function<void()> interrupt_;
    std::mutex mutex_; // guards what follows; bit n is line n
    std::uint8_t input_ = 0;
    std::uint8_t output_ = 0;
    std::uint8_t direction_ = 0; // 1: output
    std::uint8_t level_sensitive_ = 0;
    std::uint8_t both_edges_ = 0;
    std::uint8_t rising_ = 0; // rising edge or high level
    std::uint8_t enabled_ = 0;
    std::uint8_t edges_ = 0; // edges seen and not cleared
};

} // namespace vmm
