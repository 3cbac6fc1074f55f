// SPDX-License-Identifier: BSD-3-Clause
// ConsolePort: typed bytes wait for buffers, printed ones go out.
#include "virtio/console_port.hpp"

#include <algorithm>

namespace vmm {

std::size_t ConsolePort::receive(std::span<const std::byte> bytes) {
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

bool ConsolePort::has_input() {
    const std::scoped_lock lock{mutex_};
    return !input_.empty();
}

std::expected<std::uint32_t, QueueError> ConsolePort::fill(const DescriptorChain& chain) {
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

std::expected<std::uint32_t, QueueError> ConsolePort::print(const DescriptorChain& chain) const {
    if (total_size(chain.readable) > longest_print) {
        return std::unexpected{QueueError::bad_request};
    }
    for (const auto& piece : chain.readable) {
        if (!piece.empty()) {
            sink_.write(piece);
        }
    }
    return 0;
}

} // namespace vmm
