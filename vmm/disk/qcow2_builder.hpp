// SPDX-License-Identifier: BSD-3-Clause
// Qcow2Builder: makes empty qcow2 images, and broken ones, for tests.
#pragma once

#include <string>
#include <vector>

#include "disk/big_endian.hpp"
#include "disk/qcow2_header.hpp"

namespace vmm::test {

// Clusters: header, refcount table, refcount block, L1 table.
class Qcow2Builder {
public:
    explicit Qcow2Builder(std::uint64_t disk_size, unsigned version = 3, unsigned cluster_bits = 16)
        : cluster_{std::size_t{1} << cluster_bits}, bytes_(4 * cluster_) {
        for (std::size_t index = 0; index < Qcow2Header::magic.size(); ++index) {
            bytes_[index] = Qcow2Header::magic[index];
        }
        const std::uint64_t reach = cluster_ / 8 * cluster_;
        put<std::uint32_t>(4, version);
        put<std::uint32_t>(20, cluster_bits);
        put<std::uint64_t>(24, disk_size);
        put<std::uint32_t>(36, static_cast<std::uint32_t>((disk_size + reach - 1) / reach));
        put<std::uint64_t>(40, 3 * cluster_);
        put<std::uint64_t>(48, cluster_);
        put<std::uint32_t>(56, 1);
        if (version == 3) {
            put<std::uint32_t>(96, 4);
            put<std::uint32_t>(100, 104);
        }
        put<std::uint64_t>(cluster_, 2 * cluster_);
        for (std::size_t used = 0; used < 4; ++used) {
            put<std::uint16_t>(2 * cluster_ + 2 * used, 1);
        }
    }

    void set_backing(const std::string& name, const std::string& format) {
        const std::size_t extensions = load_big_endian<std::uint32_t>(bytes_, 4) == 3 ? 104 : 72;
        put<std::uint32_t>(extensions, 0xe279'2aca);
        put<std::uint32_t>(extensions + 4, static_cast<std::uint32_t>(format.size()));
        put_text(extensions + 8, format);
        put<std::uint64_t>(8, 512);
        put<std::uint32_t>(16, static_cast<std::uint32_t>(name.size()));
        put_text(512, name);
    }

    template <typename T>
    void put(std::size_t offset, T value) {
        if (bytes_.size() < offset + sizeof(T)) {
            bytes_.resize(offset + sizeof(T));
        }
        store_big_endian<T>(bytes_, offset, value);
    }

    [[nodiscard]] std::size_t cluster() const { return cluster_; }
    [[nodiscard]] const std::vector<std::byte>& bytes() const { return bytes_; }
    [[nodiscard]] std::string text() const {
        return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()};
    }

private:
    void put_text(std::size_t offset, const std::string& text) {
        for (const char character : text) {
            put<std::uint8_t>(offset++, static_cast<std::uint8_t>(character));
        }
    }

    std::size_t cluster_;
    std::vector<std::byte> bytes_;
};

} // namespace vmm::test
