// SPDX-License-Identifier: BSD-3-Clause
// RawImage: a disk whose file holds its sectors one after the other.
#pragma once

#include "disk/disk_image.hpp"
#include "disk/host_file.hpp"

namespace vmm {

class RawImage : public DiskImage {
public:
    // Throws gunyah::Error if the file is not whole sectors.
    explicit RawImage(HostFile file);

    [[nodiscard]] std::uint64_t sectors() const override { return file_.size() / sector_size; }
    [[nodiscard]] bool read_only() const override { return file_.read_only(); }
    [[nodiscard]] bool read(std::vector<iovec>& pieces, std::uint64_t offset) override {
        return file_.read(pieces, offset);
    }
    [[nodiscard]] bool write(std::vector<iovec>& pieces, std::uint64_t offset) override {
        return file_.write(pieces, offset);
    }
    [[nodiscard]] bool flush() override { return file_.flush(); }
    [[nodiscard]] int file() const override { return file_.fd(); }
    [[nodiscard]] std::optional<std::uint64_t> place(std::uint64_t offset,
                                                     std::uint64_t /*length*/) override {
        return offset;
    }
    [[nodiscard]] bool flushes_data_only() const override { return true; }
    void discard(std::uint64_t offset, std::uint64_t length) override {
        static_cast<void>(file_.punch_hole(offset, length)); // else the file system cannot
    }
    [[nodiscard]] bool write_zeroes(std::uint64_t offset, std::uint64_t length,
                                    bool may_unmap) override {
        return file_.write_zeroes(offset, length, may_unmap);
    }

private:
    HostFile file_;
};

} // namespace vmm
