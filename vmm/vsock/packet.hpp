// SPDX-License-Identifier: BSD-3-Clause
// What virtio-vsock's driver and device exchange (VIRTIO 1.2, 5.10.6).
#pragma once

#include <cstdint>

namespace vmm {

constexpr std::uint64_t vsock_host_cid = 2;
constexpr std::uint16_t vsock_stream = 1;

enum class VsockOperation : std::uint16_t {
    request = 1,
    response = 2,
    reset = 3,
    shutdown = 4,
    data = 5,
    credit_update = 6,
    credit_request = 7,
};

// Flags of `shutdown`: what its sender will not do any more.
constexpr std::uint32_t vsock_no_receive = 1;
constexpr std::uint32_t vsock_no_send = 2;

// In front of every packet, little-endian.
struct [[gnu::packed]] VsockHeader {
    std::uint64_t source_cid = 0;
    std::uint64_t destination_cid = 0;
    std::uint32_t source_port = 0;
    std::uint32_t destination_port = 0;
    std::uint32_t length = 0; // of what follows
    std::uint16_t type = vsock_stream;
    VsockOperation operation = VsockOperation::reset;
    std::uint32_t flags = 0;
    std::uint32_t buffer_size = 0; // the sender's, for this connection
    std::uint32_t forwarded = 0;   // bytes that have left it so far, modulo 2^32
};
static_assert(sizeof(VsockHeader) == 44);

} // namespace vmm
