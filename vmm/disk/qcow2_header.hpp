// SPDX-License-Identifier: BSD-3-Clause
// Qcow2Header: the first cluster of a qcow2 image (QEMU, docs/interop/qcow2.txt, "Header").
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>

#include "disk/qcow2_compression.hpp"

namespace vmm {

struct Qcow2Header {
    static constexpr std::array<std::byte, 4> magic{std::byte{'Q'}, std::byte{'F'}, std::byte{'I'},
                                                    std::byte{0xfb}};
    // What parse() wants of a file that is that long: the header's extensions, and the backing
    // file's name, lie within.
    static constexpr std::size_t most_bytes = 64 * 1024;

    unsigned version = 3;
    unsigned cluster_bits = 16;  // 9 to 21
    std::uint64_t disk_size = 0; // bytes, whole sectors
    std::uint32_t l1_entries = 0;
    std::uint64_t l1_offset = 0; // in the file, as the next
    std::uint64_t refcount_table_offset = 0;
    std::uint32_t refcount_table_clusters = 0;
    std::uint32_t snapshots = 0;
    bool has_autoclear_features = false;
    unsigned refcount_bits = 16;
    Qcow2Compression compression = Qcow2Compression::zlib;
    std::string backing_file;   // empty: none
    std::string backing_format; // empty: the image does not say

    [[nodiscard]] std::uint64_t cluster_size() const { return std::uint64_t{1} << cluster_bits; }
    // Guest bytes that one entry of the L1 table covers.
    [[nodiscard]] std::uint64_t l1_reach() const {
        return cluster_size() / sizeof(std::uint64_t) * cluster_size();
    }

    // `start`: the first bytes of a file of `file_size` bytes. What it accepts is consistent:
    // tables are aligned and in the file, and the L1 table covers the disk. The error is "<why>;
    // <advice>".
    static std::expected<Qcow2Header, std::string> parse(std::span<const std::byte> start,
                                                         std::uint64_t file_size);
};

} // namespace vmm
