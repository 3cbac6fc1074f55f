// SPDX-License-Identifier: BSD-3-Clause
// PL011 (Arm DDI0183), the SBSA generic UART, which is its subset, and the 16550 family.
#include "platform/uart.hpp"

namespace hyp {

namespace {

constexpr unsigned pl011_data = 0x00;
constexpr unsigned pl011_flags = 0x18;
constexpr std::uint32_t pl011_flag_transmit_full = 1u << 5;
constexpr unsigned pl011_control = 0x30;
constexpr std::uint32_t pl011_control_enable = (1u << 0) | (1u << 8); // UARTEN, TXE

constexpr unsigned ns16550_data = 0;
constexpr unsigned ns16550_line_status = 5;
constexpr std::uint32_t ns16550_transmit_empty = 1u << 5;

// A character takes 87 µs at 115200 baud; a device access at least tens of nanoseconds.
constexpr unsigned most_polls = 200'000;

} // namespace

Uart::Uart(const UartInfo& info, void* registers)
    : info_(info), registers_(static_cast<volatile std::uint8_t*>(registers)) {
    if (registers_ != nullptr && info_.kind == UartInfo::Kind::pl011) {
        const std::uint32_t control = read(pl011_control);
        if ((control & pl011_control_enable) != pl011_control_enable) {
            write(pl011_control, control | pl011_control_enable);
        }
    }
}

std::uint32_t Uart::read(unsigned offset) const {
    if (info_.kind == UartInfo::Kind::ns16550 && info_.register_width == 1) {
        return registers_[offset];
    }
    return *reinterpret_cast<const volatile std::uint32_t*>(registers_ + offset);
}

void Uart::write(unsigned offset, std::uint32_t value) {
    if (info_.kind == UartInfo::Kind::ns16550 && info_.register_width == 1) {
        registers_[offset] = static_cast<std::uint8_t>(value);
    } else {
        *reinterpret_cast<volatile std::uint32_t*>(registers_ + offset) = value;
    }
}

bool Uart::ready() const {
    if (info_.kind == UartInfo::Kind::ns16550) {
        return (read(ns16550_line_status << info_.register_shift) & ns16550_transmit_empty) != 0;
    }
    return (read(pl011_flags) & pl011_flag_transmit_full) == 0;
}

void Uart::put(char character) {
    if (registers_ == nullptr) {
        return;
    }
    unsigned polls = stuck_ ? most_polls - 1 : 0;
    while (!ready()) {
        if (++polls >= most_polls) {
            stuck_ = true;
            return;
        }
    }
    stuck_ = false;
    const unsigned offset = info_.kind == UartInfo::Kind::ns16550 ? ns16550_data : pl011_data;
    write(offset, static_cast<unsigned char>(character));
}

} // namespace hyp
