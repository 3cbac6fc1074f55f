// SPDX-License-Identifier: BSD-3-Clause
// Qcow2Image: requests cut into clusters.
#include "disk/qcow2_image.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include "disk/big_endian.hpp"
#include "disk/iovec_cursor.hpp"
#include "disk/raw_image.hpp"
#include "libgunyah/error.hpp"

namespace vmm {
namespace {

using gunyah::Error;
using gunyah::ErrorKind;
using Kind = Qcow2Cluster::Kind;

constexpr unsigned smallest_writable_cluster_bits = 16;
constexpr unsigned writable_refcount_bits = 16;
constexpr std::uint64_t autoclear_offset = 88;

Qcow2Header read_header(const HostFile& file) {
    std::vector<std::byte> start(std::min<std::uint64_t>(file.size(), Qcow2Header::most_bytes));
    if (!file.read(start, 0)) {
        throw Error{ErrorKind::failed, file.complaint(), "it cannot be read", ""};
    }
    auto header = Qcow2Header::parse(start, file.size());
    if (!header) {
        throw Error{ErrorKind::invalid_input, file.complaint(), header.error(), ""};
    }
    return std::move(*header);
}

void require_writable(const HostFile& file, const Qcow2Header& header) {
    const char* why = nullptr;
    if (header.snapshots != 0) {
        why = "it has internal snapshots";
    } else if (header.cluster_bits < smallest_writable_cluster_bits) {
        why = "its clusters are smaller than 64 KiB";
    } else if (header.refcount_bits != writable_refcount_bits) {
        why = "its refcounts do not have 16 bits";
    }
    if (why != nullptr) {
        throw Error{ErrorKind::unsupported, file.complaint(), why,
                    "use it read-only (--disk FILE,ro), or convert it with qemu-img convert "
                    "-O qcow2"};
    }
}

std::unique_ptr<DiskImage> open_backing(const std::string& path, const HostFile& file,
                                        const Qcow2Header& header, unsigned depth) {
    if (header.backing_file.empty()) {
        return nullptr;
    }
    if (depth + 1 >= Qcow2Image::longest_chain) {
        throw Error{ErrorKind::invalid_input, file.complaint(),
                    "its chain of backing files is too long", "merge some with qemu-img commit"};
    }
    const auto backing = std::filesystem::path{path}.parent_path() / header.backing_file;
    if (header.backing_format == "raw") {
        return std::make_unique<RawImage>(HostFile::open(backing, true));
    }
    if (header.backing_format != "qcow2") {
        throw Error{
            ErrorKind::invalid_input, file.complaint(),
            "it does not say whether its backing file is raw or qcow2",
            fmt::format("run qemu-img rebase -u -b {} -F FORMAT {}", header.backing_file, path)};
    }
    return Qcow2Image::open(backing, true, depth + 1);
}

} // namespace

std::unique_ptr<Qcow2Image> Qcow2Image::open(const std::string& path, bool read_only,
                                             unsigned depth) {
    HostFile file = HostFile::open(path, read_only);
    Qcow2Header header = read_header(file);
    if (!read_only) {
        require_writable(file, header);
    }
    auto backing = open_backing(path, file, header, depth);
    // Features that a program which does not know them clears before it writes.
    if (!read_only && header.has_autoclear_features &&
        !file.write_zeroes(autoclear_offset, sizeof(std::uint64_t), false)) {
        throw Error{ErrorKind::failed, file.complaint(), "it cannot be written", ""};
    }
    std::unique_ptr<Qcow2Image> image{
        new Qcow2Image{std::move(file), std::move(header), std::move(backing)}};
    if (!image->tables_.load()) {
        throw Error{ErrorKind::failed, image->file_.complaint(), "it cannot be read", ""};
    }
    return image;
}

Qcow2Image::Qcow2Image(HostFile file, Qcow2Header header, std::unique_ptr<DiskImage> backing)
    : file_{std::move(file)}, header_{std::move(header)}, backing_{std::move(backing)},
      tables_{file_, header_} {}

Qcow2Image::~Qcow2Image() {
    static_cast<void>(file_.read_only() || tables_.flush()); // nobody is left to be told
}

bool Qcow2Image::for_each_part(std::uint64_t offset, std::uint64_t length,
                               const std::function<bool(const Part&)>& handle) const {
    while (length != 0) {
        const std::uint64_t within = offset % header_.cluster_size();
        const Part part{.cluster = offset / header_.cluster_size(),
                        .within = within,
                        .length = std::min(length, header_.cluster_size() - within)};
        if (!handle(part)) {
            return false;
        }
        offset += part.length;
        length -= part.length;
    }
    return true;
}

bool Qcow2Image::read(std::vector<iovec>& pieces, std::uint64_t offset) {
    IovecCursor cursor{pieces};
    return for_each_part(offset, total_length(pieces),
                         [&](const Part& part) { return read_part(part, cursor); });
}

bool Qcow2Image::write(std::vector<iovec>& pieces, std::uint64_t offset) {
    IovecCursor cursor{pieces};
    return for_each_part(offset, total_length(pieces),
                         [&](const Part& part) { return write_part(part, cursor); });
}

bool Qcow2Image::flush() {
    return tables_.flush();
}

std::optional<std::uint64_t> Qcow2Image::place(std::uint64_t offset, std::uint64_t length) {
    std::optional<std::uint64_t> start;
    std::uint64_t end = 0;
    const bool in_one_piece = for_each_part(offset, length, [&](const Part& part) {
        const auto cluster = tables_.find(part.cluster);
        if (!cluster || cluster->kind != Kind::data) {
            return false;
        }
        const std::uint64_t here = cluster->offset + part.within;
        if (start && here != end) {
            return false;
        }
        start = start.value_or(here);
        end = here + part.length;
        return end <= file_.size();
    });
    return in_one_piece ? start : std::nullopt;
}

bool Qcow2Image::read_part(const Part& part, IovecCursor& to) {
    const auto cluster = tables_.find(part.cluster);
    if (!cluster) {
        return false;
    }
    switch (cluster->kind) {
    case Kind::data:
        return read_file(cluster->offset + part.within, to.take(part.length), part.length);
    case Kind::absent:
        return read_backing(part.cluster * header_.cluster_size() + part.within,
                            to.take(part.length), part.length);
    case Kind::zero:
        to.fill_zero(part.length);
        return true;
    case Kind::compressed:
        break;
    }
    const std::vector<std::byte>* content = unpacked(part.cluster, *cluster);
    if (content != nullptr) {
        to.copy_from(std::span{*content}.subspan(part.within, part.length));
    }
    return content != nullptr;
}

const std::vector<std::byte>* Qcow2Image::unpacked(std::uint64_t number,
                                                   const Qcow2Cluster& cluster) {
    if (unpacked_number_ != number) {
        unpacked_number_.reset();
        unpacked_.resize(header_.cluster_size());
        std::vector<std::byte> packed(cluster.size);
        if (!file_.read(packed, cluster.offset) ||
            !unpack_cluster(header_.compression, packed, unpacked_)) {
            return nullptr;
        }
        unpacked_number_ = number;
    }
    return &unpacked_;
}

// The last cluster of a file may be cut short; what is not there is zero.
bool Qcow2Image::read_file(std::uint64_t offset, std::vector<iovec> pieces, std::uint64_t length) {
    const std::uint64_t there = std::min(length, file_.size() - std::min(offset, file_.size()));
    IovecCursor cursor{pieces};
    auto first = cursor.take(there);
    cursor.fill_zero(length - there);
    return file_.read(first, offset);
}

// A backing file may be smaller than the disk.
bool Qcow2Image::read_backing(std::uint64_t offset, std::vector<iovec> pieces,
                              std::uint64_t length) {
    const std::uint64_t size = backing_ ? backing_->sectors() * sector_size : 0;
    const std::uint64_t there = std::min(length, size - std::min(offset, size));
    IovecCursor cursor{pieces};
    auto first = cursor.take(there);
    cursor.fill_zero(length - there);
    return there == 0 || backing_->read(first, offset);
}

bool Qcow2Image::write_part(const Part& part, IovecCursor& from) {
    const auto cluster = tables_.find(part.cluster);
    if (!cluster) {
        return false;
    }
    if (cluster->kind == Kind::data) {
        auto pieces = from.take(part.length);
        return file_.write(pieces, cluster->offset + part.within);
    }
    return rewrite(part, *cluster, [&](std::span<std::byte> bytes) { from.copy_to(bytes); });
}

bool Qcow2Image::rewrite(const Part& part, const Qcow2Cluster& old,
                         const std::function<void(std::span<std::byte>)>& merge) {
    std::vector<std::byte> content(header_.cluster_size());
    const std::uint64_t start = part.cluster * header_.cluster_size();
    const std::uint64_t on_disk = std::min(content.size(), header_.disk_size - start);
    const bool is_partial = part.length < on_disk;
    if (old.kind == Kind::absent && is_partial &&
        !read_backing(start, {{content.data(), on_disk}}, on_disk)) {
        return false;
    }
    if (old.kind == Kind::compressed) {
        const std::vector<std::byte>* before = unpacked(part.cluster, old);
        if (before == nullptr) {
            return false;
        }
        content = *before;
        unpacked_number_.reset(); // it is about to be another one
    }
    merge(std::span{content}.subspan(part.within, part.length));
    const bool has_place = old.offset != 0 && old.kind != Kind::compressed;
    const auto place = has_place ? std::optional{old.offset} : tables_.allocate();
    return place && file_.write(content, *place) &&
           tables_.set(part.cluster, {.kind = Kind::data, .offset = *place});
}

void Qcow2Image::discard(std::uint64_t offset, std::uint64_t length) {
    for_each_part(offset, length, [this](const Part& part) {
        const auto cluster = tables_.find(part.cluster);
        if (cluster && cluster->kind == Kind::data) {
            static_cast<void>(file_.punch_hole(cluster->offset + part.within, part.length));
        }
        return true;
    });
}

bool Qcow2Image::write_zeroes(std::uint64_t offset, std::uint64_t length, bool may_unmap) {
    return for_each_part(offset, length,
                         [&](const Part& part) { return zero_part(part, may_unmap); });
}

bool Qcow2Image::zero_part(const Part& part, bool may_unmap) {
    const auto cluster = tables_.find(part.cluster);
    if (!cluster) {
        return false;
    }
    if (cluster->kind == Kind::zero || (cluster->kind == Kind::absent && !backing_)) {
        return true;
    }
    if (cluster->kind == Kind::data) {
        return file_.write_zeroes(cluster->offset + part.within, part.length, may_unmap);
    }
    if (header_.version >= 3 && part.length == header_.cluster_size()) {
        return tables_.set(part.cluster, {.kind = Kind::zero, .offset = 0});
    }
    return rewrite(part, *cluster,
                   [](std::span<std::byte> bytes) { std::ranges::fill(bytes, std::byte{0}); });
}

} // namespace vmm
