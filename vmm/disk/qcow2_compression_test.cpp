// SPDX-License-Identifier: BSD-3-Clause
// Tests of qcow2 images with compressed clusters, of both types.
#include "disk/qcow2_compression.hpp"

#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include "disk/qcow2_builder.hpp"
#include "disk/qcow2_image.hpp"
#include "disk/temporary_file.hpp"
#include "libgunyah/error.hpp"

namespace vmm {
namespace {

constexpr std::uint64_t cluster = 65'536;

// Text that differs everywhere.
std::string content(std::size_t size) {
    std::string text(size, '\0');
    for (std::size_t index = 0; index < size; ++index) {
        text[index] = static_cast<char>('a' + index * index % 1009 % 26);
    }
    return text;
}

std::string deflate_raw(const std::string& data) {
    z_stream stream{};
    std::string result(data.size() + 1024, '\0');
    // A window of 12 bits, as qemu-img makes them.
    EXPECT_EQ(::deflateInit2(&stream, 6, Z_DEFLATED, -12, 9, Z_DEFAULT_STRATEGY), Z_OK);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
    stream.avail_in = static_cast<uInt>(data.size());
    stream.next_out = reinterpret_cast<Bytef*>(result.data());
    stream.avail_out = static_cast<uInt>(result.size());
    EXPECT_EQ(::deflate(&stream, Z_FINISH), Z_STREAM_END);
    result.resize(stream.total_out);
    ::deflateEnd(&stream);
    return result;
}

std::string zstd(const std::string& data) {
    std::string result(::ZSTD_compressBound(data.size()), '\0');
    result.resize(::ZSTD_compress(result.data(), result.size(), data.data(), data.size(), 3));
    return result;
}

class Qcow2CompressionTest : public testing::TestWithParam<Qcow2Compression> {
protected:
    // A disk of four clusters whose second one is `packed`, standing at an odd place in the file.
    std::unique_ptr<Qcow2Image> open(const std::string& packed, bool read_only = false) {
        test::Qcow2Builder builder{4 * cluster};
        if (GetParam() == Qcow2Compression::zstd) {
            builder.put<std::uint64_t>(72, 8);
            builder.put<std::uint32_t>(100, 112);
            builder.put<std::uint8_t>(104, 1);
        }
        const std::size_t l2 = 4 * cluster;
        const std::size_t place = 5 * cluster + 777;
        const std::uint64_t sectors = (place % 512 + packed.size() + 511) / 512;
        builder.put<std::uint64_t>(3 * cluster, l2 | std::uint64_t{1} << 63);
        builder.put<std::uint64_t>(l2 + 8, std::uint64_t{1} << 62 | (sectors - 1) << 54 | place);
        for (std::size_t used = 4; used < 7; ++used) {
            builder.put<std::uint16_t>(2 * cluster + 2 * used, 1);
        }
        for (std::size_t index = 0; index < packed.size(); ++index) {
            builder.put(place + index, static_cast<std::uint8_t>(packed[index]));
        }
        std::filesystem::resize_file(file.path(), 0);
        file.put(0, builder.text());
        return Qcow2Image::open(file.path(), read_only);
    }
    std::unique_ptr<Qcow2Image> open_good() { return open(packed(plain)); }
    static std::string packed(const std::string& data) {
        return GetParam() == Qcow2Compression::zlib ? deflate_raw(data) : zstd(data);
    }
    static std::string read(DiskImage& disk, std::uint64_t offset, std::size_t length) {
        std::string text(length, '?');
        std::vector<iovec> pieces{{text.data(), length}};
        return disk.read(pieces, offset) ? text : "failed";
    }
    static bool write(DiskImage& disk, std::uint64_t offset, std::string text) {
        std::vector<iovec> pieces{{text.data(), text.size()}};
        return disk.write(pieces, offset);
    }

    test::TemporaryFile file{0};
    const std::string plain = content(cluster);
};

TEST_P(Qcow2CompressionTest, IsReadWholeAndInPieces) {
    const auto disk = open_good();
    EXPECT_EQ(read(*disk, cluster, cluster), plain);
    EXPECT_EQ(read(*disk, cluster + 4096, 512), plain.substr(4096, 512));
    EXPECT_EQ(read(*disk, cluster - 512, 1024), std::string(512, '\0') + plain.substr(0, 512));
    EXPECT_EQ(read(*disk, 2 * cluster, 512), std::string(512, '\0'));
}

TEST_P(Qcow2CompressionTest, IsPlainOnceItIsWritten) {
    {
        const auto disk = open_good();
        EXPECT_EQ(read(*disk, cluster, 512), plain.substr(0, 512));
        EXPECT_TRUE(write(*disk, cluster + 512, std::string(512, '!')));
        EXPECT_EQ(read(*disk, cluster, 1536),
                  plain.substr(0, 512) + std::string(512, '!') + plain.substr(1024, 512));
        EXPECT_TRUE(disk->flush());
    }
    const auto again = Qcow2Image::open(file.path(), true);
    EXPECT_EQ(read(*again, cluster + 512, 1024), std::string(512, '!') + plain.substr(1024, 512));
    EXPECT_EQ(read(*again, 2 * cluster - 512, 512), plain.substr(cluster - 512));
}

TEST_P(Qcow2CompressionTest, IsZeroedInPartAndWhole) {
    auto disk = open_good();
    EXPECT_TRUE(disk->write_zeroes(cluster + 512, 512, true));
    EXPECT_EQ(read(*disk, cluster, 1024), plain.substr(0, 512) + std::string(512, '\0'));
    disk.reset(); // lets the next one lock the file
    disk = open_good();
    EXPECT_TRUE(disk->write_zeroes(cluster, cluster, true));
    EXPECT_EQ(read(*disk, cluster, 1024), std::string(1024, '\0'));
}

TEST_P(Qcow2CompressionTest, DamagedDataAreAnError) {
    const std::string good = packed(plain);
    for (const std::string& bad :
         {good.substr(0, good.size() / 2), std::string(1000, '\xff'), packed("too short")}) {
        const auto disk = open(bad);
        EXPECT_EQ(read(*disk, cluster, 512), "failed");
        EXPECT_FALSE(write(*disk, cluster, std::string(512, '!')));
        EXPECT_EQ(read(*disk, 0, 512), std::string(512, '\0'));
        EXPECT_TRUE(write(*disk, 0, std::string(512, '!')));
    }
}

INSTANTIATE_TEST_SUITE_P(Types, Qcow2CompressionTest,
                         testing::Values(Qcow2Compression::zlib, Qcow2Compression::zstd));

TEST(Qcow2Compression, AnUnknownTypeIsRefused) {
    test::Qcow2Builder builder{4 * cluster};
    builder.put<std::uint64_t>(72, 8);
    builder.put<std::uint32_t>(100, 112);
    builder.put<std::uint8_t>(104, 2);
    const test::TemporaryFile file{0};
    file.put(0, builder.text());
    EXPECT_THROW(Qcow2Image::open(file.path(), true), gunyah::Error);
}

} // namespace
} // namespace vmm
