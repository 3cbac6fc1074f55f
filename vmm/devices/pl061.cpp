// SPDX-License-Identifier: BSD-3-Clause
// Pl061: registers by offset (DDI 0190, table 3-1), edge detection.
#include "devices/pl061.hpp"

namespace vmm {
namespace {

enum Register : std::uint64_t {
    data_end = 0x400, // below: the data register, masked by address bits 9:2
    direction = 0x400,
    interrupt_sense = 0x404,
    interrupt_both_edges = 0x408,
    interrupt_event = 0x40c,
    interrupt_enable = 0x410,
    raw_status = 0x414,
    masked_interrupt_status = 0x418,
    interrupt_clear = 0x41c,
};

constexpr std::uint16_t part = 0x061;

std::uint8_t data_mask(std::uint64_t offset) {
    return static_cast<std::uint8_t>(offset >> 2);
}
// Bytes, although C++ computes in int.
std::uint8_t byte(unsigned value) {
    return static_cast<std::uint8_t>(value);
}

} // namespace

void Pl061::press(unsigned line) {
    const std::scoped_lock lock{mutex_};
    set_input(byte(input_ | (1U << line)));
}

std::uint8_t Pl061::masked_status() const {
    const unsigned levels = byte(~(input_ ^ rising_)) & level_sensitive_;
    return byte((levels | (edges_ & ~unsigned{level_sensitive_})) & enabled_);
}

// 3.3.3 to 3.3.5: which change of a line counts.
void Pl061::set_input(std::uint8_t levels) {
    const bool was_asserted = masked_status() != 0;
    const unsigned changed = input_ ^ levels;
    const unsigned wanted = both_edges_ | byte(~(levels ^ rising_));
    edges_ = byte(edges_ | (changed & wanted));
    input_ = levels;
    if (!was_asserted && masked_status() != 0) {
        interrupt_();
    }
}

std::uint64_t Pl061::read(std::uint64_t offset, unsigned /*size*/) {
    if (const auto id = prime_cell_id(offset, part, 0); id) {
        return *id;
    }
    const std::scoped_lock lock{mutex_};
    if (offset < data_end) {
        return read_data(data_mask(offset));
    }
    switch (offset) {
    case direction:
        return direction_;
    case interrupt_sense:
        return level_sensitive_;
    case interrupt_both_edges:
        return both_edges_;
    case interrupt_event:
        return rising_;
    case interrupt_enable:
        return enabled_;
    case raw_status:
        return byte((byte(~(input_ ^ rising_)) & level_sensitive_) |
                    (edges_ & ~unsigned{level_sensitive_}));
    case masked_interrupt_status:
        return masked_status();
    default:
        return 0;
    }
}

std::uint8_t Pl061::read_data(std::uint8_t mask) {
    const std::uint8_t value =
        byte(((input_ & ~unsigned{direction_}) | (output_ & direction_)) & mask);
    const std::uint8_t seen = byte(input_ & mask & ~unsigned{direction_});
    if (seen != 0) {
        set_input(byte(input_ & ~unsigned{seen}));
    }
    return value;
}

void Pl061::write(std::uint64_t offset, unsigned /*size*/, std::uint64_t value) {
    const std::scoped_lock lock{mutex_};
    const auto bits = static_cast<std::uint8_t>(value);
    if (offset < data_end) {
        const std::uint8_t mask = data_mask(offset);
        output_ = byte((output_ & ~unsigned{mask}) | (bits & mask));
        return;
    }
    const bool was_asserted = masked_status() != 0;
    write_register(offset, bits);
    const bool some_left = offset == interrupt_clear && was_asserted;
    if ((!was_asserted || some_left) && masked_status() != 0) {
        interrupt_();
    }
}

void Pl061::write_register(std::uint64_t offset, std::uint8_t value) {
    switch (offset) {
    case direction:
        direction_ = value;
        break;
    case interrupt_sense:
        level_sensitive_ = value;
        break;
    case interrupt_both_edges:
        both_edges_ = value;
        break;
    case interrupt_event:
        rising_ = value;
        break;
    case interrupt_enable:
        enabled_ = value;
        break;
    case interrupt_clear:
        edges_ = byte(edges_ & ~unsigned{value});
        break;
    default:
        break;
    }
}

} // namespace vmm
