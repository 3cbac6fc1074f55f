// SPDX-License-Identifier: BSD-3-Clause
// Qcow2Tables: where a qcow2 image keeps each cluster of its disk (QEMU, docs/interop/qcow2.txt,
// "Cluster mapping" and "Host cluster management").
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "disk/host_file.hpp"
#include "disk/qcow2_header.hpp"

namespace vmm {

// What stands for one cluster.
struct Qcow2Cluster {
    enum class Kind {
        absent,     // in the backing file, or zero
        zero,       // reads as zero; `offset` is its place in the file, 0 if it has none
        data,       // at `offset`
        compressed, // `size` bytes at `offset`, which is any, that hold its data
    };
    Kind kind = Kind::absent;
    std::uint64_t offset = 0;
    std::uint64_t size = 0; // of compressed data, rounded up
};

// New entries are kept in memory until flush(), which writes them behind what they refer to, with a
// barrier in between: after a crash of the host the image is one that was flushed, and at worst
// some clusters of the file belong to nobody.
//
//     refcounts and data --barrier--> L2 tables --barrier--> L1 table --barrier-->
//
// New clusters come from the file's end. Nothing that the image says is trusted: offsets are
// checked before they are used, and no entry leads to the header or the L1 and refcount tables.
class Qcow2Tables {
public:
    // `file` outlives the tables. `header` is that of the file.
    Qcow2Tables(HostFile& file, const Qcow2Header& header) : file_{file}, header_{header} {}

    // Reads the L1 table; false on an I/O error.
    [[nodiscard]] bool load();

    // What stands for the cluster with this number, less than the disk's clusters. None: the image
    // is damaged there, or cannot be read.
    [[nodiscard]] std::optional<Qcow2Cluster> find(std::uint64_t cluster);
    // A new place for a cluster's data, counted as used; none: no room, or an I/O error.
    [[nodiscard]] std::optional<std::uint64_t> allocate();
    // Makes `entry` (data or zero) stand for the cluster.
    [[nodiscard]] bool set(std::uint64_t cluster, const Qcow2Cluster& entry);
    [[nodiscard]] bool flush();

private:
    struct L2Table {
        std::vector<std::uint64_t> entries;
        bool dirty = false;
    };

    // 4 MiB of tables, at least two.
    [[nodiscard]] std::size_t most_cached() const {
        return std::max<std::size_t>(2, (std::size_t{4} << 20) >> header_.cluster_bits);
    }
    [[nodiscard]] std::uint64_t entries_per_table() const { return header_.cluster_size() / 8; }
    [[nodiscard]] bool is_cluster(std::uint64_t offset) const;
    [[nodiscard]] std::optional<Qcow2Cluster> compressed_cluster(std::uint64_t entry) const;
    // The table for an L1 index, from the cache or the file; nullptr on an error.
    L2Table* table(std::uint64_t l1_index, std::uint64_t offset);
    L2Table* table_to_change(std::uint64_t l1_index);
    [[nodiscard]] bool count_as_used(std::uint64_t offset);
    [[nodiscard]] std::optional<std::uint64_t> refcount_block(std::uint64_t index);
    [[nodiscard]] bool write_table(std::uint64_t offset, const std::vector<std::uint64_t>& entries);
    [[nodiscard]] bool write_dirty_l2_tables();

    HostFile& file_;
    const Qcow2Header& header_;
    std::vector<std::uint64_t> l1_;
    bool l1_dirty_ = false;
    std::map<std::uint64_t, L2Table> cache_; // by L1 index
};

} // namespace vmm
