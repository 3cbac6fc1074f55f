// SPDX-License-Identifier: BSD-3-Clause
// TestClient: the guest's side of a 9P2000.L session, and a directory to share, for tests.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "share/session.hpp"

namespace vmm::share::test {

// Outside and inside: DIR/shared is what is shared, DIR/secret must stay out of reach.
class TemporaryFolder {
public:
    TemporaryFolder() {
        path_ = testing::TempDir() + "/gunyah-share-XXXXXX";
        EXPECT_NE(::mkdtemp(path_.data()), nullptr);
        std::filesystem::create_directory(shared());
        put("secret", "of the host");
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    ~TemporaryFolder() { std::filesystem::remove_all(path_); }

    [[nodiscard]] std::string shared() const { return path_ + "/shared"; }
    [[nodiscard]] std::string at(const std::string& name) const { return path_ + "/" + name; }
    void put(const std::string& name, const std::string& text) const {
        std::ofstream{at(name), std::ios::binary} << text;
    }
    [[nodiscard]] std::string get(const std::string& name) const {
        std::ifstream file{at(name), std::ios::binary};
        return {std::istreambuf_iterator<char>{file}, {}};
    }

private:
    std::string path_;
};

// The bytes of a request.
class Request {
public:
    template <typename T>
        requires std::is_integral_v<T>
    Request& with(T value) {
        const auto bytes = std::as_bytes(std::span{&value, 1});
        bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
        return *this;
    }
    Request& with(std::string_view text) {
        with(static_cast<std::uint16_t>(text.size()));
        return raw(text);
    }
    Request& raw(std::string_view text) {
        const auto bytes = std::as_bytes(std::span{text});
        bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
        return *this;
    }
    [[nodiscard]] const std::vector<std::byte>& bytes() const { return bytes_; }

private:
    std::vector<std::byte> bytes_;
};

class TestClient {
public:
    explicit TestClient(Session& session) : session_{session} {}

    // Sends a request; the errno of the reply, 0 if it is a good one, whose fields are in reply().
    int send(Message type, const Request& request, std::size_t room = Session::largest_message) {
        const Header header{static_cast<std::uint32_t>(Header::size + request.bytes().size()),
                            static_cast<std::uint8_t>(type), 7};
        const auto answer = session_.answer(header, request.bytes(), room);
        reply_.assign(answer.begin(), answer.end());
        MessageReader in{reply_};
        EXPECT_LE(reply_.size(), room);
        EXPECT_EQ(in.take<std::uint32_t>(), reply_.size());
        const auto answered = in.take<std::uint8_t>();
        EXPECT_EQ(in.take<std::uint16_t>(), header.tag);
        if (answered == static_cast<std::uint8_t>(Message::error) + 1) {
            const auto error = static_cast<int>(in.take<std::uint32_t>());
            EXPECT_TRUE(in.finished());
            return error;
        }
        EXPECT_EQ(answered, static_cast<std::uint8_t>(type) + 1);
        return 0;
    }
    // The fields of the last reply, behind its header.
    [[nodiscard]] MessageReader reply() const {
        return MessageReader{std::span{reply_}.subspan(Header::size)};
    }

    int attach(std::uint32_t fid) {
        send(Message::version, Request{}.with(65536U).with("9P2000.L"));
        return send(Message::attach, Request{}.with(fid).with(no_fid).with("user").with("").with(
                                         static_cast<std::uint32_t>(::geteuid())));
    }
    int walk(std::uint32_t from, std::uint32_t to, const std::vector<std::string>& names) {
        Request request;
        request.with(from).with(to).with(static_cast<std::uint16_t>(names.size()));
        for (const std::string& name : names) {
            request.with(name);
        }
        return send(Message::walk, request);
    }
    int open(std::uint32_t fid, std::uint32_t flags) {
        return send(Message::lopen, Request{}.with(fid).with(flags));
    }
    int create(std::uint32_t fid, std::string_view name, std::uint32_t flags,
               std::uint32_t mode = 0644) {
        return send(Message::lcreate,
                    Request{}.with(fid).with(name).with(flags).with(mode).with(group()));
    }
    int write(std::uint32_t fid, std::uint64_t offset, std::string_view text) {
        return send(Message::write, Request{}
                                        .with(fid)
                                        .with(offset)
                                        .with(static_cast<std::uint32_t>(text.size()))
                                        .raw(text));
    }
    // The bytes, or "errno N".
    std::string read(std::uint32_t fid, std::uint64_t offset, std::uint32_t count,
                     std::size_t room = Session::largest_message) {
        if (const int error =
                send(Message::read, Request{}.with(fid).with(offset).with(count), room);
            error != 0) {
            return "errno " + std::to_string(error);
        }
        const auto bytes = reply().take<std::span<const std::byte>>();
        return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    }
    int clunk(std::uint32_t fid) { return send(Message::clunk, Request{}.with(fid)); }
    static std::uint32_t group() { return ::getegid(); }

private:
    Session& session_;
    std::vector<std::byte> reply_;
};

} // namespace vmm::share::test
