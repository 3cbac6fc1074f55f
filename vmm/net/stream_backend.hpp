// SPDX-License-Identifier: BSD-3-Clause
// StreamBackend: frames over a stream socket, as passt takes them.
#pragma once

#include <vector>

#include "libgunyah/file_descriptor.hpp"
#include "net/net_backend.hpp"

namespace vmm {

// Each frame has its length in front, 32 bits, big-endian (passt(1), "--socket"; QEMU's
// "-netdev stream"). The other end is trusted no more than a network: a length that no frame has
// closes the connection.
class StreamBackend : public NetBackend {
public:
    // `socket`: connected; becomes non-blocking.
    explicit StreamBackend(gunyah::FileDescriptor socket);

    [[nodiscard]] int fd() const override { return socket_.get(); }
    [[nodiscard]] bool is_open() const override { return open_; }
    bool can_send() override;
    void send(const NetHeader& header, std::span<const std::span<const std::byte>> pieces) override;
    std::optional<NetFrame> front() override;
    void pop() override;

private:
    void keep_rest(std::span<const std::span<const std::byte>> pieces, std::size_t sent);
    bool read_more();

    gunyah::FileDescriptor socket_;
    bool open_ = true;
    std::vector<std::byte> unsent_; // the end of a frame whose beginning the socket took
    std::vector<std::byte> received_;
    std::size_t begin_ = 0; // of what is not taken yet, in received_
    std::size_t end_ = 0;
};

} // namespace vmm
