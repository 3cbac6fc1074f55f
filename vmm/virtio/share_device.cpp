// SPDX-License-Identifier: BSD-3-Clause
// ShareDevice: copies a request out of guest memory, has it answered, copies the reply back.
#include "virtio/share_device.hpp"

#include <linux/virtio_9p.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace vmm {
namespace {

using share::Header;

constexpr std::array<std::uint16_t, 1> sizes{128};

Header parse(const std::array<std::byte, Header::size>& bytes) {
    Header header{};
    std::memcpy(&header.length, bytes.data(), sizeof(header.length));
    header.type = std::to_integer<std::uint8_t>(bytes[4]);
    std::memcpy(&header.tag, bytes.data() + 5, sizeof(header.tag));
    return header;
}

} // namespace

ShareDevice::ShareDevice(const std::string& path, const std::string& tag, bool read_only,
                         std::size_t most_files)
    : session_{path, read_only, most_files} {
    const auto length = static_cast<std::uint16_t>(std::min(tag.size(), longest_tag));
    config_.resize(sizeof(length) + length);
    std::memcpy(config_.data(), &length, sizeof(length));
    std::memcpy(config_.data() + sizeof(length), tag.data(), length);
}

std::uint32_t ShareDevice::device_id() const {
    return VIRTIO_ID_9P;
}

std::uint64_t ShareDevice::features() const {
    return feature(VIRTIO_9P_MOUNT_TAG);
}

std::span<const std::uint16_t> ShareDevice::queue_sizes() const {
    return sizes;
}

std::expected<bool, QueueError> ShareDevice::process(unsigned /*index*/, Virtqueue& queue) {
    return drain(queue, [this](DescriptorChain& chain) { return handle(chain); });
}

std::expected<std::uint32_t, QueueError> ShareDevice::handle(DescriptorChain& chain) {
    std::array<std::byte, Header::size> bytes{};
    const std::uint64_t room = total_size(chain.writable);
    if (room < Header::error_size || !take_front(chain.readable, bytes)) {
        return std::unexpected{QueueError::bad_request};
    }
    Header header = parse(bytes);
    if (!take_body(header, chain)) {
        header.type = 0; // nothing is called so: the reply is an error
        body_.clear();
    }
    return static_cast<std::uint32_t>(
        scatter(session_.answer(header, body_, room), chain.writable));
}

bool ShareDevice::take_body(const Header& header, DescriptorChain& chain) {
    if (header.length < Header::size || header.length > share::Session::largest_message ||
        header.length - Header::size > total_size(chain.readable)) {
        return false;
    }
    body_.resize(header.length - Header::size);
    return take_front(chain.readable, body_);
}

} // namespace vmm
