// SPDX-License-Identifier: BSD-3-Clause
// TemporaryFile: a file for one test.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace vmm::test {

class TemporaryFile {
public:
    explicit TemporaryFile(std::uint64_t size) {
        path_ = testing::TempDir() + "/gunyah-disk-XXXXXX";
        ::close(::mkstemp(path_.data()));
        std::filesystem::resize_file(path_, size);
    }
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;
    ~TemporaryFile() { std::filesystem::remove(path_); }

    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] std::string bytes(std::uint64_t offset, std::size_t count) const {
        std::ifstream file{path_, std::ios::binary};
        file.seekg(static_cast<std::streamoff>(offset));
        std::string text(count, '?');
        file.read(text.data(), static_cast<std::streamsize>(count));
        return text;
    }
    void put(std::uint64_t offset, std::string_view text) const {
        std::fstream file{path_, std::ios::binary | std::ios::in | std::ios::out};
        file.seekp(static_cast<std::streamoff>(offset));
        file << text;
    }

private:
    std::string path_;
};

} // namespace vmm::test
