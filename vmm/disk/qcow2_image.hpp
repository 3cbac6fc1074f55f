// SPDX-License-Identifier: BSD-3-Clause
// Qcow2Image: a disk in a qcow2 file, with backing files (QEMU, docs/interop/qcow2.txt).
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "disk/disk_image.hpp"
#include "disk/host_file.hpp"
#include "disk/qcow2_header.hpp"
#include "disk/qcow2_tables.hpp"

namespace vmm {

// Versions 2 and 3. Writing needs clusters of at least 64 KiB, refcounts of 16 bits (qemu-img's
// defaults) and no internal snapshots. Encryption is not supported.
//
// A cluster that is written for the first time is copied from the backing file; backing files are
// only read. A compressed cluster that is written becomes a plain one at another place; its old
// data stay in the file, where qemu-img check calls them leaked. Discarding makes holes in the
// file; the file's clusters keep their places.
class Qcow2Image : public DiskImage {
public:
    static constexpr unsigned longest_chain = 8; // an image and its backing files

    // Throws gunyah::Error. Backing files are opened too; `depth` counts them.
    static std::unique_ptr<Qcow2Image> open(const std::string& path, bool read_only,
                                            unsigned depth = 0);
    ~Qcow2Image() override; // flushes

    [[nodiscard]] std::uint64_t sectors() const override { return header_.disk_size / sector_size; }
    [[nodiscard]] bool read_only() const override { return file_.read_only(); }
    [[nodiscard]] bool read(std::vector<iovec>& pieces, std::uint64_t offset) override;
    [[nodiscard]] bool write(std::vector<iovec>& pieces, std::uint64_t offset) override;
    [[nodiscard]] bool flush() override;
    [[nodiscard]] int file() const override { return file_.fd(); }
    // Data clusters never move, and are given back to nobody.
    [[nodiscard]] std::optional<std::uint64_t> place(std::uint64_t offset,
                                                     std::uint64_t length) override;
    [[nodiscard]] bool flushes_data_only() const override { return false; }
    void discard(std::uint64_t offset, std::uint64_t length) override;
    [[nodiscard]] bool write_zeroes(std::uint64_t offset, std::uint64_t length,
                                    bool may_unmap) override;

private:
    // A part of a request within one cluster.
    struct Part {
        std::uint64_t cluster; // number on the disk
        std::uint64_t within;  // first byte in the cluster
        std::uint64_t length;
    };

    Qcow2Image(HostFile file, Qcow2Header header, std::unique_ptr<DiskImage> backing);

    // Calls `handle` for each part of a request until one fails.
    bool for_each_part(std::uint64_t offset, std::uint64_t length,
                       const std::function<bool(const Part&)>& handle) const;
    bool read_part(const Part& part, class IovecCursor& to);
    bool write_part(const Part& part, class IovecCursor& from);
    bool zero_part(const Part& part, bool may_unmap);
    bool read_file(std::uint64_t offset, std::vector<iovec> pieces, std::uint64_t length);
    // The compressed cluster's content, kept until another one is read; none: it is damaged.
    const std::vector<std::byte>* unpacked(std::uint64_t number, const Qcow2Cluster& cluster);
    bool read_backing(std::uint64_t offset, std::vector<iovec> pieces, std::uint64_t length);
    // Puts the whole cluster, as `merge` changes it, into `place`, or a new place if that is 0.
    bool rewrite(const Part& part, const Qcow2Cluster& old,
                 const std::function<void(std::span<std::byte>)>& merge);

    HostFile file_;
    const Qcow2Header header_;
    std::unique_ptr<DiskImage> backing_;
    Qcow2Tables tables_;
    // What was unpacked last: guests read a cluster piece by piece.
    std::optional<std::uint64_t> unpacked_number_;
    std::vector<std::byte> unpacked_;
};

} // namespace vmm
