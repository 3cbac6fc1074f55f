// SPDX-License-Identifier: BSD-3-Clause
// Tests of RawImage, HostFile and open_disk(): which files are disks, and who may use them.
#include "disk/raw_image.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "disk/open_disk.hpp"
#include "disk/temporary_file.hpp"
#include "libgunyah/error.hpp"

namespace vmm {
namespace {

RawImage open_raw(const std::string& path, bool read_only) {
    return RawImage{HostFile::open(path, read_only)};
}

class RawImageTest : public testing::Test {
protected:
    test::TemporaryFile file{64 * 1024};
};

TEST_F(RawImageTest, ASecondWriterIsRefused) {
    const auto first = open_raw(file.path(), false);
    for (const bool read_only : {false, true}) {
        try {
            open_raw(file.path(), read_only);
            FAIL() << "the disk was opened twice";
        } catch (const gunyah::Error& error) {
            EXPECT_EQ(error.kind(), gunyah::ErrorKind::busy);
            EXPECT_NE(std::string{error.what()}.find("another VM"), std::string::npos);
        }
    }
}

TEST_F(RawImageTest, ReadersShareAndTheLockEndsWithTheObject) {
    {
        const auto first = open_raw(file.path(), true);
        EXPECT_NO_THROW(open_raw(file.path(), true));
        EXPECT_THROW(open_raw(file.path(), false), gunyah::Error);
    }
    EXPECT_NO_THROW(open_raw(file.path(), false));
}

TEST_F(RawImageTest, UnusableFilesAreRefused) {
    EXPECT_THROW(open_raw("/nonexistent/disk", false), gunyah::Error);
    EXPECT_THROW(open_raw(testing::TempDir(), true), gunyah::Error);
    EXPECT_THROW(open_raw("/dev/null", false), gunyah::Error);
    std::filesystem::resize_file(file.path(), 1000);
    EXPECT_THROW(open_raw(file.path(), false), gunyah::Error);
    std::filesystem::resize_file(file.path(), 0);
    EXPECT_THROW(open_raw(file.path(), false), gunyah::Error);
}

TEST_F(RawImageTest, TheNameDecidesTheFormatAndTheContentMayNotContradict) {
    EXPECT_EQ(open_disk(file.path(), false, "")->sectors(), 128U);
    EXPECT_THROW(open_disk(file.path(), false, "vmdk"), gunyah::Error);
    EXPECT_THROW(open_disk(file.path(), false, "qcow2"), gunyah::Error);
    file.put(0, "QFI\xfb");
    EXPECT_THROW(open_disk(file.path(), false, ""), gunyah::Error);
    EXPECT_EQ(open_disk(file.path(), false, "raw")->sectors(), 128U);
}

} // namespace
} // namespace vmm
