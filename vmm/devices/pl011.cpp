// SPDX-License-Identifier: BSD-3-Clause
// Pl011: registers by offset (DDI 0183, table 3-1), FIFO and interrupt causes.
#include "devices/pl011.hpp"

#include <algorithm>
#include <utility>

namespace vmm {
namespace {

enum Register : std::uint64_t {
    data = 0x000,
    flag = 0x018,
    integer_baud = 0x024,
    fraction_baud = 0x028,
    line_control = 0x02c,
    control = 0x030,
    fifo_level = 0x034,
    interrupt_mask = 0x038,
    raw_interrupt = 0x03c,
    masked_interrupt = 0x040,
    interrupt_clear = 0x044,
};

constexpr std::uint32_t flag_clear_to_send = 1U << 0;
constexpr std::uint32_t flag_data_set_ready = 1U << 1;
constexpr std::uint32_t flag_carrier_detect = 1U << 2;
constexpr std::uint32_t flag_receive_empty = 1U << 4;
constexpr std::uint32_t flag_receive_full = 1U << 6;
constexpr std::uint32_t flag_transmit_empty = 1U << 7;

constexpr std::uint32_t line_fifo_enable = 1U << 4;
constexpr std::uint32_t control_enable = 1U << 0;
constexpr std::uint32_t control_receive_enable = 1U << 9;
constexpr std::uint32_t control_reset = 0x300; // 3.3.8: both directions enabled, UART off
constexpr std::uint32_t fifo_levels_reset = 0x12;

constexpr std::uint32_t cause_receive = 1U << 4;
constexpr std::uint32_t cause_transmit = 1U << 5;
constexpr std::uint32_t cause_receive_timeout = 1U << 6;
constexpr std::uint32_t causes = 0x7ff;

constexpr std::uint16_t part = 0x011;
constexpr std::uint8_t revision = 3; // r1p5

} // namespace

Pl011::Pl011(CharacterOutput output, std::function<void()> interrupt)
    : output_{std::move(output)}, interrupt_{std::move(interrupt)}, control_{control_reset},
      fifo_levels_{fifo_levels_reset} {}

std::uint64_t Pl011::read(std::uint64_t offset, unsigned /*size*/) {
    if (const auto id = prime_cell_id(offset, part, revision); id) {
        return *id;
    }
    const std::scoped_lock lock{mutex_};
    switch (offset) {
    case data:
        return read_data();
    case flag:
        return flags();
    case integer_baud:
        return integer_divisor_;
    case fraction_baud:
        return fraction_divisor_;
    case line_control:
        return line_control_;
    case control:
        return control_;
    case fifo_level:
        return fifo_levels_;
    case interrupt_mask:
        return mask_;
    case raw_interrupt:
        return raw_status_;
    case masked_interrupt:
        return masked_status();
    default:
        return 0;
    }
}

void Pl011::write(std::uint64_t offset, unsigned /*size*/, std::uint64_t value) {
    if (offset == data) {
        // Outside the lock: a slow host side must not keep other registers waiting.
        const std::byte character{static_cast<std::uint8_t>(value)};
        output_({&character, 1});
    }
    const std::scoped_lock lock{mutex_};
    const std::uint32_t masked_before = masked_status();
    write_register(offset, static_cast<std::uint32_t>(value));
    signal_rise(masked_before);
}

void Pl011::write_register(std::uint64_t offset, std::uint32_t value) {
    switch (offset) {
    case data:
        raw_status_ |= cause_transmit; // the FIFO went through its trigger level on the way out
        break;
    case integer_baud:
        integer_divisor_ = value & 0xffff;
        break;
    case fraction_baud:
        fraction_divisor_ = value & 0x3f;
        break;
    case line_control:
        line_control_ = value & 0xff;
        update_receive_status();
        break;
    case control:
        control_ = value & 0xffff;
        if (refused_ && fifo_count_ < capacity()) {
            refused_ = false;
            report_room();
        }
        break;
    case fifo_level:
        fifo_levels_ = value & 0x3f;
        update_receive_status();
        break;
    case interrupt_mask:
        mask_ = value & causes;
        break;
    case interrupt_clear:
        clear_interrupts(value);
        break;
    default:
        break;
    }
}

std::size_t Pl011::receive(std::span<const std::byte> bytes) {
    const std::scoped_lock lock{mutex_};
    constexpr std::uint32_t receiving = control_enable | control_receive_enable;
    const bool enabled = (control_ & receiving) == receiving;
    const std::size_t room = enabled && fifo_count_ < capacity() ? capacity() - fifo_count_ : 0;
    const std::size_t count = std::min(room, bytes.size());
    refused_ = count < bytes.size();
    if (count == 0) {
        return 0;
    }
    for (const std::byte byte : bytes.first(count)) {
        fifo_[(fifo_first_ + fifo_count_) % fifo_size] = std::to_integer<std::uint8_t>(byte);
        ++fifo_count_;
    }
    const std::uint32_t masked_before = masked_status();
    // The line falls silent after what we were given, so the time-out cause comes at once.
    raw_status_ |= cause_receive_timeout;
    update_receive_status();
    signal_rise(masked_before);
    return count;
}

std::uint32_t Pl011::read_data() {
    if (fifo_count_ == 0) {
        return 0;
    }
    const std::uint8_t character = fifo_[fifo_first_];
    fifo_first_ = (fifo_first_ + 1) % fifo_size;
    --fifo_count_;
    update_receive_status();
    // Ask for more only when the driver has taken everything: one hand-over per FIFO.
    if (refused_ && fifo_count_ == 0) {
        refused_ = false;
        report_room();
    }
    return character;
}

// 2.4.2: the receive cause follows the FIFO level, the time-out cause ends when the FIFO is empty.
void Pl011::update_receive_status() {
    if (fifo_count_ >= receive_trigger()) {
        raw_status_ |= cause_receive;
    } else {
        raw_status_ &= ~cause_receive;
    }
    if (fifo_count_ == 0) {
        raw_status_ &= ~cause_receive_timeout;
    }
}

void Pl011::clear_interrupts(std::uint32_t bits) {
    const std::uint32_t cleared = masked_status() & bits;
    raw_status_ &= ~bits;
    if (cleared != 0 && masked_status() != 0) {
        interrupt_();
    }
}

void Pl011::signal_rise(std::uint32_t masked_before) {
    if (masked_before == 0 && masked_status() != 0) {
        interrupt_();
    }
}

std::size_t Pl011::capacity() const {
    return (line_control_ & line_fifo_enable) != 0 ? fifo_size : 1;
}

// IFLS bits 5:3: 1/8, 1/4, 1/2, 3/4, 7/8 of the FIFO (3.3.9); reserved values act like 7/8.
std::size_t Pl011::receive_trigger() const {
    if (capacity() == 1) {
        return 1;
    }
    constexpr std::array<std::size_t, 8> eighths{1, 2, 4, 6, 7, 7, 7, 7};
    return fifo_size * eighths[fifo_levels_ >> 3] / 8;
}

std::uint32_t Pl011::flags() const {
    std::uint32_t value =
        flag_clear_to_send | flag_data_set_ready | flag_carrier_detect | flag_transmit_empty;
    if (fifo_count_ == 0) {
        value |= flag_receive_empty;
    }
    if (fifo_count_ >= capacity()) {
        value |= flag_receive_full;
    }
    return value;
}

} // namespace vmm
