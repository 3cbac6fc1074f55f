// SPDX-License-Identifier: BSD-3-Clause
// BlockDevice: virtio-blk over a DiskImage (VIRTIO 1.2, 5.2).
#pragma once

#include <linux/virtio_blk.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "disk/async_file.hpp"
#include "disk/disk_image.hpp"
#include "virtio/device.hpp"

namespace vmm {

// One queue. Reads, writes and flushes that need nothing but the image's file go on side by side
// while the guest runs, where there is an AsyncFile; the others are carried out one at a time in
// the thread that calls process().
class BlockDevice : public VirtioDevice {
public:
    // `id`: what the guest sees as serial number, cut after 20 bytes. `file`: disk->file(), or
    // nothing.
    BlockDevice(std::unique_ptr<DiskImage> disk, std::string id,
                std::unique_ptr<AsyncFile> file = nullptr);

    [[nodiscard]] std::uint32_t device_id() const override;
    [[nodiscard]] std::uint64_t features() const override;
    [[nodiscard]] std::span<const std::uint16_t> queue_sizes() const override;
    [[nodiscard]] std::span<const std::byte> config() const override;
    std::expected<bool, QueueError> process(unsigned index, Virtqueue& queue) override;
    [[nodiscard]] int wake_fd() const override { return file_ ? file_->wake_fd() : -1; }
    // Waits for what is under way: the memory is the driver's again.
    void reset() override;

private:
    struct Outcome {
        std::uint8_t status;         // VIRTIO_BLK_S_*
        std::uint32_t data_read = 0; // bytes put into the guest's buffers
    };

    [[nodiscard]] std::expected<std::optional<std::uint32_t>, QueueError>
    handle(DescriptorChain& chain);
    // Begins a request that is finished later; false: it has to be executed.
    [[nodiscard]] bool begin(const virtio_blk_outhdr& header, const DescriptorChain& chain,
                             std::byte* status);
    void finish(std::uint16_t head, std::byte* status, Outcome outcome);
    [[nodiscard]] Outcome execute(const virtio_blk_outhdr& header, DescriptorChain& chain) const;
    [[nodiscard]] Outcome read(std::uint64_t sector, const DescriptorChain& chain) const;
    [[nodiscard]] Outcome write(std::uint64_t sector, const DescriptorChain& chain) const;
    // DISCARD and WRITE_ZEROES, which have the same form.
    [[nodiscard]] Outcome clear(DescriptorChain& chain, bool zeroes) const;
    [[nodiscard]] Outcome identify(const DescriptorChain& chain) const;
    [[nodiscard]] bool contains(std::uint64_t sector, std::uint64_t bytes) const;

    std::unique_ptr<DiskImage> disk_;
    std::string id_;
    virtio_blk_config config_{};
    std::vector<UsedChain> finished_; // to be given back
    std::unique_ptr<AsyncFile> file_; // goes before the disk
};

} // namespace vmm
