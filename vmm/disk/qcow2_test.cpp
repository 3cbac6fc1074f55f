// SPDX-License-Identifier: BSD-3-Clause
// Tests of Qcow2Image against a model of its disk, and of what it refuses.
#include "disk/qcow2_image.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "disk/qcow2_builder.hpp"
#include "disk/temporary_file.hpp"
#include "libgunyah/error.hpp"

namespace vmm {
namespace {

using test::Qcow2Builder;
using test::TemporaryFile;

constexpr std::uint64_t cluster = 65'536;
constexpr std::uint64_t mebibyte = 1 << 20;

std::string read(DiskImage& disk, std::uint64_t offset, std::size_t length) {
    std::string text(length, '?');
    std::vector<iovec> pieces{{text.data(), length / 3}, {nullptr, 0}};
    pieces.push_back({text.data() + length / 3, length - length / 3});
    return disk.read(pieces, offset) ? text : "failed";
}
bool write(DiskImage& disk, std::uint64_t offset, std::string text) {
    std::vector<iovec> pieces{{text.data(), text.size() / 2},
                              {text.data() + text.size() / 2, text.size() - text.size() / 2}};
    return disk.write(pieces, offset);
}

class Qcow2Test : public testing::Test {
protected:
    std::unique_ptr<Qcow2Image> create(const Qcow2Builder& builder, bool read_only = false) {
        std::filesystem::resize_file(file.path(), 0);
        file.put(0, builder.text());
        return Qcow2Image::open(file.path(), read_only);
    }
    std::string complaint(const Qcow2Builder& builder, bool read_only = false) {
        try {
            create(builder, read_only);
        } catch (const gunyah::Error& error) {
            return error.what();
        }
        return "accepted";
    }
    std::uint64_t stored(std::uint64_t offset) const {
        const std::string bytes = file.bytes(offset, 8);
        return load_big_endian<std::uint64_t>(std::as_bytes(std::span{bytes}), 0);
    }
    // Every cluster that the tables name is counted once, and named once.
    void expect_consistent() const {
        std::set<std::uint64_t> used{0, 1, 2, 3};
        const auto use = [&](std::uint64_t entry) {
            const std::uint64_t offset = entry & 0x00ff'ffff'ffff'fe00;
            if (offset == 0) {
                return;
            }
            EXPECT_EQ(entry >> 63, 1U);
            EXPECT_EQ(offset % cluster, 0U);
            EXPECT_TRUE(used.insert(offset / cluster).second) << "used twice: " << offset;
        };
        for (std::uint64_t l1 = 0; l1 < 2; ++l1) {
            const std::uint64_t l2 = stored(3 * cluster + 8 * l1);
            use(l2);
            for (std::uint64_t index = 0; l2 != 0 && index < cluster / 8; ++index) {
                use(stored((l2 & 0x00ff'ffff'ffff'fe00) + 8 * index));
            }
        }
        for (const std::uint64_t number : used) {
            EXPECT_EQ(stored(2 * cluster + number / 4 * 8) >> (48 - number % 4 * 16) & 0xffff, 1U)
                << "cluster " << number;
        }
    }

    TemporaryFile file{0};
};

TEST_F(Qcow2Test, AnEmptyImageIsZero) {
    const auto disk = create(Qcow2Builder{mebibyte});
    EXPECT_EQ(disk->sectors(), 2048U);
    EXPECT_EQ(read(*disk, 0, 3000), std::string(3000, '\0'));
    EXPECT_EQ(std::filesystem::file_size(file.path()), 4 * cluster); // reading allocates nothing
}

TEST_F(Qcow2Test, KeepsWhatIsWrittenAcrossClustersAndOpenings) {
    {
        const auto disk = create(Qcow2Builder{mebibyte});
        EXPECT_TRUE(write(*disk, cluster - 512, std::string(2 * cluster, 'a')));
        EXPECT_TRUE(write(*disk, cluster + 512, std::string(512, 'b')));
    }
    expect_consistent();
    const auto disk = Qcow2Image::open(file.path(), true);
    EXPECT_EQ(read(*disk, cluster - 1024, 1024), std::string(512, '\0') + std::string(512, 'a'));
    EXPECT_EQ(read(*disk, cluster, 1536),
              std::string(512, 'a') + std::string(512, 'b') + std::string(512, 'a'));
    EXPECT_EQ(read(*disk, 3 * cluster - 1024, 1024),
              std::string(512, 'a') + std::string(512, '\0'));
}

TEST_F(Qcow2Test, NamesThePlaceOfDataThatLieInOnePiece) {
    const auto disk = create(Qcow2Builder{mebibyte});
    EXPECT_FALSE(disk->place(0, 512).has_value()); // nothing there
    EXPECT_TRUE(write(*disk, 0, std::string(3 * cluster, 'a')));
    EXPECT_TRUE(write(*disk, 5 * cluster, std::string(512, 'b')));
    EXPECT_TRUE(write(*disk, 3 * cluster, std::string(512, 'c')));
    const auto place = disk->place(2 * cluster - 512, 1024); // the L2 table is behind the first one
    ASSERT_TRUE(place.has_value());
    EXPECT_EQ(file.bytes(*place, 1024), std::string(1024, 'a'));
    EXPECT_EQ(file.bytes(disk->place(5 * cluster, 512).value_or(0), 512), std::string(512, 'b'));
    EXPECT_FALSE(disk->place(3 * cluster - 512, 1024).has_value()); // in two pieces
    EXPECT_FALSE(disk->place(4 * cluster - 512, 1024).has_value()); // half of it is there
}

// A guest's flush is what makes it durable: the file itself, not this object's memory, has it.
TEST_F(Qcow2Test, AFlushedWriteIsInTheFile) {
    const auto disk = create(Qcow2Builder{mebibyte});
    EXPECT_TRUE(write(*disk, 0, std::string(512, 'a')));
    EXPECT_EQ(stored(3 * cluster), 0U);
    EXPECT_TRUE(disk->flush());
    EXPECT_NE(stored(3 * cluster), 0U);
    expect_consistent();
}

TEST_F(Qcow2Test, ReadsThroughToItsBackingFileAndCopiesOnWrite) {
    const TemporaryFile base{2 * cluster + 512}; // shorter than the disk
    base.put(0, std::string(2 * cluster + 512, 'b'));
    for (const unsigned version : {2U, 3U}) {
        Qcow2Builder builder{mebibyte, version};
        builder.set_backing(std::filesystem::path{base.path()}.filename(), "raw");
        {
            const auto disk = create(builder);
            EXPECT_EQ(read(*disk, cluster, 512), std::string(512, 'b'));
            EXPECT_EQ(read(*disk, 2 * cluster, 1024),
                      std::string(512, 'b') + std::string(512, '\0'));
            EXPECT_TRUE(write(*disk, cluster + 512, std::string(512, 'n')));
            EXPECT_TRUE(disk->write_zeroes(0, 1024, false));
            EXPECT_TRUE(disk->write_zeroes(2 * cluster, cluster, true)); // a whole one
        }
        expect_consistent();
        const auto disk = Qcow2Image::open(file.path(), true);
        EXPECT_EQ(read(*disk, cluster, 1536),
                  std::string(512, 'b') + std::string(512, 'n') + std::string(512, 'b'));
        EXPECT_EQ(read(*disk, 512, 1024), std::string(512, '\0') + std::string(512, 'b'));
        EXPECT_EQ(read(*disk, 2 * cluster, 1024), std::string(1024, '\0'));
    }
    EXPECT_EQ(base.bytes(cluster + 512, 1), "b");
}

TEST_F(Qcow2Test, AnImageMayBackAnother) {
    const TemporaryFile middle{0};
    middle.put(0, Qcow2Builder{mebibyte}.text());
    EXPECT_TRUE(write(*Qcow2Image::open(middle.path(), false), cluster, std::string(512, 'm')));
    Qcow2Builder builder{mebibyte};
    builder.set_backing(middle.path(), "qcow2");
    const auto disk = create(builder);
    EXPECT_EQ(read(*disk, cluster, 1024), std::string(512, 'm') + std::string(512, '\0'));
    // The backing file is in use now.
    EXPECT_THROW(Qcow2Image::open(middle.path(), false), gunyah::Error);
}

TEST_F(Qcow2Test, DoesTheSameAsAPlainDisk) {
    constexpr std::size_t size = 3 * mebibyte;
    const TemporaryFile base{size};
    std::string model(size, '\0');
    std::mt19937 random{7}; // NOLINT(cert-msc51-cpp): the same every time
    for (std::size_t index = 0; index < size; index += 512) {
        std::fill_n(model.begin() + static_cast<std::ptrdiff_t>(index), 512,
                    static_cast<char>(random()));
    }
    base.put(0, model);
    Qcow2Builder builder{size};
    builder.set_backing(base.path(), "raw");
    auto disk = create(builder);
    for (unsigned round = 0; round < 400; ++round) {
        const std::size_t offset = random() % (size / 512) * 512;
        const std::size_t length = std::min((random() % 300 + 1) * 512, size - offset);
        const auto at = model.begin() + static_cast<std::ptrdiff_t>(offset);
        switch (random() % 5) {
        case 0: {
            const std::string text(length, static_cast<char>(random()));
            ASSERT_TRUE(write(*disk, offset, text));
            std::ranges::copy(text, at);
            break;
        }
        case 1:
            ASSERT_TRUE(disk->write_zeroes(offset, length, random() % 2 == 0));
            std::fill_n(at, length, '\0');
            break;
        case 2:
            ASSERT_TRUE(disk->flush());
            break;
        case 3:
            disk.reset();
            expect_consistent();
            disk = Qcow2Image::open(file.path(), false);
            break;
        default:
            ASSERT_EQ(read(*disk, offset, length), model.substr(offset, length));
        }
    }
    ASSERT_EQ(read(*disk, 0, size), model);
}

// Each of 32,768 clusters is counted by a refcount block; the next one gets a block of its own.
TEST_F(Qcow2Test, GrowsBeyondItsFirstRefcountBlock) {
    const std::uint64_t far = 32'768 * cluster;
    {
        const auto disk = create(Qcow2Builder{mebibyte});
        std::filesystem::resize_file(file.path(), far); // sparse, and of no use
    }
    {
        const auto disk = Qcow2Image::open(file.path(), false);
        EXPECT_TRUE(write(*disk, 0, std::string(512, 'a')));
    }
    const std::uint64_t block = stored(cluster + 8);
    EXPECT_EQ(block, far);
    EXPECT_EQ(stored(block), 0x0001'0001'0001'0000U); // itself, the L2 table, the data
    EXPECT_EQ(read(*Qcow2Image::open(file.path(), true), 0, 512), std::string(512, 'a'));
}

TEST_F(Qcow2Test, DiscardGivesBlocksBackAndMayReadAsZero) {
    const auto disk = create(Qcow2Builder{mebibyte});
    EXPECT_TRUE(write(*disk, 0, std::string(2 * cluster, 'a')));
    disk->discard(512, cluster);
    EXPECT_EQ(read(*disk, 0, 1024), std::string(512, 'a') + std::string(512, '\0'));
    EXPECT_EQ(read(*disk, cluster + 512, 512), std::string(512, 'a'));
}

TEST_F(Qcow2Test, SaysWhatItCannotUse) {
    const auto expect = [&](auto change, const std::string& part, bool read_only = false) {
        Qcow2Builder builder{mebibyte};
        change(builder);
        const std::string text = complaint(builder, read_only);
        EXPECT_NE(text.find(part), std::string::npos) << text;
    };
    expect([](auto& image) { image.template put<std::uint32_t>(0, 7); }, "not a qcow2 image");
    expect([](auto& image) { image.template put<std::uint32_t>(4, 1); }, "version 1");
    expect([](auto& image) { image.template put<std::uint32_t>(32, 1); }, "encrypted");
    expect([](auto& image) { image.template put<std::uint64_t>(72, 1); }, "not closed properly");
    expect([](auto& image) { image.template put<std::uint64_t>(72, 4); }, "feature");
    expect([](auto& image) { image.template put<std::uint32_t>(60, 1); }, "internal snapshots");
    expect([](auto& image) { image.template put<std::uint32_t>(96, 5); }, "16 bits");
    expect([](auto& image) { image.set_backing("x", ""); }, "raw or qcow2");
    expect([](auto& image) { image.set_backing("/nonexistent/x", "raw"); }, "/nonexistent/x");
    expect([](auto& image) { image.template put<std::uint32_t>(60, 1); }, "accepted", true);
    EXPECT_NE(complaint(Qcow2Builder{mebibyte, 3, 12}).find("64 KiB"), std::string::npos);
    EXPECT_EQ(complaint(Qcow2Builder{mebibyte, 3, 12}, true), "accepted");
}

TEST_F(Qcow2Test, RefusesDamagedHeaders) {
    const auto damaged = [&](std::size_t offset, auto value) {
        Qcow2Builder builder{mebibyte};
        builder.put(offset, value);
        const std::string text = complaint(builder);
        EXPECT_NE(text.find("damaged"), std::string::npos) << offset << " " << text;
    };
    for (const std::uint32_t bits : {0U, 8U, 22U, 64U}) {
        damaged(20, bits);
    }
    for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{511}, ~std::uint64_t{511},
                                     std::uint64_t{1} << 40}) { // the last: L1 too small
        damaged(24, size);
    }
    for (const std::uint64_t table :
         {std::uint64_t{0}, std::uint64_t{100}, 4 * cluster, ~(cluster - 1)}) {
        damaged(40, table);
        damaged(48, table);
    }
    damaged(36, std::uint32_t{0});
    damaged(36, ~std::uint32_t{0});
    damaged(56, std::uint32_t{0});
    damaged(56, ~std::uint32_t{0});
    damaged(100, std::uint32_t{8});
    damaged(104, std::uint64_t{0x1'ffff'fff8}); // an extension that does not end
    EXPECT_EQ(complaint(Qcow2Builder{mebibyte}), "accepted");
}

TEST_F(Qcow2Test, DamagedTablesAreErrorsAndNothingElse) {
    for (const std::uint64_t entry :
         {std::uint64_t{cluster}, std::uint64_t{3 * cluster}, std::uint64_t{512},
          std::uint64_t{1} << 50, std::uint64_t{9 * cluster}, std::uint64_t{1} << 62}) {
        Qcow2Builder builder{mebibyte};
        builder.put<std::uint64_t>(3 * cluster, 4 * cluster | std::uint64_t{1} << 63);
        builder.put<std::uint64_t>(5 * cluster - 8, 0);
        builder.put<std::uint64_t>(4 * cluster, entry);
        EXPECT_EQ(read(*create(builder), 0, 512), "failed") << entry;
        EXPECT_FALSE(write(*create(builder), 0, std::string(512, 'x'))) << entry;
        EXPECT_EQ(read(*create(builder), cluster, 512), std::string(512, '\0'));
        if ((entry & std::uint64_t{1} << 62) == 0) {
            builder.put<std::uint64_t>(3 * cluster, entry | std::uint64_t{1} << 63);
            EXPECT_EQ(read(*create(builder), 0, 512), "failed") << entry;
            EXPECT_FALSE(write(*create(builder), 0, std::string(512, 'x'))) << entry;
        }
    }
}

TEST_F(Qcow2Test, ALoopOfBackingFilesEnds) {
    Qcow2Builder builder{mebibyte};
    builder.set_backing(file.path(), "qcow2");
    EXPECT_NE(complaint(builder, true).find("too long"), std::string::npos);
}

} // namespace
} // namespace vmm
