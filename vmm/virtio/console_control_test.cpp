// SPDX-License-Identifier: BSD-3-Clause
// Tests of ConsoleControl: what a driver learns of ports, and drivers that do it wrong.
#include "virtio/console_control.hpp"

#include <gtest/gtest.h>
#include <linux/virtio_console.h>

#include <cstring>
#include <span>

namespace vmm {
namespace {

struct Message {
    std::uint32_t id;
    std::uint16_t event;
    std::uint16_t value;
    std::string extra;

    bool operator==(const Message&) const = default;
};

class ConsoleControlTest : public testing::Test {
protected:
    bool tell(std::uint32_t id, std::uint16_t event, std::uint16_t value) {
        const virtio_console_control message{.id = id, .event = event, .value = value};
        return control.handle(
            {.head = 0, .readable = {std::as_bytes(std::span{&message, 1})}, .writable = {}});
    }
    std::vector<Message> messages() {
        std::vector<Message> result;
        while (control.has_message()) {
            std::array<std::byte, 128> buffer{};
            const auto count = control.fill({.head = 0, .readable = {}, .writable = {buffer}});
            virtio_console_control header{};
            std::memcpy(&header, buffer.data(), sizeof(header));
            result.push_back({header.id,
                              header.event,
                              header.value,
                              {reinterpret_cast<const char*>(buffer.data()) + sizeof(header),
                               count.value() - sizeof(header)}});
        }
        return result;
    }
    static std::string halves(std::uint16_t first, std::uint16_t second) {
        std::string text(4, '\0');
        std::memcpy(text.data(), &first, 2);
        std::memcpy(text.data() + 2, &second, 2);
        return text;
    }

    ConsoleControl control{{"", "org.agent"}};
};

TEST_F(ConsoleControlTest, TellsPortsAndWhatTheyAre) {
    control.set_size(0, {.columns = 80, .rows = 25});
    EXPECT_FALSE(control.has_message());
    EXPECT_TRUE(tell(0, VIRTIO_CONSOLE_DEVICE_READY, 1));
    EXPECT_EQ(messages(), (std::vector<Message>{{0, VIRTIO_CONSOLE_PORT_ADD, 1, ""},
                                                {1, VIRTIO_CONSOLE_PORT_ADD, 1, ""}}));
    EXPECT_TRUE(tell(0, VIRTIO_CONSOLE_PORT_READY, 1));
    EXPECT_EQ(messages(), (std::vector<Message>{{0, VIRTIO_CONSOLE_CONSOLE_PORT, 1, ""},
                                                {0, VIRTIO_CONSOLE_PORT_OPEN, 1, ""},
                                                {0, VIRTIO_CONSOLE_RESIZE, 1, halves(80, 25)}}));
    control.set_host_open(1, false);
    EXPECT_TRUE(tell(1, VIRTIO_CONSOLE_PORT_READY, 1));
    EXPECT_EQ(messages(), (std::vector<Message>{{1, VIRTIO_CONSOLE_PORT_NAME, 1, "org.agent"},
                                                {1, VIRTIO_CONSOLE_PORT_OPEN, 0, ""}}));
}

TEST_F(ConsoleControlTest, LateDriversLearnTheNewestStateOnce) {
    EXPECT_TRUE(tell(0, VIRTIO_CONSOLE_DEVICE_READY, 1));
    EXPECT_TRUE(tell(0, VIRTIO_CONSOLE_PORT_READY, 1));
    EXPECT_TRUE(tell(1, VIRTIO_CONSOLE_PORT_READY, 1));
    messages();
    for (std::uint16_t rows = 1; rows <= 1000; ++rows) {
        control.set_size(0, {.columns = 132, .rows = rows});
        control.set_host_open(1, rows % 2 == 0);
    }
    control.set_size(1, {.columns = 1, .rows = 1}); // a stream has no size
    EXPECT_EQ(messages(), (std::vector<Message>{{0, VIRTIO_CONSOLE_RESIZE, 1, halves(132, 1000)},
                                                {1, VIRTIO_CONSOLE_PORT_OPEN, 1, ""}}));
}

TEST_F(ConsoleControlTest, KnowsWhatAProgramHasOpen) {
    EXPECT_FALSE(control.guest_has_open(1));
    EXPECT_TRUE(tell(1, VIRTIO_CONSOLE_PORT_OPEN, 1));
    EXPECT_TRUE(control.guest_has_open(1));
    EXPECT_TRUE(tell(1, VIRTIO_CONSOLE_PORT_OPEN, 0));
    EXPECT_FALSE(control.guest_has_open(1));
    EXPECT_TRUE(tell(1, VIRTIO_CONSOLE_PORT_OPEN, 1));
    control.reset();
    EXPECT_FALSE(control.guest_has_open(1));
}

TEST_F(ConsoleControlTest, RepetitionsAndNonsenseMakeNothingGrow) {
    for (unsigned round = 0; round < 1000; ++round) {
        EXPECT_TRUE(tell(0, VIRTIO_CONSOLE_PORT_READY, 1)); // not added yet at first
        EXPECT_TRUE(tell(0, VIRTIO_CONSOLE_DEVICE_READY, 1));
        EXPECT_TRUE(tell(0, VIRTIO_CONSOLE_DEVICE_READY, 0));
        EXPECT_TRUE(tell(2, VIRTIO_CONSOLE_PORT_READY, 1));
        EXPECT_TRUE(tell(UINT32_MAX, VIRTIO_CONSOLE_PORT_OPEN, 1));
        EXPECT_TRUE(tell(0, VIRTIO_CONSOLE_PORT_ADD, 1));
        EXPECT_TRUE(tell(0, 0xffff, 0xffff));
    }
    EXPECT_EQ(messages().size(), 4U); // two ports are there, one is a console that is open
    control.reset();
    EXPECT_FALSE(control.has_message());
    EXPECT_TRUE(tell(0, VIRTIO_CONSOLE_DEVICE_READY, 1));
    EXPECT_EQ(messages().size(), 2U);
}

TEST_F(ConsoleControlTest, RefusesMessagesCutShortAndBuffersTooSmall) {
    const std::array<std::byte, 7> too_short{};
    EXPECT_FALSE(control.handle({.head = 0, .readable = {too_short}, .writable = {}}));
    EXPECT_FALSE(control.handle({.head = 0, .readable = {}, .writable = {}}));
    EXPECT_TRUE(tell(0, VIRTIO_CONSOLE_DEVICE_READY, 1));
    std::array<std::byte, 7> small{};
    EXPECT_FALSE(control.fill({.head = 0, .readable = {}, .writable = {small}}).has_value());
    EXPECT_EQ(messages().size(), 2U);
}

} // namespace
} // namespace vmm
