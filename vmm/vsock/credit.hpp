// SPDX-License-Identifier: BSD-3-Clause
// VsockCredit: how much each side of a connection may send (VIRTIO 1.2, 5.10.6.3).
#pragma once

#include <algorithm>
#include <cstdint>

#include "vsock/packet.hpp"

namespace vmm {

// All counters run freely, modulo 2^32. What the guest claims is not trusted: nothing it says lets
// more than `buffer_size` bytes wait here.
class VsockCredit {
public:
    static constexpr std::uint32_t buffer_size = 64 * 1024; // for what the guest sends

    // The guest sent so many bytes; false if it had no right to.
    bool received(std::uint32_t bytes) {
        if (bytes > buffer_size - waiting()) {
            return false;
        }
        received_ += bytes;
        return true;
    }
    // So many of them have gone to the host's program.
    void forwarded(std::uint32_t bytes) { forwarded_ += bytes; }
    // Received and not forwarded.
    [[nodiscard]] std::uint32_t waiting() const { return received_ - forwarded_; }
    // The guest may believe that half of the buffer is full, although some of it is not.
    [[nodiscard]] bool is_worth_an_update() const {
        return received_ - announced_ >= buffer_size / 2 && announced_ != forwarded_;
    }
    // Puts our side into a packet to the guest.
    void announce(VsockHeader& header) {
        header.buffer_size = buffer_size;
        header.forwarded = forwarded_;
        announced_ = forwarded_;
    }

    // What the guest says of its side.
    void update(const VsockHeader& header) {
        guest_buffer_ = header.buffer_size;
        guest_forwarded_ = header.forwarded;
    }
    // How many bytes it may be sent.
    [[nodiscard]] std::uint32_t room() const {
        const std::uint32_t under_way = sent_ - guest_forwarded_;
        return guest_buffer_ - std::min(guest_buffer_, under_way);
    }
    void sent(std::uint32_t bytes) { sent_ += bytes; }

private:
    std::uint32_t received_ = 0;
    std::uint32_t forwarded_ = 0;
    std::uint32_t announced_ = 0;
    std::uint32_t guest_buffer_ = 0;
    std::uint32_t guest_forwarded_ = 0;
    std::uint32_t sent_ = 0;
};

} // namespace vmm
