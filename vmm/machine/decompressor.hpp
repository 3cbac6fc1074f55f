// SPDX-License-Identifier: BSD-3-Clause
// Decompressor: a part of a file that is compressed with gzip or zstd, unpacked piece by piece.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "machine/input_file.hpp"

namespace vmm {

enum class Compression { gzip, zstd };

// By the first bytes of compressed data.
std::optional<Compression> compression_of(std::span<const std::byte> begin);

// Writes only where it is told to, however much there is to unpack. One thread at a time; the file
// outlives it. Throws gunyah::Error when data are damaged or cut off.
class Decompressor {
public:
    virtual ~Decompressor() = default;

    // Unpacks the next bytes; returns how many, fewer than `to` has only at the end of the data,
    // whose checksum has then been right. What is behind them in `to` may have been used, too.
    std::size_t read(std::span<std::byte> to);

    // Of `size` bytes of `file` from `offset` on; what stands behind the compressed data in them is
    // of no account.
    static std::unique_ptr<Decompressor> create(Compression compression, const InputFile& file,
                                                std::uint64_t offset, std::uint64_t size);

protected:
    Decompressor(const InputFile& file, std::uint64_t offset, std::uint64_t size);

    // What a step has done: how many bytes it has taken and given.
    struct Step {
        std::size_t taken;
        std::size_t given;
        bool ended;
    };
    // Unpacks some of `from` into some of `to`; gives or takes at least a byte unless one of them
    // is empty or the data have ended.
    virtual Step step(std::span<const std::byte> from, std::span<std::byte> to) = 0;
    [[noreturn]] void damaged(std::string_view why) const;

private:
    void refill();

    const InputFile& file_;
    std::uint64_t offset_;
    std::uint64_t end_;
    std::unique_ptr<std::byte[]> buffer_;
    std::span<const std::byte> input_; // of buffer_, not yet unpacked
    bool ended_ = false;
};

} // namespace vmm
