// SPDX-License-Identifier: BSD-3-Clause
// Tests of MacAddress and PortForward: what their texts may be.
#include <gtest/gtest.h>

#include "net/mac_address.hpp"
#include "net/port_forward.hpp"

namespace vmm {
namespace {

TEST(MacAddress, IsReadAndWritten) {
    const MacAddress mac{0x02, 0x00, 0x5e, 0x10, 0xab, 0x01};
    EXPECT_EQ(parse_mac("02:00:5e:10:AB:01"), mac);
    EXPECT_EQ(format_mac(mac), "02:00:5e:10:ab:01");
}

TEST(MacAddress, RefusesWhatNoDeviceHas) {
    for (const char* text : {"", "02:00:5e:10:ab", "02:00:5e:10:ab:01:", "02-00-5e-10-ab-01",
                             "02:00:5e:10:ab:0x", "2:00:5e:10:ab:011", "01:00:5e:10:ab:01",
                             "00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "02:00:5e:10:ab: 1"}) {
        EXPECT_FALSE(parse_mac(text)) << text;
    }
}

TEST(MacAddress, DefaultsAreStableAndApart) {
    EXPECT_EQ(default_mac("web", 0), default_mac("web", 0));
    EXPECT_NE(default_mac("web", 0), default_mac("web", 1));
    EXPECT_NE(default_mac("web", 0), default_mac("wec", 0));
    for (std::size_t number = 0; number < 100; ++number) {
        EXPECT_EQ(default_mac("web", number)[0] & 3, 2) << "locally administered, one station's";
    }
}

TEST(PortForward, IsRead) {
    const auto tcp = parse_forward("tcp:2222:22");
    ASSERT_TRUE(tcp);
    EXPECT_FALSE(tcp->udp);
    EXPECT_EQ(tcp->host, 2222);
    EXPECT_EQ(tcp->guest, 22);
    EXPECT_TRUE(parse_forward("udp:53:65535")->udp);
}

TEST(PortForward, RefusesAnythingElse) {
    for (const char* text : {"", "tcp", "tcp:", "tcp:1", "tcp:1:", "tcp:0:1", "tcp:1:0",
                             "tcp:65536:1", "tcp:1:2:3", "sctp:1:2", "tcp:1:2,3", "tcp:-1:2"}) {
        EXPECT_FALSE(parse_forward(text)) << text;
    }
}

} // namespace
} // namespace vmm
