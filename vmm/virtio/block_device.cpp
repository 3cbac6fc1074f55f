// SPDX-License-Identifier: BSD-3-Clause
// BlockDevice: request parsing and execution (VIRTIO 1.2, 5.2.6).
#include "virtio/block_device.hpp"

#include <linux/virtio_ids.h>

#include <algorithm>
#include <array>
#include <utility>

namespace vmm {
namespace {

constexpr std::array<std::uint16_t, 1> sizes{256};
// Header and status take a descriptor each.
constexpr std::uint32_t max_segments = 254;
constexpr std::uint32_t max_discard_sectors = 1U << 22; // 2 GiB in one request
// 32 MiB: where the host's file system cannot do it, zeroes are written.
constexpr std::uint32_t max_zeroed_sectors = 1U << 16;

template <typename Pieces>
std::vector<iovec> to_iovec(const Pieces& pieces) {
    std::vector<iovec> result;
    result.reserve(pieces.size());
    for (const auto& piece : pieces) {
        result.push_back({const_cast<std::byte*>(piece.data()), piece.size()});
    }
    return result;
}

} // namespace

BlockDevice::BlockDevice(std::unique_ptr<DiskImage> disk, std::string id,
                         std::unique_ptr<AsyncFile> file)
    : disk_{std::move(disk)}, id_{std::move(id)}, file_{std::move(file)} {
    id_.resize(VIRTIO_BLK_ID_BYTES);
    config_.capacity = disk_->sectors();
    config_.seg_max = max_segments;
    config_.blk_size = DiskImage::sector_size;
    config_.max_discard_sectors = max_discard_sectors;
    config_.max_discard_seg = 1;
    config_.discard_sector_alignment = 8;
    config_.max_write_zeroes_sectors = max_zeroed_sectors;
    config_.max_write_zeroes_seg = 1;
    config_.write_zeroes_may_unmap = 1;
}

std::uint32_t BlockDevice::device_id() const {
    return VIRTIO_ID_BLOCK;
}

std::uint64_t BlockDevice::features() const {
    const std::uint64_t common = feature(VIRTIO_BLK_F_SEG_MAX) | feature(VIRTIO_BLK_F_BLK_SIZE) |
                                 feature(VIRTIO_BLK_F_FLUSH);
    const std::uint64_t clearing =
        feature(VIRTIO_BLK_F_DISCARD) | feature(VIRTIO_BLK_F_WRITE_ZEROES);
    return common | (disk_->read_only() ? feature(VIRTIO_BLK_F_RO) : clearing);
}

std::span<const std::uint16_t> BlockDevice::queue_sizes() const {
    return sizes;
}

std::span<const std::byte> BlockDevice::config() const {
    return std::as_bytes(std::span{&config_, 1});
}

std::expected<bool, QueueError> BlockDevice::process(unsigned /*index*/, Virtqueue& queue) {
    const ChainHandler handler = [this](DescriptorChain& chain) { return handle(chain); };
    if (!file_) {
        return drain(queue, handler);
    }
    file_->reap();
    auto again = drain(queue, handler, [this] { return file_->has_room(); });
    if (!again) {
        return again;
    }
    const bool was_full = !file_->has_room();
    const bool submitted = file_->submit();
    file_->reap(); // most of what the host has in memory is done at once
    queue.push(finished_);
    finished_.clear();
    return *again || !submitted || (was_full && file_->has_room());
}

void BlockDevice::reset() {
    if (file_) {
        file_->cancel();
    }
    finished_.clear();
}

std::expected<std::optional<std::uint32_t>, QueueError>
BlockDevice::handle(DescriptorChain& chain) {
    virtio_blk_outhdr header{};
    std::byte* status = take_last_byte(chain.writable);
    if (status == nullptr ||
        !take_front(chain.readable, std::as_writable_bytes(std::span{&header, 1}))) {
        return std::unexpected{QueueError::bad_request};
    }
    if (file_ && begin(header, chain, status)) {
        return std::nullopt;
    }
    const Outcome outcome = execute(header, chain);
    *status = std::byte{outcome.status};
    return outcome.data_read + 1;
}

bool BlockDevice::begin(const virtio_blk_outhdr& header, const DescriptorChain& chain,
                        std::byte* status) {
    const std::uint16_t head = chain.head;
    if (header.type == VIRTIO_BLK_T_FLUSH && disk_->flushes_data_only()) {
        // An error is reported once: who asked again would be told that all is well.
        file_->sync([this, head, status](bool complete) {
            finish(head, status,
                   {static_cast<std::uint8_t>(complete ? VIRTIO_BLK_S_OK : VIRTIO_BLK_S_IOERR)});
        });
        return true;
    }
    const bool reads = header.type == VIRTIO_BLK_T_IN;
    const bool writes = header.type == VIRTIO_BLK_T_OUT && !disk_->read_only();
    const std::uint64_t bytes = reads ? total_size(chain.writable) : total_size(chain.readable);
    if (!(reads || writes) || !contains(header.sector, bytes)) {
        return false;
    }
    const auto place = disk_->place(header.sector * DiskImage::sector_size, bytes);
    if (!place) {
        return false;
    }
    // What the kernel could not do so is done the plain way, which knows why if it cannot, either.
    auto done = [this, chain, status, reads, sector = header.sector](bool complete) {
        const std::uint64_t filled = total_size(chain.writable);
        const Outcome all{VIRTIO_BLK_S_OK, static_cast<std::uint32_t>(reads ? filled : 0)};
        const Outcome outcome = complete ? all : reads ? read(sector, chain) : write(sector, chain);
        finish(chain.head, status, outcome);
    };
    if (reads) {
        file_->read(to_iovec(chain.writable), *place, std::move(done));
    } else {
        file_->write(to_iovec(chain.readable), *place, std::move(done));
    }
    return true;
}

void BlockDevice::finish(std::uint16_t head, std::byte* status, Outcome outcome) {
    *status = std::byte{outcome.status};
    finished_.push_back({head, outcome.data_read + 1});
}

BlockDevice::Outcome BlockDevice::execute(const virtio_blk_outhdr& header,
                                          DescriptorChain& chain) const {
    switch (header.type) {
    case VIRTIO_BLK_T_IN:
        return read(header.sector, chain);
    case VIRTIO_BLK_T_OUT:
        return write(header.sector, chain);
    case VIRTIO_BLK_T_FLUSH:
        return {static_cast<std::uint8_t>(disk_->flush() ? VIRTIO_BLK_S_OK : VIRTIO_BLK_S_IOERR)};
    case VIRTIO_BLK_T_DISCARD:
    case VIRTIO_BLK_T_WRITE_ZEROES:
        return clear(chain, header.type == VIRTIO_BLK_T_WRITE_ZEROES);
    case VIRTIO_BLK_T_GET_ID:
        return identify(chain);
    default:
        return {VIRTIO_BLK_S_UNSUPP};
    }
}

// Whole sectors, all of them on the disk; written so that nothing can wrap.
bool BlockDevice::contains(std::uint64_t sector, std::uint64_t bytes) const {
    const std::uint64_t count = bytes / DiskImage::sector_size;
    return bytes % DiskImage::sector_size == 0 && sector <= disk_->sectors() &&
           count <= disk_->sectors() - sector;
}

BlockDevice::Outcome BlockDevice::read(std::uint64_t sector, const DescriptorChain& chain) const {
    const std::uint64_t bytes = total_size(chain.writable);
    auto pieces = to_iovec(chain.writable);
    if (!contains(sector, bytes) || !disk_->read(pieces, sector * DiskImage::sector_size)) {
        return {VIRTIO_BLK_S_IOERR};
    }
    return {VIRTIO_BLK_S_OK, static_cast<std::uint32_t>(bytes)};
}

BlockDevice::Outcome BlockDevice::write(std::uint64_t sector, const DescriptorChain& chain) const {
    auto pieces = to_iovec(chain.readable);
    const bool possible = !disk_->read_only() && contains(sector, total_size(chain.readable));
    if (!possible || !disk_->write(pieces, sector * DiskImage::sector_size)) {
        return {VIRTIO_BLK_S_IOERR};
    }
    return {VIRTIO_BLK_S_OK};
}

BlockDevice::Outcome BlockDevice::clear(DescriptorChain& chain, bool zeroes) const {
    virtio_blk_discard_write_zeroes range{};
    const bool one_range = total_size(chain.readable) == sizeof(range) &&
                           take_front(chain.readable, std::as_writable_bytes(std::span{&range, 1}));
    if (disk_->read_only() || !one_range) {
        return {VIRTIO_BLK_S_IOERR};
    }
    // 5.2.6.2: a discard has no flags; zeroes may give the blocks back.
    const bool may_unmap = (range.flags & VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP) != 0;
    if ((range.flags & ~VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP) != 0 || (may_unmap && !zeroes)) {
        return {VIRTIO_BLK_S_UNSUPP};
    }
    const std::uint32_t most = zeroes ? max_zeroed_sectors : max_discard_sectors;
    const std::uint64_t bytes = std::uint64_t{range.num_sectors} * DiskImage::sector_size;
    if (range.num_sectors > most || !contains(range.sector, bytes)) {
        return {VIRTIO_BLK_S_IOERR};
    }
    const std::uint64_t offset = range.sector * DiskImage::sector_size;
    if (zeroes && !disk_->write_zeroes(offset, bytes, may_unmap)) {
        return {VIRTIO_BLK_S_IOERR};
    }
    if (!zeroes) {
        disk_->discard(offset, bytes);
    }
    return {VIRTIO_BLK_S_OK};
}

BlockDevice::Outcome BlockDevice::identify(const DescriptorChain& chain) const {
    if (total_size(chain.writable) < id_.size()) {
        return {VIRTIO_BLK_S_IOERR};
    }
    const std::size_t copied = scatter(std::as_bytes(std::span{id_}), chain.writable);
    return {VIRTIO_BLK_S_OK, static_cast<std::uint32_t>(copied)};
}

} // namespace vmm
