// SPDX-License-Identifier: BSD-3-Clause
// Qcow2Header: field by field, each checked before it is used.
#include "disk/qcow2_header.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "disk/big_endian.hpp"
#include "disk/disk_image.hpp"

namespace vmm {
namespace {

using Problem = std::unexpected<std::string>;
using Bytes = std::span<const std::byte>;

// Offsets of fields.
constexpr std::size_t version_at = 4;
constexpr std::size_t backing_offset_at = 8;
constexpr std::size_t backing_size_at = 16;
constexpr std::size_t cluster_bits_at = 20;
constexpr std::size_t size_at = 24;
constexpr std::size_t encryption_at = 32;
constexpr std::size_t l1_entries_at = 36;
constexpr std::size_t l1_offset_at = 40;
constexpr std::size_t refcount_table_at = 48;
constexpr std::size_t refcount_clusters_at = 56;
constexpr std::size_t snapshots_at = 60;
constexpr std::size_t version_2_length = 72;
constexpr std::size_t incompatible_at = 72;
constexpr std::size_t autoclear_at = 88;
constexpr std::size_t refcount_order_at = 96;
constexpr std::size_t header_length_at = 100;
constexpr std::size_t version_3_length = 104;
constexpr std::size_t compression_at = 104;

constexpr std::uint64_t feature_compression = 8; // the type is not zlib
constexpr std::byte compression_zstd{1};

constexpr std::uint32_t extension_end = 0;
constexpr std::uint32_t extension_backing_format = 0xe2792aca;

constexpr unsigned smallest_cluster_bits = 9;
constexpr unsigned largest_cluster_bits = 21;
constexpr std::uint32_t longest_backing_name = 1023;
constexpr std::uint64_t largest_disk = std::uint64_t{1} << 56;
constexpr std::uint32_t most_l1_entries = (32U << 20) / sizeof(std::uint64_t);

constexpr const char* damaged = "it is damaged; try qemu-img check";

// Incompatible features by bit, as far as there is more to say than that they are unknown.
std::string incompatible_problem(std::uint64_t features) {
    if ((features & 1) != 0) {
        return "it was not closed properly; repair it with qemu-img check -r all";
    }
    if ((features & 2) != 0) {
        return damaged;
    }
    return "it uses a feature that is not supported (external data, extended L2); "
           "convert it with qemu-img convert -O qcow2";
}

std::string text_at(Bytes start, std::uint64_t offset, std::uint32_t length) {
    const Bytes bytes = start.subspan(offset, length);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

bool fits(Bytes start, std::uint64_t offset, std::uint64_t length) {
    return offset <= start.size() && length <= start.size() - offset;
}

// "Header extensions": type, length, data padded to eight bytes.
bool read_extensions(Bytes start, std::size_t offset, Qcow2Header& header) {
    for (;;) {
        if (!fits(start, offset, 2 * sizeof(std::uint32_t))) {
            return true; // they may end with the first cluster
        }
        const auto type = load_big_endian<std::uint32_t>(start, offset);
        const auto length = load_big_endian<std::uint32_t>(start, offset + 4);
        offset += 2 * sizeof(std::uint32_t);
        if (type == extension_end) {
            return true;
        }
        if (!fits(start, offset, length)) {
            return false;
        }
        if (type == extension_backing_format) {
            header.backing_format = text_at(start, offset, length);
        }
        offset += (std::size_t{length} + 7) / 8 * 8;
    }
}

bool read_backing_name(Bytes start, Qcow2Header& header) {
    const auto offset = load_big_endian<std::uint64_t>(start, backing_offset_at);
    const auto length = load_big_endian<std::uint32_t>(start, backing_size_at);
    if (offset == 0) {
        return true;
    }
    if (length == 0 || length > longest_backing_name || !fits(start, offset, length)) {
        return false;
    }
    header.backing_file = text_at(start, offset, length);
    return header.backing_file.find('\0') == std::string::npos;
}

// A table of `bytes` at `offset`: aligned, behind the header, within the file.
bool is_table(const Qcow2Header& header, std::uint64_t offset, std::uint64_t bytes,
              std::uint64_t file_size) {
    return offset >= header.cluster_size() && offset % header.cluster_size() == 0 &&
           offset <= file_size && bytes <= file_size - offset;
}

bool tables_are_possible(const Qcow2Header& header, std::uint64_t file_size) {
    const std::uint64_t needed = (header.disk_size + header.l1_reach() - 1) / header.l1_reach();
    return header.l1_entries >= needed && header.l1_entries <= most_l1_entries &&
           is_table(header, header.l1_offset, header.l1_entries * sizeof(std::uint64_t),
                    file_size) &&
           header.refcount_table_clusters != 0 &&
           is_table(header, header.refcount_table_offset,
                    header.refcount_table_clusters * header.cluster_size(), file_size);
}

std::expected<std::size_t, std::string> read_version_3(Bytes start, Qcow2Header& header) {
    if (start.size() < version_3_length) {
        return Problem{damaged};
    }
    const auto incompatible = load_big_endian<std::uint64_t>(start, incompatible_at);
    if ((incompatible & ~feature_compression) != 0) {
        return Problem{incompatible_problem(incompatible)};
    }
    header.has_autoclear_features = load_big_endian<std::uint64_t>(start, autoclear_at) != 0;
    const auto order = load_big_endian<std::uint32_t>(start, refcount_order_at);
    const auto length = load_big_endian<std::uint32_t>(start, header_length_at);
    if (order > 6 || length < version_3_length || length % 8 != 0) {
        return Problem{damaged};
    }
    header.refcount_bits = 1U << order;
    if ((incompatible & feature_compression) != 0) {
        if (length <= compression_at || start.size() <= compression_at ||
            start[compression_at] != compression_zstd) {
            return Problem{
                "its clusters are compressed in a way that is not known; convert it with "
                "qemu-img convert -O qcow2"};
        }
        header.compression = Qcow2Compression::zstd;
    }
    return length;
}

} // namespace

std::expected<Qcow2Header, std::string> Qcow2Header::parse(Bytes start, std::uint64_t file_size) {
    if (start.size() < version_2_length || !std::ranges::equal(start.first(magic.size()), magic)) {
        return Problem{"it is not a qcow2 image; use format=raw for a raw one"};
    }
    Qcow2Header header;
    header.version = load_big_endian<std::uint32_t>(start, version_at);
    header.cluster_bits = load_big_endian<std::uint32_t>(start, cluster_bits_at);
    header.disk_size = load_big_endian<std::uint64_t>(start, size_at);
    header.l1_entries = load_big_endian<std::uint32_t>(start, l1_entries_at);
    header.l1_offset = load_big_endian<std::uint64_t>(start, l1_offset_at);
    header.refcount_table_offset = load_big_endian<std::uint64_t>(start, refcount_table_at);
    header.refcount_table_clusters = load_big_endian<std::uint32_t>(start, refcount_clusters_at);
    header.snapshots = load_big_endian<std::uint32_t>(start, snapshots_at);
    if (header.version != 2 && header.version != 3) {
        return Problem{fmt::format("it is qcow version {}; convert it with qemu-img convert "
                                   "-O qcow2",
                                   header.version)};
    }
    std::size_t extensions = version_2_length;
    if (header.version == 3) {
        const auto length = read_version_3(start, header);
        if (!length) {
            return Problem{length.error()};
        }
        extensions = *length;
    }
    if (load_big_endian<std::uint32_t>(start, encryption_at) != 0) {
        return Problem{"it is encrypted; convert it with qemu-img convert -O qcow2"};
    }
    const bool clusters_possible =
        header.cluster_bits >= smallest_cluster_bits && header.cluster_bits <= largest_cluster_bits;
    const bool size_possible = header.disk_size != 0 && header.disk_size <= largest_disk &&
                               header.disk_size % DiskImage::sector_size == 0;
    if (!clusters_possible || !size_possible || !tables_are_possible(header, file_size) ||
        !read_extensions(start, extensions, header) || !read_backing_name(start, header)) {
        return Problem{damaged};
    }
    return header;
}

} // namespace vmm
