// SPDX-License-Identifier: BSD-3-Clause
// ConsoleDevice: moves bytes between the queues and the host's console.
#include "virtio/console_device.hpp"

#include <linux/virtio_ids.h>

#include <algorithm>
#include <array>
#include <utility>

namespace vmm {
namespace {

constexpr std::array<std::uint16_t, 2> sizes{64, 64};
// A descriptor may name all of guest RAM; nobody prints that much in one go.
constexpr std::size_t max_print = std::size_t{1} << 16;

} // namespace

ConsoleDevice::ConsoleDevice(CharacterOutput output) : output_{std::move(output)} {}

std::uint32_t ConsoleDevice::device_id() const {
    return VIRTIO_ID_CONSOLE;
}

std::span<const std::uint16_t> ConsoleDevice::queue_sizes() const {
    return sizes;
}

std::expected<bool, QueueError> ConsoleDevice::process(unsigned index, Virtqueue& queue) {
    if (index == receive_queue) {
        return drain(
            queue, [this](DescriptorChain& chain) { return fill(chain); },
            [this] { return has_input(); });
    }
    return drain(queue, [this](DescriptorChain& chain) { return print(chain); });
}

std::size_t ConsoleDevice::receive(std::span<const std::byte> bytes) {
    std::size_t count = 0;
    {
        const std::scoped_lock lock{mutex_};
        count = std::min(bytes.size(), input_capacity - input_.size());
        const auto taken = bytes.first(count);
        input_.insert(input_.end(), taken.begin(), taken.end());
        refused_ = count < bytes.size();
    }
    if (count != 0 && input_ready_) {
        input_ready_();
    }
    return count;
}

bool ConsoleDevice::has_input() {
    const std::scoped_lock lock{mutex_};
    return !input_.empty();
}

std::expected<std::uint32_t, QueueError> ConsoleDevice::fill(const DescriptorChain& chain) {
    const std::scoped_lock lock{mutex_};
    const std::size_t count = scatter(input_, chain.writable);
    if (count == 0) {
        return std::unexpected{QueueError::bad_request}; // a receive buffer without room
    }
    input_.erase(input_.begin(), input_.begin() + static_cast<std::ptrdiff_t>(count));
    if (refused_) {
        refused_ = false;
        report_room();
    }
    return static_cast<std::uint32_t>(count);
}

std::expected<std::uint32_t, QueueError> ConsoleDevice::print(const DescriptorChain& chain) {
    if (total_size(chain.readable) > max_print) {
        return std::unexpected{QueueError::bad_request};
    }
    for (const auto& piece : chain.readable) {
        if (!piece.empty()) {
            output_(piece);
        }
    }
    return 0;
}

} // namespace vmm
