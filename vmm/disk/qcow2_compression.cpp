// SPDX-License-Identifier: BSD-3-Clause
// unpack_cluster(): clusters and their data have at most some MiB, so it is done in one go.
#include "disk/qcow2_compression.hpp"

#include <zlib.h>
#include <zstd.h>

#include <memory>

namespace vmm {
namespace {

// A deflate stream without header.
bool inflate_all(std::span<const std::byte> from, std::span<std::byte> to) {
    z_stream stream{};
    if (::inflateInit2(&stream, -MAX_WBITS) != Z_OK) {
        return false;
    }
    // zlib does not write through next_in.
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(from.data()));
    stream.avail_in = static_cast<uInt>(from.size());
    stream.next_out = reinterpret_cast<Bytef*>(to.data());
    stream.avail_out = static_cast<uInt>(to.size());
    const int status = ::inflate(&stream, Z_FINISH);
    ::inflateEnd(&stream);
    // With Z_BUF_ERROR it would go on, into a buffer that is full.
    return stream.avail_out == 0 && (status == Z_STREAM_END || status == Z_BUF_ERROR);
}

bool unzstd_all(std::span<const std::byte> from, std::span<std::byte> to) {
    const std::unique_ptr<ZSTD_DCtx, std::size_t (*)(ZSTD_DCtx*)> context{::ZSTD_createDCtx(),
                                                                          ::ZSTD_freeDCtx};
    ZSTD_inBuffer in{from.data(), from.size(), 0};
    ZSTD_outBuffer out{to.data(), to.size(), 0};
    while (context && out.pos < out.size) {
        const std::size_t before = out.pos + in.pos;
        const std::size_t status = ::ZSTD_decompressStream(context.get(), &out, &in);
        if (::ZSTD_isError(status) != 0 || out.pos + in.pos == before) {
            return false;
        }
    }
    return out.pos == out.size;
}

} // namespace

bool unpack_cluster(Qcow2Compression compression, std::span<const std::byte> from,
                    std::span<std::byte> to) {
    return compression == Qcow2Compression::zlib ? inflate_all(from, to) : unzstd_all(from, to);
}

} // namespace vmm
