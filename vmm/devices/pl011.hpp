// SPDX-License-Identifier: BSD-3-Clause
// Pl011: the Arm PrimeCell UART, as far as drivers use it (Arm DDI 0183, r1p5).
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <mutex>

#include "devices/character_port.hpp"
#include "devices/mmio_device.hpp"
#include "devices/prime_cell.hpp"

namespace vmm {

// Sending never waits: the transmit FIFO is always empty, so a driver's "is there room" loop ends
// at once and one interrupt moves a whole buffer. Receiving has the real 32-entry FIFO, which gives
// the sender back-pressure. No DMA, no modem lines, no errors.
//
// The interrupt is a level in the hardware and an edge on our wire: an edge is sent when the masked
// status leaves 0, and when a guest clears one cause while another one stays.
class Pl011 : public MmioDevice, public CharacterPort {
public:
    static constexpr std::uint64_t register_block_size = prime_cell_size;
    static constexpr std::size_t fifo_size = 32;

    // `interrupt` sends one edge; both callbacks are called with the device's lock held.
    Pl011(CharacterOutput output, std::function<void()> interrupt);

    std::uint64_t read(std::uint64_t offset, unsigned size) override;
    void write(std::uint64_t offset, unsigned size, std::uint64_t value) override;
    std::size_t receive(std::span<const std::byte> bytes) override;

private:
    [[nodiscard]] std::uint32_t masked_status() const { return raw_status_ & mask_; }
    [[nodiscard]] std::size_t capacity() const;
    [[nodiscard]] std::size_t receive_trigger() const;
    [[nodiscard]] std::uint32_t flags() const;
    std::uint32_t read_data();
    void update_receive_status();
    void write_register(std::uint64_t offset, std::uint32_t value);
    void clear_interrupts(std::uint32_t bits);
    // Sends an edge if the masked status was 0 before and is not now.
    void signal_rise(std::uint32_t masked_before);

    CharacterOutput output_;
    std::function<void()> interrupt_;
    std::mutex mutex_;
    std::array<std::uint8_t, fifo_size> fifo_{};
    std::size_t fifo_first_ = 0;
    std::size_t fifo_count_ = 0;
    bool refused_ = false; // receive() had to refuse bytes: report room when there is some
    std::uint32_t integer_divisor_ = 0;
    std::uint32_t fraction_divisor_ = 0;
    std::uint32_t line_control_ = 0;
    std::uint32_t control_;
    std::uint32_t fifo_levels_;
    std::uint32_t mask_ = 0;
    std::uint32_t raw_status_ = 0;
};

} // namespace vmm
