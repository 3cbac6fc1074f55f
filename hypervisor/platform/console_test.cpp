// SPDX-License-Identifier: BSD-3-Clause
// Lines reach the UART and the ring whole; a dead UART and a panic stop nobody.
#include "platform/console.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

namespace hyp {
namespace {

/// Register block of a PL011 that shows the last byte written.
struct FakePl011 {
    alignas(8) std::array<std::uint8_t, 0x1000> bytes{};

    [[nodiscard]] std::uint32_t word(std::size_t offset) const {
        std::uint32_t value = 0;
        std::memcpy(&value, bytes.data() + offset, sizeof(value));
        return value;
    }
    void set_word(std::size_t offset, std::uint32_t value) {
        std::memcpy(bytes.data() + offset, &value, sizeof(value));
    }
};

UartInfo uart_of(UartInfo::Kind kind) {
    UartInfo info;
    info.kind = kind;
    return info;
}

std::string ring_of(Console& console) {
    std::string text(Console::ring_size, '\0');
    text.resize(console.recent(text));
    return text;
}

TEST(Console, a_line_ends_with_carriage_return_and_newline) {
    Console console;
    console.write_line("hello");
    EXPECT_EQ(ring_of(console), "hello\r\n");
}

TEST(Console, bytes_are_held_until_their_line_is_complete) {
    Console console;
    console.write_bytes("[rm] sta");
    console.write_line("[hyp] other");
    console.write_bytes("rted\nnext");
    EXPECT_EQ(ring_of(console), "[hyp] other\r\n[rm] started\r\n");
}

TEST(Console, endless_lines_are_broken) {
    Console console;
    console.write_bytes(std::string(Console::longest_line + 10, 'x'));
    EXPECT_EQ(ring_of(console).size(), Console::longest_line + 2);
}

TEST(Console, the_ring_keeps_the_newest) {
    Console console;
    for (int i = 0; i < 5000; ++i) {
        console.write_line("line " + std::to_string(i));
    }
    const std::string text = ring_of(console);
    EXPECT_EQ(text.size(), Console::ring_size);
    EXPECT_TRUE(text.ends_with("line 4998\r\nline 4999\r\n"));
    std::array<char, 11> last{};
    EXPECT_EQ(console.recent(last), last.size());
    EXPECT_EQ(std::string(last.data(), last.size()), "line 4999\r\n");
}

TEST(Console, pl011_is_enabled_and_gets_the_characters) {
    FakePl011 device;
    Console console;
    console.attach(Uart(uart_of(UartInfo::Kind::pl011), device.bytes.data()));
    EXPECT_EQ(device.word(0x30), 0x101u);
    console.write_line("A");
    EXPECT_EQ(device.word(0), static_cast<std::uint32_t>('\n'));
}

TEST(Console, sbsa_has_no_control_register_to_touch) {
    FakePl011 device;
    const Uart uart(uart_of(UartInfo::Kind::sbsa), device.bytes.data());
    EXPECT_EQ(device.word(0x30), 0u);
}

TEST(Console, a_full_uart_loses_text_but_stops_nobody) {
    FakePl011 device;
    device.set_word(0x18, 1u << 5); // transmit FIFO full, for ever
    Console console;
    console.attach(Uart(UartInfo{}, device.bytes.data()));
    for (int i = 0; i < 1000; ++i) {
        console.write_line("a line that nobody will read");
    }
    EXPECT_EQ(device.word(0), 0u);
}

TEST(Console, ns16550_with_register_shift) {
    std::array<std::uint8_t, 64> registers{};
    registers[5 << 2] = 1u << 5; // THRE
    UartInfo info = uart_of(UartInfo::Kind::ns16550);
    info.register_shift = 2;
    Uart uart(info, registers.data());
    uart.put('Z');
    EXPECT_EQ(registers[0], 'Z');
}

TEST(Console, a_panicking_cpu_prints_although_the_lock_is_taken) {
    Console console;
    console.enter_panic();
    console.write_line("once");
    console.write_line("twice");
    EXPECT_EQ(ring_of(console), "once\r\ntwice\r\n");
}

} // namespace
} // namespace hyp
