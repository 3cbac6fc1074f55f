// SPDX-License-Identifier: BSD-3-Clause
// Tests of KernelImage, MemoryPlan and BootFiles: what is accepted, where it goes, what is said.
#include "machine/boot_files.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "libgunyah/error.hpp"
#include "machine/kernel_samples.hpp"
#include "machine/layout.hpp"

namespace vmm {
namespace {

constexpr std::uint64_t mebibyte = 1 << 20;

using test::image_file;

std::expected<KernelImage, std::string> parse(std::string_view file) {
    return KernelImage::parse(
        std::as_bytes(std::span{file})
            .first(std::min<std::size_t>(file.size(), KernelImage::header_size)),
        file.size());
}

TEST(KernelImage, ReadsTheHeader) {
    const auto image = parse(image_file(0, 5 * mebibyte, 1000));
    ASSERT_TRUE(image.has_value());
    EXPECT_EQ(image->text_offset, 0U);
    EXPECT_EQ(image->image_size, 5 * mebibyte);
}

TEST(KernelImage, OldImagesHaveAFixedOffsetAndTheFilesSize) {
    const auto image = parse(image_file(0x1234, 0, 1000));
    ASSERT_TRUE(image.has_value());
    EXPECT_EQ(image->text_offset, 0x8'0000U);
    EXPECT_EQ(image->image_size, 1000U);
    EXPECT_EQ(image->entry_branch(), 0x1402'0000U); // b . + 0x80000
}

TEST(KernelImage, SaysWhatAFileIsInstead) {
    using namespace std::string_literals;
    const auto complaint = [](const std::string& file) {
        const auto image = parse(file);
        return image.has_value() ? "accepted"s : image.error();
    };
    EXPECT_NE(complaint("#!/bin/sh\n").find("not an arm64 Linux kernel"), std::string::npos);
    EXPECT_NE(complaint("").find("not an arm64 Linux kernel"), std::string::npos);
    EXPECT_NE(complaint(image_file(0, mebibyte, 100, 1)).find("big-endian"), std::string::npos);
    EXPECT_NE(complaint(image_file(1ULL << 40, mebibyte, 100)).find("offset"), std::string::npos);
    EXPECT_NE(complaint(image_file(6, mebibyte, 100)).find("offset"), std::string::npos);
}

TEST(MemoryPlan, KernelFirstDeviceTreeLastInitrdBelowIt) {
    const KernelImage kernel{0, 10 * mebibyte};
    const auto plan = MemoryPlan::make(64 * mebibyte, kernel, 3 * mebibyte + 1);
    ASSERT_TRUE(plan.has_value());
    EXPECT_EQ(plan->kernel, layout::ram_base);
    EXPECT_EQ(plan->device_tree, layout::ram_base + 62 * mebibyte);
    EXPECT_EQ(plan->initrd, plan->device_tree - 3 * mebibyte - 4096);
}

TEST(MemoryPlan, TheSmallestRamIsEnoughAndLessIsNot) {
    for (const std::uint64_t offset : {std::uint64_t{0}, std::uint64_t{0x8'0000}}) {
        for (const std::uint64_t initrd : {std::uint64_t{0}, std::uint64_t{1}, 7 * mebibyte + 5}) {
            const KernelImage kernel{offset, 33 * mebibyte + 77};
            const std::uint64_t smallest = MemoryPlan::smallest_ram(kernel, initrd);
            const auto plan = MemoryPlan::make(smallest, kernel, initrd);
            ASSERT_TRUE(plan.has_value());
            EXPECT_GE(plan->initrd, plan->kernel + kernel.image_size);
            EXPECT_FALSE(MemoryPlan::make(smallest - 2 * mebibyte, kernel, initrd).has_value());
        }
    }
}

TEST(MemoryPlan, AbsurdSizesDoNotWrap) {
    EXPECT_FALSE(MemoryPlan::make(64 * mebibyte, {0, ~0ULL}, 0).has_value());
    EXPECT_FALSE(MemoryPlan::make(64 * mebibyte, {0, 4096}, ~0ULL).has_value());
    EXPECT_FALSE(MemoryPlan::make(0, {0, 4096}, 0).has_value());
}

class BootFilesTest : public testing::Test {
protected:
    BootFilesTest() : directory{testing::TempDir() + "/gunyah-boot-XXXXXX"} {
        EXPECT_NE(::mkdtemp(directory.data()), nullptr);
    }
    ~BootFilesTest() override { std::filesystem::remove_all(directory); }

    std::string write(const std::string& name, const std::string& content) {
        std::ofstream{directory + "/" + name, std::ios::binary} << content;
        return directory + "/" + name;
    }
    static std::string complaint(const std::string& kernel, const std::string& initrd = "",
                                 std::uint64_t ram = 64 * mebibyte) {
        try {
            BootFiles::open(kernel, initrd, ram);
        } catch (const gunyah::Error& error) {
            return error.what();
        }
        return "accepted";
    }

    std::string directory;
};

TEST_F(BootFilesTest, LoadsKernelAndInitrd) {
    const auto kernel = write("Image", image_file(0, mebibyte, 5000));
    const auto initrd = write("initrd", "an initrd");
    const auto files = BootFiles::open(kernel, initrd, 16 * mebibyte);
    std::vector<std::byte> ram(16 * mebibyte);
    files.load({layout::ram_base, ram});
    EXPECT_EQ(std::memcmp(ram.data(), image_file(0, mebibyte, 5000).data(), 5000), 0);
    ASSERT_TRUE(files.initrd_range().has_value());
    EXPECT_EQ(files.initrd_range()->end - files.initrd_range()->begin, 9U);
    EXPECT_EQ(std::memcmp(&ram[files.initrd_range()->begin - layout::ram_base], "an initrd", 9), 0);
}

TEST_F(BootFilesTest, AnOffsetKernelIsEnteredByAJump) {
    const auto kernel = write("Image", image_file(0x8'0000, mebibyte, 100));
    const auto files = BootFiles::open(kernel, "", 16 * mebibyte);
    EXPECT_FALSE(files.initrd_range().has_value());
    std::vector<std::byte> ram(16 * mebibyte);
    files.load({layout::ram_base, ram});
    std::uint32_t first = 0;
    std::memcpy(&first, ram.data(), sizeof(first));
    EXPECT_EQ(first, 0x1402'0000U);
    EXPECT_EQ(std::memcmp(&ram[0x8'0000 + 56], "ARM\x64", 4), 0);
}

TEST_F(BootFilesTest, SaysWhyAFileCannotBeUsed) {
    const auto kernel = write("Image", image_file(0, mebibyte, 100));
    const auto contains = [](const std::string& text, const std::string& part) {
        return text.find(part) != std::string::npos;
    };
    EXPECT_EQ(complaint(kernel), "accepted");
    EXPECT_TRUE(contains(complaint("/nonexistent"), "cannot use kernel /nonexistent"));
    EXPECT_TRUE(contains(complaint("/nonexistent"), "[ENOENT 2]"));
    EXPECT_TRUE(contains(complaint(kernel, "/nonexistent"), "cannot use initrd"));
    EXPECT_TRUE(contains(complaint(directory), "not a regular file"));
    EXPECT_TRUE(contains(complaint(write("empty", "")), "empty"));
    EXPECT_TRUE(contains(complaint(write("text", "hello")), "not an arm64 Linux kernel"));
    const auto large = write("large", image_file(0, 70 * mebibyte, 100));
    EXPECT_TRUE(contains(complaint(large), "use --mem 72M or more"));
}

} // namespace
} // namespace vmm
