// SPDX-License-Identifier: BSD-3-Clause
// Fuzz target: the network device's queues, and a host at the other end of the stream.
#include <sys/socket.h>

#include <array>
#include <cstdlib>

#include "fuzz/device_driver.hpp"
#include "net/stream_backend.hpp"
#include "virtio/net_device.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    vmm::fuzz::FuzzInput input{data, size};
    std::array<int, 2> ends{-1, -1};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()) != 0) {
        std::abort();
    }
    gunyah::FileDescriptor other{ends[1]};
    unsigned closed = 0;
    vmm::NetDevice device{std::make_unique<vmm::StreamBackend>(gunyah::FileDescriptor{ends[0]}),
                          {2, 0, 0, 0, 0, 1},
                          vmm::NetDevice::stream_mtu,
                          [&closed] { ++closed; }};
    // Half of the inputs have mergeable buffers.
    device.negotiated(input.take<std::uint8_t>() % 2 * device.features());
    vmm::fuzz::drive(device, input, [&](vmm::fuzz::FuzzInput& host) {
        const auto count = host.take<std::uint8_t>();
        if (count == 0) {
            other = gunyah::FileDescriptor{};
            return;
        }
        std::array<std::byte, 4096> frames;
        static_cast<void>(::recv(other.get(), frames.data(), frames.size(), 0));
        const auto bytes = host.take_bytes(count);
        static_cast<void>(::send(other.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL));
    });
    if (closed > 1) {
        std::abort();
    }
    return 0;
}
