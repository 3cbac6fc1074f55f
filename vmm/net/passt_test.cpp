// SPDX-License-Identifier: BSD-3-Clause
// Tests of Passt: shell scripts in its place that serve, fail, or are not there.
#include "net/passt.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "libgunyah/error.hpp"

namespace vmm {
namespace {

class PasstTest : public testing::Test {
protected:
    PasstTest() {
        ::mkdtemp(folder.data());
        ::chmod(folder.c_str(), 0777);
        ::setenv("PATH", (folder + ":/usr/bin:/bin").c_str(), 1);
    }
    ~PasstTest() override {
        ::setenv("PATH", old_path.c_str(), 1);
        std::filesystem::remove_all(folder);
    }

    // What runs as passt: $fd and $pid are the values of --fd and --pid.
    void install(const std::string& body) const {
        const std::string path = folder + "/passt";
        std::ofstream{path} << "#!/bin/sh\nwords=\"$*\"\nwhile [ $# -gt 0 ]; do case $1 in "
                               "--fd) fd=$2 ;; --pid) pid=$2 ;; esac; shift; done\n"
                            << body;
        ::chmod(path.c_str(), 0755);
    }
    static std::string complaint() {
        try {
            const Passt passt{{}};
        } catch (const gunyah::Error& error) {
            return error.what();
        }
        return "none";
    }
    static std::string receive(int fd) {
        std::array<char, 4096> buffer{};
        pollfd state{fd, POLLIN, 0};
        ::poll(&state, 1, 10'000);
        const ssize_t count = ::read(fd, buffer.data(), buffer.size());
        return {buffer.data(), count > 0 ? static_cast<std::size_t>(count) : 0};
    }

    std::string folder = testing::TempDir() + "/gunyah-passt-XXXXXX";
    std::string old_path = std::getenv("PATH");
};

TEST_F(PasstTest, IsToldThePortsAndServes) {
    install("echo $$ >$pid\neval \"echo \\$words >&$fd\"\nsleep 100");
    Passt passt{
        {{.udp = false, .host = 2222, .guest = 22}, {.udp = true, .host = 53, .guest = 5353}}};
    const gunyah::FileDescriptor socket = passt.take_socket();
    const std::string words = receive(socket.get());
    EXPECT_NE(words.find("--foreground"), std::string::npos);
    EXPECT_NE(words.find("--tcp-ports 2222:22 --udp-ports 53:5353"), std::string::npos) << words;
}

TEST_F(PasstTest, EndsWithItsOwner) {
    install("echo $$ >$pid\necho $$ >&2\nexec sleep 100");
    pid_t child = 0;
    {
        const Passt passt{{}};
        std::string said;
        while (said.empty()) {
            said = passt.last_words();
        }
        child = std::stoi(said.substr(said.find(':') + 1));
        EXPECT_EQ(::kill(child, 0), 0);
    }
    EXPECT_NE(::kill(child, 0), 0);
}

TEST_F(PasstTest, ItsOwnWordsSayWhyItEnded) {
    install("echo 'Failed to send 3 bytes to syslog' >&2\necho 'no port left' >&2\nexit 1");
    EXPECT_EQ(complaint(),
              "cannot start passt for --net: it ended at once; passt says: no port left");
}

TEST_F(PasstTest, IsMissed) {
    ::setenv("PATH", folder.c_str(), 1);
    EXPECT_EQ(complaint(), "cannot start passt for --net: the program passt is not installed; "
                           "install Debian's package passt, or use --net tap=NAME");
}

} // namespace
} // namespace vmm
