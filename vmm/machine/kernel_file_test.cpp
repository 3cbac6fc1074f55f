// SPDX-License-Identifier: BSD-3-Clause
// Tests of KernelFile: every form gives the same image, and damaged ones are told from it.
#include "machine/kernel_file.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <vector>

#include "disk/temporary_file.hpp"
#include "libgunyah/error.hpp"
#include "machine/kernel_samples.hpp"

namespace vmm {
namespace {

constexpr std::uint64_t image_size = 400'000;

// What is loaded of a kernel file, without the zeroes behind it; or the complaint about it.
std::string loaded(const std::string& content) {
    const test::TemporaryFile file{0};
    file.put(0, content);
    try {
        const auto kernel = KernelFile::open(file.path());
        std::vector<std::byte> memory(kernel.image().image_size);
        kernel.load(memory);
        std::string text{reinterpret_cast<const char*>(memory.data()), memory.size()};
        text.resize(text.find_last_not_of('\0') + 1);
        return text;
    } catch (const gunyah::Error& error) {
        return error.what();
    }
}

class KernelFileTest : public testing::Test {
protected:
    static void expect_complaint(const std::string& content, const std::string& part) {
        const std::string said = loaded(content);
        EXPECT_NE(said.find(part), std::string::npos) << said.substr(0, 300);
        EXPECT_NE(said.find("cannot use kernel"), std::string::npos);
    }

    // Ends in no zero, which loaded() would cut off.
    const std::string image = test::image_file(0, image_size, 300'000) + "end";
};

TEST_F(KernelFileTest, EveryFormGivesTheImage) {
    EXPECT_EQ(loaded(image), image);
    EXPECT_EQ(loaded(test::gzip(image)), image);
    EXPECT_EQ(loaded(test::zstd(image)), image);
    EXPECT_EQ(loaded(test::zboot(test::gzip(image), "gzip")), image);
    EXPECT_EQ(loaded(test::zboot(test::zstd(image), "zstd22")), image);
    EXPECT_EQ(loaded(test::elf(image, 4096)), image);
}

TEST_F(KernelFileTest, ABssLessImageFillsItsMemoryExactly) {
    const std::string exact = test::image_file(0, 1000, 999) + "e";
    EXPECT_EQ(loaded(test::gzip(exact)), exact);
    EXPECT_EQ(loaded(test::zstd(exact)), exact);
}

TEST_F(KernelFileTest, NothingIsUnpackedBeyondTheImage) {
    const std::string lying = test::image_file(0, 200'000, 300'000);
    expect_complaint(test::gzip(lying), "more in it than its header says");
    expect_complaint(test::zstd(lying), "more in it than its header says");
    // As an Image its file counts.
    EXPECT_EQ(loaded(lying + "e").size(), 300'001U);
}

TEST_F(KernelFileTest, DamageIsSeen) {
    for (const std::string& whole : {test::gzip(image), test::zstd(image)}) {
        expect_complaint(whole.substr(0, whole.size() / 2), "it ends too early");
        expect_complaint(whole.substr(0, whole.size() - 1), "it ends too early");
        std::string turned = whole;
        turned[whole.size() / 2] = static_cast<char>(turned[whole.size() / 2] ^ 0x10);
        EXPECT_NE(loaded(turned), image); // a checksum, or what comes out is shorter or longer
        expect_complaint(whole.substr(0, 8), "");
    }
    std::string checksum = test::gzip(image);
    checksum[checksum.size() - 8] = static_cast<char>(checksum[checksum.size() - 8] ^ 1);
    expect_complaint(checksum, "incorrect data check");
}

TEST_F(KernelFileTest, SaysWhatAFileIsInstead) {
    expect_complaint(test::gzip("hello, world"), "not an arm64 Linux kernel");
    expect_complaint(test::zstd(std::string(1000, 'x')), "not an arm64 Linux kernel");
    expect_complaint(test::zboot("payload", "lzma"), "compressed by 'lzma', neither gzip nor zstd");
    expect_complaint(test::gzip(test::image_file(0, 0, 1000)), "too old");
    std::string outside = test::zboot(test::gzip(image), "gzip");
    outside[15] = '\x7f'; // the payload's size
    expect_complaint(outside, "outside the file");
}

TEST_F(KernelFileTest, ElfHeadersAreChecked) {
    const auto with = [&](std::size_t offset, std::uint64_t value) {
        std::string file = test::elf(image, 4096);
        std::memcpy(file.data() + offset, &value, sizeof(value));
        return file;
    };
    const std::size_t second = sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr); // the lower one
    expect_complaint(test::elf(image, 4096).substr(0, 40), "ELF headers are wrong");
    expect_complaint(with(second + offsetof(Elf64_Phdr, p_offset), 1 << 30), "ELF headers");
    expect_complaint(with(second + offsetof(Elf64_Phdr, p_filesz), ~0ULL), "ELF headers");
    expect_complaint(with(second + offsetof(Elf64_Phdr, p_filesz), 5000), "ELF headers"); // overlap
    expect_complaint(with(second + offsetof(Elf64_Phdr, p_vaddr), 0), "ELF headers"); // far apart
    expect_complaint(with(offsetof(Elf64_Ehdr, e_phoff), 1 << 20), "ELF headers");
    std::string other_machine = test::elf(image, 4096);
    other_machine[offsetof(Elf64_Ehdr, e_machine)] = EM_X86_64;
    expect_complaint(other_machine, "another machine");
    std::string no_segments = test::elf(image, 4096);
    no_segments[offsetof(Elf64_Ehdr, e_phnum)] = 0;
    expect_complaint(no_segments, "nothing to load");
    expect_complaint(test::elf(std::string(5000, 'x'), 4096), "not an arm64 Linux kernel");
}

} // namespace
} // namespace vmm
