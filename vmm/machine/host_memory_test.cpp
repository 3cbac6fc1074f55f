// SPDX-License-Identifier: BSD-3-Clause
// Tests of the host memory checks.
#include "machine/host_memory.hpp"

#include <gtest/gtest.h>

#include "libgunyah/error.hpp"
#include "libgunyah/memory_region.hpp"

namespace vmm {
namespace {

TEST(HostMemory, SumsFreePiecesOfTwoMebibytesAndMore) {
    EXPECT_EQ(parse_whole_memory("Node 0, zone      DMA      2      3      2      0      3      3  "
                                 "    1      3      4      3    214\n"
                                 "Node 0, zone   Normal      9      9      9      9      9      9  "
                                 "    9      9      9      1      0\n"),
              std::uint64_t{4 * 2 + 214 * 4} << 20);
    EXPECT_EQ(parse_whole_memory("Node 0, zone DMA 7 7"), 0U);
    EXPECT_FALSE(parse_whole_memory("").has_value());
    EXPECT_FALSE(parse_whole_memory("Node 0, zone").has_value());
    EXPECT_FALSE(parse_whole_memory("Node 0, zone DMA x").has_value());
    EXPECT_TRUE(
        parse_whole_memory("Node 0, zone DMA 1 1 1 1 1 1 1 1 1 18446744073709551615").has_value());
}

TEST(HostMemory, ReadsMemAvailable) {
    EXPECT_EQ(parse_available_memory("MemTotal:  2048 kB\nMemAvailable:    1024 kB\n"), 1U << 20);
    EXPECT_EQ(parse_available_memory("MemAvailable: 7"), 7U << 10);
    EXPECT_FALSE(parse_available_memory("MemTotal: 2048 kB\n").has_value());
    EXPECT_FALSE(parse_available_memory("MemAvailable:").has_value());
    EXPECT_FALSE(parse_available_memory("MemAvailable: kB").has_value());
    EXPECT_FALSE(parse_available_memory("MemAvailable: 18446744073709551615 kB").has_value());
}

TEST(HostMemory, RefusesMoreThanThereIs) {
    EXPECT_NO_THROW(require_available_memory(4096));
    try {
        require_available_memory(std::uint64_t{1} << 60);
        FAIL() << "an exbibyte was accepted";
    } catch (const gunyah::Error& error) {
        EXPECT_EQ(error.kind(), gunyah::ErrorKind::no_resources);
        EXPECT_NE(std::string{error.what()}.find("use a smaller --mem"), std::string::npos);
    }
}

TEST(MemoryRegion, IsAlignedZeroAndWritable) {
    for (const std::size_t size : {std::size_t{4096}, std::size_t{3} << 20}) {
        const auto region = gunyah::MemoryRegion::anonymous(size);
        ASSERT_EQ(region.bytes().size(), size);
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(region.bytes().data()) % (2 << 20), 0U);
        EXPECT_EQ(region.bytes().back(), std::byte{0});
        region.bytes().front() = std::byte{1};
        region.bytes().back() = std::byte{1};
    }
    EXPECT_THROW(gunyah::MemoryRegion::anonymous(0), gunyah::Error);
    EXPECT_THROW(gunyah::MemoryRegion::anonymous(4095), gunyah::Error);
    EXPECT_THROW(gunyah::MemoryRegion::anonymous(SIZE_MAX - 4095), gunyah::Error);
}

} // namespace
} // namespace vmm
