// SPDX-License-Identifier: BSD-3-Clause
// Tests of Pl011: identification, both directions, interrupt causes and their edges.
#include "devices/pl011.hpp"

#include <gtest/gtest.h>

#include <string>

namespace vmm {
namespace {

constexpr std::uint64_t data = 0x00;
constexpr std::uint64_t flag = 0x18;
constexpr std::uint64_t line_control = 0x2c;
constexpr std::uint64_t control = 0x30;
constexpr std::uint64_t fifo_level = 0x34;
constexpr std::uint64_t mask = 0x38;
constexpr std::uint64_t raw = 0x3c;
constexpr std::uint64_t masked = 0x40;
constexpr std::uint64_t clear = 0x44;

constexpr std::uint64_t receive_empty = 1 << 4;
constexpr std::uint64_t transmit_full = 1 << 5;
constexpr std::uint64_t receive_full = 1 << 6;
constexpr std::uint64_t receive_cause = 1 << 4;
constexpr std::uint64_t transmit_cause = 1 << 5;
constexpr std::uint64_t timeout_cause = 1 << 6;

class Pl011Test : public testing::Test {
protected:
    std::uint64_t get(std::uint64_t offset) { return uart.read(offset, 4); }
    void set(std::uint64_t offset, std::uint64_t value) { uart.write(offset, 4, value); }
    std::size_t type(std::string_view text) { return uart.receive(std::as_bytes(std::span{text})); }
    void enable() {
        set(line_control, 0x70); // 8 bits, FIFOs
        set(control, 0x301);
    }

    std::string printed;
    unsigned interrupts = 0;
    Pl011 uart{[this](std::span<const std::byte> bytes) {
                   printed.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
               },
               [this] { ++interrupts; }};
};

TEST_F(Pl011Test, IdentifiesAsRevision1p5) {
    std::uint32_t part = 0;
    std::uint32_t cell = 0;
    for (unsigned index = 0; index < 4; ++index) {
        part |= static_cast<std::uint32_t>(get(0xfe0 + 4 * index)) << (8 * index);
        cell |= static_cast<std::uint32_t>(get(0xff0 + 4 * index)) << (8 * index);
    }
    EXPECT_EQ(part, 0x0034'1011U);
    EXPECT_EQ(cell, 0xb105'f00dU);
}

TEST_F(Pl011Test, PrintsAtOnceAndIsNeverFull) {
    for (const char character : std::string(100, 'a') + "z") {
        EXPECT_EQ(get(flag) & transmit_full, 0U);
        set(data, static_cast<std::uint64_t>(character));
    }
    EXPECT_EQ(printed, std::string(100, 'a') + "z");
    EXPECT_NE(get(raw) & transmit_cause, 0U);
    EXPECT_EQ(interrupts, 0U);
}

TEST_F(Pl011Test, ReceivesThroughTheFifo) {
    enable();
    EXPECT_NE(get(flag) & receive_empty, 0U);
    EXPECT_EQ(type("abc"), 3U);
    EXPECT_EQ(get(flag) & receive_empty, 0U);
    EXPECT_EQ(get(data), 'a');
    EXPECT_EQ(get(data), 'b');
    EXPECT_EQ(get(data), 'c');
    EXPECT_NE(get(flag) & receive_empty, 0U);
    EXPECT_EQ(get(data), 0U);
}

TEST_F(Pl011Test, TakesNothingWhileSwitchedOff) {
    EXPECT_EQ(type("abc"), 0U);
    unsigned room = 0;
    uart.on_room([&] { ++room; });
    enable();
    EXPECT_EQ(room, 1U);
    EXPECT_EQ(type("abc"), 3U);
}

TEST_F(Pl011Test, RefusesWhatDoesNotFitAndAsksForMoreWhenEmpty) {
    enable();
    unsigned room = 0;
    uart.on_room([&] { ++room; });
    EXPECT_EQ(type(std::string(40, 'x')), 32U);
    EXPECT_NE(get(flag) & receive_full, 0U);
    for (unsigned index = 0; index < 31; ++index) {
        get(data);
    }
    EXPECT_EQ(room, 0U);
    get(data);
    EXPECT_EQ(room, 1U);
}

TEST_F(Pl011Test, HoldsOneCharacterWithoutFifo) {
    set(control, 0x301);
    EXPECT_EQ(type("ab"), 1U);
    EXPECT_NE(get(flag) & receive_full, 0U);
    EXPECT_NE(get(raw) & receive_cause, 0U);
    EXPECT_EQ(get(data), 'a');
}

TEST_F(Pl011Test, TheReceiveCauseFollowsTheTriggerLevel) {
    enable();
    for (const auto& [levels, trigger] :
         {std::pair{0U, 4U}, {1U, 8U}, {2U, 16U}, {3U, 24U}, {4U, 28U}}) {
        set(fifo_level, levels << 3);
        type(std::string(trigger - 1, 'x'));
        EXPECT_EQ(get(raw) & receive_cause, 0U) << levels;
        type("x");
        EXPECT_NE(get(raw) & receive_cause, 0U) << levels;
        while ((get(flag) & receive_empty) == 0) {
            get(data);
        }
        EXPECT_EQ(get(raw) & (receive_cause | timeout_cause), 0U) << levels;
    }
}

TEST_F(Pl011Test, AnEdgePerMaskedRise) {
    enable();
    set(mask, receive_cause | timeout_cause);
    type("a");
    EXPECT_EQ(interrupts, 1U);
    EXPECT_EQ(get(masked), timeout_cause);
    type("b"); // still pending: the handler will see it
    EXPECT_EQ(interrupts, 1U);
    get(data);
    get(data);
    EXPECT_EQ(get(masked), 0U);
    type("c");
    EXPECT_EQ(interrupts, 2U);
}

TEST_F(Pl011Test, UnmaskingAPendingCauseInterrupts) {
    enable();
    type("a");
    EXPECT_EQ(interrupts, 0U);
    set(mask, timeout_cause);
    EXPECT_EQ(interrupts, 1U);
    set(mask, 0);
    set(mask, timeout_cause);
    EXPECT_EQ(interrupts, 2U);
}

TEST_F(Pl011Test, ClearingOneOfTwoCausesInterruptsAgain) {
    enable();
    set(mask, timeout_cause | transmit_cause);
    set(data, 'x');
    EXPECT_EQ(interrupts, 1U);
    type("a");
    EXPECT_EQ(interrupts, 1U);
    set(clear, transmit_cause);
    EXPECT_EQ(interrupts, 2U);
    set(clear, 0);
    set(clear, transmit_cause); // already clear
    EXPECT_EQ(interrupts, 2U);
    set(clear, timeout_cause);
    EXPECT_EQ(interrupts, 2U);
    EXPECT_EQ(get(masked), 0U);
}

TEST_F(Pl011Test, KeepsItsSettings) {
    set(0x24, 0x1'2345);
    set(0x28, 0xff);
    EXPECT_EQ(get(0x24), 0x2345U);
    EXPECT_EQ(get(0x28), 0x3fU);
    EXPECT_EQ(get(control), 0x300U);
    EXPECT_EQ(get(fifo_level), 0x12U);
    EXPECT_EQ(get(0x100), 0U);
}

} // namespace
} // namespace vmm
