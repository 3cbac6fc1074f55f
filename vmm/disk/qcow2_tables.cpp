// SPDX-License-Identifier: BSD-3-Clause
// Qcow2Tables: L1, L2, refcounts.
#include "disk/qcow2_tables.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "disk/big_endian.hpp"

namespace vmm {
namespace {

constexpr std::uint64_t offset_mask = 0x00ff'ffff'ffff'fe00; // bits 9 to 55 of L1 and L2 entries
constexpr std::uint64_t refcount_offset_mask = ~std::uint64_t{0x1ff};
constexpr std::uint64_t copied = std::uint64_t{1} << 63; // the refcount is exactly one
constexpr std::uint64_t compressed = std::uint64_t{1} << 62;
constexpr std::uint64_t reads_as_zero = 1; // version 3
constexpr std::size_t entry_size = sizeof(std::uint64_t);
constexpr std::size_t refcount_size = sizeof(std::uint16_t); // the writable images' (Qcow2Image)

std::optional<std::vector<std::uint64_t>> read_table(const HostFile& file, std::uint64_t offset,
                                                     std::size_t entries) {
    std::vector<std::byte> bytes(entries * entry_size);
    if (!file.read(bytes, offset)) {
        return std::nullopt;
    }
    std::vector<std::uint64_t> table(entries);
    for (std::size_t index = 0; index < entries; ++index) {
        table[index] = load_big_endian<std::uint64_t>(bytes, index * entry_size);
    }
    return table;
}

bool overlap(std::uint64_t first, std::uint64_t first_size, std::uint64_t second,
             std::uint64_t second_size) {
    return first < second + second_size && second < first + first_size;
}

} // namespace

bool Qcow2Tables::load() {
    auto l1 = read_table(file_, header_.l1_offset, header_.l1_entries);
    if (l1) {
        l1_ = std::move(*l1);
    }
    return l1.has_value();
}

// A whole cluster within the file that is nobody's table, as far as that is known for certain.
bool Qcow2Tables::is_cluster(std::uint64_t offset) const {
    const std::uint64_t size = header_.cluster_size();
    return offset != 0 && offset % size == 0 && offset < file_.size() &&
           !overlap(offset, size, header_.l1_offset, header_.l1_entries * entry_size) &&
           !overlap(offset, size, header_.refcount_table_offset,
                    header_.refcount_table_clusters * size);
}

// "Compressed Clusters Descriptor": an offset of x bits, then how many sectors there are more than
// the one it lies in.
std::optional<Qcow2Cluster> Qcow2Tables::compressed_cluster(std::uint64_t entry) const {
    constexpr std::uint64_t sector = 512;
    const unsigned x = 62 - (header_.cluster_bits - 8);
    const std::uint64_t offset = entry & ((std::uint64_t{1} << x) - 1);
    const std::uint64_t more = (entry & (compressed - 1)) >> x;
    const std::uint64_t size = (more + 1) * sector - offset % sector;
    if (offset >= file_.size()) {
        return std::nullopt;
    }
    return Qcow2Cluster{.kind = Qcow2Cluster::Kind::compressed,
                        .offset = offset,
                        .size = std::min(size, file_.size() - offset)};
}

std::optional<Qcow2Cluster> Qcow2Tables::find(std::uint64_t cluster) {
    const std::uint64_t l1_index = cluster / entries_per_table();
    const std::uint64_t l2_offset = l1_[l1_index] & offset_mask;
    if (l2_offset == 0) {
        return Qcow2Cluster{};
    }
    const L2Table* l2 = table(l1_index, l2_offset);
    if (l2 == nullptr) {
        return std::nullopt;
    }
    const std::uint64_t entry = l2->entries[cluster % entries_per_table()];
    if ((entry & compressed) != 0) {
        return compressed_cluster(entry);
    }
    const std::uint64_t offset = entry & offset_mask;
    if (offset != 0 && !is_cluster(offset)) {
        return std::nullopt;
    }
    if (header_.version >= 3 && (entry & reads_as_zero) != 0) {
        return Qcow2Cluster{.kind = Qcow2Cluster::Kind::zero, .offset = offset};
    }
    return offset == 0 ? Qcow2Cluster{}
                       : Qcow2Cluster{.kind = Qcow2Cluster::Kind::data, .offset = offset};
}

Qcow2Tables::L2Table* Qcow2Tables::table(std::uint64_t l1_index, std::uint64_t offset) {
    if (const auto found = cache_.find(l1_index); found != cache_.end()) {
        return &found->second;
    }
    if (cache_.size() >= most_cached()) {
        if (!flush()) {
            return nullptr;
        }
        cache_.clear();
    }
    const bool whole = is_cluster(offset) && header_.cluster_size() <= file_.size() - offset;
    auto entries = whole ? read_table(file_, offset, entries_per_table()) : std::nullopt;
    if (!entries) {
        return nullptr;
    }
    return &cache_.emplace(l1_index, L2Table{.entries = std::move(*entries)}).first->second;
}

Qcow2Tables::L2Table* Qcow2Tables::table_to_change(std::uint64_t l1_index) {
    if (const std::uint64_t offset = l1_[l1_index] & offset_mask; offset != 0) {
        // Without snapshots every table has one user; an image that says otherwise is damaged.
        return (l1_[l1_index] & copied) != 0 ? table(l1_index, offset) : nullptr;
    }
    const auto offset = allocate();
    if (!offset || !file_.write_zeroes(*offset, header_.cluster_size(), false)) {
        return nullptr;
    }
    L2Table* added = table(l1_index, *offset);
    if (added != nullptr) {
        l1_[l1_index] = *offset | copied;
        l1_dirty_ = true;
    }
    return added;
}

bool Qcow2Tables::set(std::uint64_t cluster, const Qcow2Cluster& entry) {
    L2Table* l2 = table_to_change(cluster / entries_per_table());
    if (l2 == nullptr) {
        return false;
    }
    const std::uint64_t used = entry.offset != 0 ? entry.offset | copied : 0;
    const bool is_zero = entry.kind == Qcow2Cluster::Kind::zero;
    l2->entries[cluster % entries_per_table()] = used | (is_zero ? reads_as_zero : 0);
    l2->dirty = true;
    return true;
}

std::optional<std::uint64_t> Qcow2Tables::allocate() {
    const std::uint64_t size = header_.cluster_size();
    // A refcount block that is missing is allocated on the way, from the same end.
    for (unsigned attempt = 0; attempt < 2; ++attempt) {
        const std::uint64_t offset = (file_.size() + size - 1) / size * size;
        const std::uint64_t per_block = size / refcount_size;
        const auto block = refcount_block(offset / size / per_block);
        if (!block) {
            return std::nullopt;
        }
        if (offset < file_.size()) {
            continue; // the block took it
        }
        std::array<std::byte, 1> last{};
        if (!file_.write(last, offset + size - 1) || !count_as_used(offset)) {
            return std::nullopt;
        }
        return offset;
    }
    return std::nullopt;
}

bool Qcow2Tables::count_as_used(std::uint64_t offset) {
    const std::uint64_t cluster = offset / header_.cluster_size();
    const std::uint64_t per_block = header_.cluster_size() / refcount_size;
    const auto block = refcount_block(cluster / per_block);
    std::array<std::byte, refcount_size> one{};
    store_big_endian<std::uint16_t>(one, 0, 1);
    return block && file_.write(one, *block + cluster % per_block * refcount_size);
}

// The block with this index in the refcount table, made at the file's end if it is missing.
std::optional<std::uint64_t> Qcow2Tables::refcount_block(std::uint64_t index) {
    const std::uint64_t size = header_.cluster_size();
    if (index >= header_.refcount_table_clusters * size / entry_size) {
        return std::nullopt; // the table is full
    }
    std::array<std::byte, entry_size> bytes{};
    const std::uint64_t place = header_.refcount_table_offset + index * entry_size;
    if (!file_.read(bytes, place)) {
        return std::nullopt;
    }
    if (const auto entry = load_big_endian<std::uint64_t>(bytes, 0) & refcount_offset_mask;
        entry != 0) {
        return is_cluster(entry) ? std::optional{entry} : std::nullopt;
    }
    const std::uint64_t offset = (file_.size() + size - 1) / size * size;
    // It counts itself if it stands within its own reach; else an earlier block does.
    const std::uint64_t per_block = size / refcount_size;
    std::array<std::byte, 1> last{};
    store_big_endian<std::uint64_t>(bytes, 0, offset);
    if (!file_.write(last, offset + size - 1) || !file_.write_zeroes(offset, size, false) ||
        !file_.flush() || !file_.write(bytes, place)) {
        return std::nullopt;
    }
    const bool counts_itself = offset / size / per_block == index;
    return counts_itself && count_as_used(offset) ? std::optional{offset} : std::nullopt;
}

bool Qcow2Tables::write_table(std::uint64_t offset, const std::vector<std::uint64_t>& entries) {
    std::vector<std::byte> bytes(entries.size() * entry_size);
    for (std::size_t index = 0; index < entries.size(); ++index) {
        store_big_endian(bytes, index * entry_size, entries[index]);
    }
    return file_.write(bytes, offset);
}

bool Qcow2Tables::write_dirty_l2_tables() {
    return std::ranges::all_of(cache_, [this](auto& cached) {
        auto& [l1_index, l2] = cached;
        if (l2.dirty && !write_table(l1_[l1_index] & offset_mask, l2.entries)) {
            return false;
        }
        l2.dirty = false;
        return true;
    });
}

bool Qcow2Tables::flush() {
    const bool has_dirty_l2 =
        std::ranges::any_of(cache_, [](const auto& cached) { return cached.second.dirty; });
    if (!file_.flush()) {
        return false;
    }
    if (has_dirty_l2 && (!write_dirty_l2_tables() || !file_.flush())) {
        return false;
    }
    if (l1_dirty_ && (!write_table(header_.l1_offset, l1_) || !file_.flush())) {
        return false;
    }
    l1_dirty_ = false;
    return true;
}

} // namespace vmm
