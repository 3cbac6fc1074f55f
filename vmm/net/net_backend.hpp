// SPDX-License-Identifier: BSD-3-Clause
// NetBackend: the host's end of a network device, one Ethernet frame at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "net/net_format.hpp"

namespace vmm {

// What the guest and the host leave to each other (checksums, segmentation) stands in the header
// (VIRTIO 1.2, 5.1.6); all zero without offloads.
struct NetFrame {
    NetHeader header;
    std::span<const std::byte> bytes;
};

// Used by one device, one call at a time. Nothing here blocks or throws.
class NetBackend {
public:
    // The longest frame of both directions: 64 KiB less one, and an Ethernet header.
    static constexpr std::size_t longest_frame = 65535 + 14;

    virtual ~NetBackend() = default;

    // Feature bits of the device that this end can bear (net_feature).
    [[nodiscard]] virtual std::uint64_t offloads() const { return 0; }
    // Those that the guest's driver took; zero when it has reset the device.
    virtual void use_offloads(std::uint64_t /*features*/) {}

    // What to wait for: readable when front() may have news, writable when can_send() may.
    [[nodiscard]] virtual int fd() const = 0;
    // False when the other end has gone: frames are lost, none come.
    [[nodiscard]] virtual bool is_open() const = 0;

    // Whether a frame would be taken now. Finishes what the last send() left over.
    virtual bool can_send() = 0;
    // Sends a frame, or loses it as networks do. Only after can_send().
    virtual void send(const NetHeader& header,
                      std::span<const std::span<const std::byte>> pieces) = 0;

    // The next frame from the host; it stays the same until pop() and is gone with it.
    virtual std::optional<NetFrame> front() = 0;
    virtual void pop() = 0;
};

} // namespace vmm
