// SPDX-License-Identifier: BSD-3-Clause
// Fuzz target: requests to a shared directory, whose surroundings must stay as they are.
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "fuzz/fuzz_input.hpp"
#include "share/session.hpp"

namespace {

namespace fs = std::filesystem;

constexpr const char* secret = "of the host";

// Without write permission a directory cannot be emptied.
void open_up(const fs::path& folder) {
    fs::permissions(folder, fs::perms::owner_all);
    for (const auto& entry : fs::directory_iterator{folder}) {
        if (entry.symlink_status().type() == fs::file_type::directory) {
            open_up(entry.path());
        }
    }
}

// DIR/shared with a file and a way out in it, DIR/secret beside it; removed when the process ends.
class Surroundings {
public:
    Surroundings() {
        std::string path = fs::exists("/dev/shm") ? "/dev/shm" : "/tmp";
        path += "/gunyah-share-fuzzer-XXXXXX";
        if (::mkdtemp(path.data()) == nullptr) {
            std::abort();
        }
        folder_ = path;
    }
    Surroundings(const Surroundings&) = delete;
    Surroundings& operator=(const Surroundings&) = delete;
    ~Surroundings() { clear(); }

    [[nodiscard]] fs::path shared() const { return folder_ / "shared"; }

    void make() const {
        clear();
        fs::create_directories(shared() / "d");
        std::ofstream{folder_ / "secret"} << secret;
        std::ofstream{shared() / "f"} << "contents";
        fs::create_symlink("../secret", shared() / "l");
    }
    void check() const {
        std::string text;
        std::getline(std::ifstream{folder_ / "secret"}, text);
        const auto entries = std::distance(fs::directory_iterator{folder_}, {});
        if (text != secret || entries != 2 || fs::hard_link_count(folder_ / "secret") != 1) {
            std::abort(); // the guest was outside
        }
    }

private:
    void clear() const {
        open_up(folder_);
        fs::remove_all(folder_);
    }

    fs::path folder_;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const Surroundings surroundings;
    vmm::fuzz::FuzzInput input{data, size};
    surroundings.make();
    vmm::share::Session session{surroundings.shared(), (input.take<std::uint8_t>() & 1) != 0, 32};
    while (!input.empty()) {
        vmm::share::Header header{};
        header.type = input.take<std::uint8_t>();
        const auto room = std::size_t{input.take<std::uint8_t>()} * 16 + 11;
        const auto body = input.take_bytes(input.take<std::uint8_t>());
        if (session.answer(header, body, room).size() > room) {
            std::abort();
        }
    }
    surroundings.check();
    return 0;
}
