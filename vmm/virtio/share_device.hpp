// SPDX-License-Identifier: BSD-3-Clause
// ShareDevice: a shared directory as virtio 9P transport (Linux, include/uapi/linux/virtio_9p.h).
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "share/session.hpp"
#include "virtio/device.hpp"

namespace vmm {

// One queue; a chain is a request and the room for its reply. Requests are carried out in order, in
// the thread that calls process().
class ShareDevice : public VirtioDevice {
public:
    // `tag` is the name that the guest mounts it by, 1 to longest_tag bytes. `most_files`: how many
    // descriptors it may hold. Throws gunyah::Error when `path` cannot be shared.
    static constexpr std::size_t longest_tag = 255;
    ShareDevice(const std::string& path, const std::string& tag, bool read_only,
                std::size_t most_files);

    [[nodiscard]] std::uint32_t device_id() const override;
    [[nodiscard]] std::uint64_t features() const override;
    [[nodiscard]] std::span<const std::uint16_t> queue_sizes() const override;
    [[nodiscard]] std::span<const std::byte> config() const override { return config_; }
    std::expected<bool, QueueError> process(unsigned index, Virtqueue& queue) override;
    void reset() override { session_.reset(); }

private:
    std::expected<std::uint32_t, QueueError> handle(DescriptorChain& chain);
    // The fields of a request whose header has been taken; nothing if its length is wrong.
    bool take_body(const share::Header& header, DescriptorChain& chain);

    share::Session session_;
    std::vector<std::byte> config_;
    std::vector<std::byte> body_;
};

} // namespace vmm
