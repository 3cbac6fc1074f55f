// SPDX-License-Identifier: BSD-3-Clause
// VsockDevice: packets between the queues and the host's side.
#include "virtio/vsock_device.hpp"

#include <linux/virtio_ids.h>
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <utility>

namespace vmm {
namespace {

constexpr std::array<std::uint16_t, 3> sizes{128, 128, 16};
constexpr std::size_t header_size = sizeof(VsockHeader);

// Cuts `pieces` after `length` bytes; false if there are fewer.
bool keep_first(std::vector<std::span<const std::byte>>& pieces, std::uint64_t length) {
    for (auto& piece : pieces) {
        piece = piece.first(std::min<std::uint64_t>(piece.size(), length));
        length -= piece.size();
    }
    return length == 0;
}

} // namespace

VsockDevice::VsockDevice(std::unique_ptr<VsockHost> host)
    : host_{std::move(host)}, config_{host_->guest_cid()} {
    waiting_.add(again_.fd(), 0, EPOLLIN);
}

std::uint32_t VsockDevice::device_id() const {
    return VIRTIO_ID_VSOCK;
}

std::span<const std::uint16_t> VsockDevice::queue_sizes() const {
    return sizes;
}

std::span<const std::byte> VsockDevice::config() const {
    return std::as_bytes(std::span{&config_, 1});
}

void VsockDevice::listen_to_host(bool wanted) {
    if (wanted != std::exchange(listens_, wanted)) {
        if (wanted) {
            waiting_.add(host_->fd(), 0, EPOLLIN);
        } else {
            waiting_.remove(host_->fd());
        }
    }
}

std::expected<bool, QueueError> VsockDevice::process(unsigned index, Virtqueue& queue) {
    if (index == event_queue) {
        return false;
    }
    again_.drain();
    if (index == receive_queue) {
        host_->poll();
        auto again = drain(
            queue, [this](DescriptorChain& chain) { return fill(chain); },
            [this] { return host_->has_packet(); });
        listen_to_host(!host_->has_packet());
        if (transmit_stopped_ && host_->can_receive()) {
            again_.signal();
        }
        return again;
    }
    auto again = drain(
        queue, [this](DescriptorChain& chain) { return transmit(chain); },
        [this] {
            transmit_stopped_ = !host_->can_receive();
            return !transmit_stopped_;
        });
    if (listens_ && host_->has_packet()) {
        again_.signal();
    }
    return again;
}

std::expected<std::uint32_t, QueueError> VsockDevice::fill(const DescriptorChain& chain) {
    const std::uint64_t room = total_size(chain.writable);
    if (room <= header_size) {
        return std::unexpected{QueueError::bad_request};
    }
    const auto packet = host_->take_packet(room - header_size);
    std::vector<std::byte> bytes(header_size + packet.payload.size());
    std::ranges::copy(std::as_bytes(std::span{&packet.header, 1}), bytes.begin());
    std::ranges::copy(packet.payload, bytes.begin() + header_size);
    return static_cast<std::uint32_t>(scatter(bytes, chain.writable));
}

std::expected<std::uint32_t, QueueError> VsockDevice::transmit(DescriptorChain& chain) {
    VsockHeader header;
    if (!take_front(chain.readable, std::as_writable_bytes(std::span{&header, 1})) ||
        !keep_first(chain.readable, header.length)) {
        return std::unexpected{QueueError::bad_request};
    }
    host_->receive(header, chain.readable);
    return 0;
}

void VsockDevice::reset() {
    host_->reset();
    transmit_stopped_ = false;
    listen_to_host(false);
    again_.drain();
}

} // namespace vmm
