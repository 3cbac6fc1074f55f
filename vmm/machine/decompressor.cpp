// SPDX-License-Identifier: BSD-3-Clause
// Decompressor: zlib and libzstd behind one loop.
#include "machine/decompressor.hpp"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "libgunyah/error.hpp"

namespace vmm {
namespace {

using gunyah::Error;
using gunyah::ErrorKind;

constexpr std::size_t buffer_size = 64 * 1024;
// zlib counts in 32 bits.
constexpr std::size_t most_at_once = std::size_t{1} << 30;

class GzipDecompressor : public Decompressor {
public:
    GzipDecompressor(const InputFile& file, std::uint64_t offset, std::uint64_t size)
        : Decompressor{file, offset, size} {
        constexpr int gzip_header = 16; // zlib.h, inflateInit2
        if (::inflateInit2(&stream_, MAX_WBITS + gzip_header) != Z_OK) {
            throw Error{ErrorKind::no_resources, "cannot unpack the kernel", "no memory", ""};
        }
    }
    GzipDecompressor(const GzipDecompressor&) = delete;
    GzipDecompressor& operator=(const GzipDecompressor&) = delete;
    ~GzipDecompressor() override { ::inflateEnd(&stream_); }

protected:
    Step step(std::span<const std::byte> from, std::span<std::byte> to) override {
        to = to.first(std::min(to.size(), most_at_once));
        // zlib does not write through next_in.
        stream_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(from.data()));
        stream_.avail_in = static_cast<uInt>(from.size());
        stream_.next_out = reinterpret_cast<Bytef*>(to.data());
        stream_.avail_out = static_cast<uInt>(to.size());
        const int status = ::inflate(&stream_, Z_NO_FLUSH);
        if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR) {
            damaged(stream_.msg != nullptr ? stream_.msg : "unknown error");
        }
        return {.taken = from.size() - stream_.avail_in,
                .given = to.size() - stream_.avail_out,
                .ended = status == Z_STREAM_END};
    }

private:
    z_stream stream_{};
};

class ZstdDecompressor : public Decompressor {
public:
    ZstdDecompressor(const InputFile& file, std::uint64_t offset, std::uint64_t size)
        : Decompressor{file, offset, size}, context_{::ZSTD_createDCtx(), ::ZSTD_freeDCtx} {
        if (!context_) {
            throw Error{ErrorKind::no_resources, "cannot unpack the kernel", "no memory", ""};
        }
    }

protected:
    // libzstd itself refuses windows of more than 128 MiB.
    Step step(std::span<const std::byte> from, std::span<std::byte> to) override {
        ZSTD_inBuffer in{from.data(), from.size(), 0};
        ZSTD_outBuffer out{to.data(), to.size(), 0};
        const std::size_t status = ::ZSTD_decompressStream(context_.get(), &out, &in);
        if (::ZSTD_isError(status) != 0) {
            damaged(::ZSTD_getErrorName(status));
        }
        return {.taken = in.pos, .given = out.pos, .ended = status == 0};
    }

private:
    std::unique_ptr<ZSTD_DCtx, std::size_t (*)(ZSTD_DCtx*)> context_;
};

} // namespace

std::optional<Compression> compression_of(std::span<const std::byte> begin) {
    using namespace std::string_view_literals;
    const auto starts_with = [begin](std::string_view magic) {
        return begin.size() >= magic.size() &&
               std::memcmp(begin.data(), magic.data(), magic.size()) == 0;
    };
    if (starts_with("\x1f\x8b"sv)) { // RFC 1952, 2.3.1
        return Compression::gzip;
    }
    if (starts_with("\x28\xb5\x2f\xfd"sv)) { // RFC 8878, 3.1.1
        return Compression::zstd;
    }
    return std::nullopt;
}

std::unique_ptr<Decompressor> Decompressor::create(Compression compression, const InputFile& file,
                                                   std::uint64_t offset, std::uint64_t size) {
    if (compression == Compression::gzip) {
        return std::make_unique<GzipDecompressor>(file, offset, size);
    }
    return std::make_unique<ZstdDecompressor>(file, offset, size);
}

Decompressor::Decompressor(const InputFile& file, std::uint64_t offset, std::uint64_t size)
    : file_{file}, offset_{offset}, end_{offset + size},
      buffer_{std::make_unique<std::byte[]>(buffer_size)} {}

std::size_t Decompressor::read(std::span<std::byte> to) {
    std::size_t given = 0;
    // Once more when `to` is full: the end is known, and its checksum, only when it has been seen.
    while (!ended_) {
        if (input_.empty()) {
            refill();
        }
        const bool nothing_left = input_.empty();
        const Step done = step(input_, to.subspan(given));
        input_ = input_.subspan(done.taken);
        given += done.given;
        ended_ = done.ended;
        if (!ended_ && done.taken == 0 && done.given == 0) {
            if (given == to.size()) {
                break;
            }
            if (nothing_left) {
                damaged("it ends too early");
            }
        }
    }
    return given;
}

void Decompressor::refill() {
    const auto part = std::span{buffer_.get(), buffer_size}.first(
        std::min<std::uint64_t>(buffer_size, end_ - offset_));
    file_.read(offset_, part);
    offset_ += part.size();
    input_ = part;
}

void Decompressor::damaged(std::string_view why) const {
    throw Error{ErrorKind::invalid_input, file_.complaint(),
                fmt::format("it cannot be unpacked: {}", why), "the file is damaged"};
}

} // namespace vmm
