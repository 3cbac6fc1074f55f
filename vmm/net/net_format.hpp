// SPDX-License-Identifier: BSD-3-Clause
// What virtio-net's driver and device exchange (VIRTIO 1.2, 5.1); Linux's header is no C++.
#pragma once

#include <cstdint>

namespace vmm {

// In front of every frame (5.1.6), little-endian. Also what tap devices speak.
struct NetHeader {
    std::uint8_t flags = 0;
    std::uint8_t gso_type = 0;
    std::uint16_t header_length = 0;
    std::uint16_t gso_size = 0;
    std::uint16_t checksum_start = 0;
    std::uint16_t checksum_offset = 0;
    std::uint16_t buffers = 0; // receive only: descriptor chains that the frame lies in
};
static_assert(sizeof(NetHeader) == 12);

// The configuration space (5.1.4), as far as our features make it valid.
struct [[gnu::packed]] NetConfig {
    std::uint8_t mac[6] = {};
    std::uint16_t status = 0;
    std::uint16_t queue_pairs = 1;
    std::uint16_t mtu = 0;
};
static_assert(sizeof(NetConfig) == 12);

constexpr std::uint16_t net_link_up = 1;

// Feature bits (5.1.3).
namespace net_feature {
constexpr unsigned checksum = 0;       // the device completes checksums
constexpr unsigned guest_checksum = 1; // the driver does
constexpr unsigned mtu = 3;
constexpr unsigned mac = 5;
constexpr unsigned guest_tso4 = 7; // the driver takes large segments
constexpr unsigned guest_tso6 = 8;
constexpr unsigned guest_ecn = 9;
constexpr unsigned host_tso4 = 11; // the device does
constexpr unsigned host_tso6 = 12;
constexpr unsigned host_ecn = 13;
constexpr unsigned mergeable_buffers = 15;
constexpr unsigned status = 16;
} // namespace net_feature

} // namespace vmm
