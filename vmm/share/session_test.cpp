// SPDX-License-Identifier: BSD-3-Clause
// Tests of Session on a real directory: what it does, and that no request leads out of it.
#include "share/session.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>
#include <map>

#include "libgunyah/error.hpp"
#include "share/test_client.hpp"

namespace vmm::share {
namespace {

namespace fs = std::filesystem;
using test::Request;

constexpr std::uint32_t root = 1;
constexpr std::uint32_t some = 2;
constexpr std::uint32_t other = 3;

class SessionTest : public testing::Test {
protected:
    SessionTest() { EXPECT_EQ(client.attach(root), 0); }

    // The names that a directory lists, with what getdents calls their types.
    std::map<std::string, unsigned> list(std::uint32_t fid, std::uint32_t count) {
        std::map<std::string, unsigned> result;
        std::uint64_t offset = 0;
        for (bool more = true; more;) {
            EXPECT_EQ(client.send(Message::readdir, Request{}.with(fid).with(offset).with(count)),
                      0);
            MessageReader in{client.reply().take<std::span<const std::byte>>()};
            more = !in.finished();
            while (!in.finished()) {
                in.take<std::uint8_t>();
                in.take<std::uint32_t>();
                in.take<std::uint64_t>();
                offset = in.take<std::uint64_t>();
                const auto type = in.take<std::uint8_t>();
                result[std::string{in.take<std::string_view>()}] = type;
            }
        }
        return result;
    }
    int setattr(std::uint32_t fid, std::uint32_t valid, std::uint32_t mode, std::uint64_t size) {
        return client.send(Message::setattr, Request{}
                                                 .with(fid)
                                                 .with(valid)
                                                 .with(mode)
                                                 .with(0U)
                                                 .with(0U)
                                                 .with(size)
                                                 .with(std::uint64_t{1000})
                                                 .with(std::uint64_t{5})
                                                 .with(std::uint64_t{2000})
                                                 .with(std::uint64_t{6}));
    }
    int mkdir(std::uint32_t fid, std::string_view name) {
        return client.send(Message::mkdir, Request{}.with(fid).with(name).with(0755U).with(
                                               test::TestClient::group()));
    }
    int symlink(std::uint32_t fid, std::string_view name, std::string_view target) {
        return client.send(Message::symlink, Request{}.with(fid).with(name).with(target).with(
                                                 test::TestClient::group()));
    }
    int lock(std::uint32_t fid, LockType type) {
        const int error = client.send(Message::lock, Request{}
                                                         .with(fid)
                                                         .with(static_cast<std::uint8_t>(type))
                                                         .with(0U)
                                                         .with(std::uint64_t{10})
                                                         .with(std::uint64_t{20})
                                                         .with(4711U)
                                                         .with("client"));
        return error != 0 ? -error : client.reply().take<std::uint8_t>();
    }

    test::TemporaryFolder folder;
    Session session{folder.shared(), false, 64};
    test::TestClient client{session};
};

TEST_F(SessionTest, NegotiatesTheVersion) {
    const auto version = [&](std::uint32_t size, std::string_view name) {
        const int error = client.send(Message::version, Request{}.with(size).with(name));
        MessageReader in = client.reply();
        const auto answered = in.take<std::uint32_t>();
        return std::tuple{error, answered, std::string{in.take<std::string_view>()}};
    };
    EXPECT_EQ(version(8192, "9P2000.L"), (std::tuple{0, 8192U, "9P2000.L"}));
    EXPECT_EQ(version(~0U, "9P2000.L"), (std::tuple{0, Session::largest_message, "9P2000.L"}));
    EXPECT_EQ(version(8192, "9P2000.u"), (std::tuple{0, 8192U, "unknown"}));
    EXPECT_EQ(std::get<0>(version(100, "9P2000.L")), EINVAL);
}

TEST_F(SessionTest, AVersionEndsAllFids) {
    EXPECT_EQ(client.clunk(root), 0);
    EXPECT_EQ(client.attach(root), 0);
    client.send(Message::version, Request{}.with(8192U).with("9P2000.L"));
    EXPECT_EQ(client.clunk(root), EBADF);
}

TEST_F(SessionTest, CreatesWritesAndReads) {
    ASSERT_EQ(client.walk(root, some, {}), 0);
    ASSERT_EQ(client.create(some, "new", 02, 04755), 0);
    EXPECT_EQ(client.write(some, 0, "from the guest"), 0);
    EXPECT_EQ(client.reply().take<std::uint32_t>(), 14U);
    EXPECT_EQ(client.write(some, 20, "!"), 0);
    EXPECT_EQ(client.read(some, 5, 9), "the guest");
    EXPECT_EQ(client.read(some, 21, 9), "");
    EXPECT_EQ(client.send(Message::fsync, Request{}.with(some).with(1U)), 0);
    EXPECT_EQ(client.clunk(some), 0);
    EXPECT_EQ(folder.get("shared/new").substr(0, 14), "from the guest");
    // No set-user-ID program comes out of a guest.
    EXPECT_EQ(fs::status(folder.at("shared/new")).permissions(), fs::perms{0755});
}

TEST_F(SessionTest, CreateOpensWhatIsThereUnlessExclusive) {
    folder.put("shared/old", "contents");
    ASSERT_EQ(client.walk(root, some, {}), 0);
    EXPECT_EQ(client.create(some, "old", 0200), EEXIST);
    EXPECT_EQ(client.create(some, "old", 00), 0);
    EXPECT_EQ(client.read(some, 0, 100), "contents");
    EXPECT_EQ(client.write(some, 0, "x"), EBADF);
}

TEST_F(SessionTest, RepliesFitTheRoomThatThereIs) {
    folder.put("shared/file", std::string(10000, 'a'));
    ASSERT_EQ(client.walk(root, some, {"file"}), 0);
    ASSERT_EQ(client.open(some, 0), 0);
    EXPECT_EQ(client.read(some, 0, 10000, 111).size(), 100U);
    EXPECT_EQ(client.send(Message::getattr, Request{}.with(some).with(~std::uint64_t{0}), 20),
              EMSGSIZE);
    client.send(Message::version, Request{}.with(4096U).with("9P2000.L"));
    client.send(Message::attach, Request{}.with(root).with(no_fid).with("").with("").with(0U));
    ASSERT_EQ(client.walk(root, some, {"file"}), 0);
    ASSERT_EQ(client.open(some, 0), 0);
    EXPECT_EQ(client.read(some, 0, 10000).size(), 4096U - 11);
}

TEST_F(SessionTest, WalksAndDescribes) {
    fs::create_directories(folder.at("shared/a/b"));
    folder.put("shared/a/b/file", "12345");
    EXPECT_EQ(client.walk(root, some, {"a", "b", "file"}), 0);
    EXPECT_EQ(client.reply().take<std::uint16_t>(), 3);
    EXPECT_EQ(client.walk(root, other, {"a", "nothing", "file"}), 0);
    EXPECT_EQ(client.reply().take<std::uint16_t>(), 1);
    EXPECT_EQ(client.clunk(other), EBADF); // a walk that stops early makes no fid
    EXPECT_EQ(client.walk(root, other, {"nothing"}), ENOENT);
    EXPECT_EQ(client.walk(root, some, {}), EBADF); // in use
    EXPECT_EQ(client.walk(99, other, {}), EBADF);
    EXPECT_EQ(client.walk(root, other, std::vector<std::string>(17, "a")), EBADMSG);
    ASSERT_EQ(client.send(Message::getattr, Request{}.with(some).with(getattr_basic)), 0);
    MessageReader in = client.reply();
    EXPECT_EQ(in.take<std::uint64_t>(), getattr_basic);
    in.take<std::uint8_t>();
    in.take<std::uint32_t>();
    struct stat status{};
    ASSERT_EQ(::stat(folder.at("shared/a/b/file").c_str(), &status), 0);
    EXPECT_EQ(in.take<std::uint64_t>(), status.st_ino);
    EXPECT_EQ(in.take<std::uint32_t>(), status.st_mode);
    EXPECT_EQ(client.send(Message::statfs, Request{}.with(some)), 0);
}

TEST_F(SessionTest, ListsDirectoriesInPieces) {
    for (int index = 0; index < 100; ++index) {
        folder.put("shared/file" + std::to_string(index), "");
    }
    fs::create_directory(folder.at("shared/folder"));
    ASSERT_EQ(client.walk(root, some, {}), 0);
    ASSERT_EQ(client.open(some, 0), 0);
    for (const std::uint32_t count : {200U, 100'000U}) {
        const auto names = list(some, count);
        EXPECT_EQ(names.size(), 103U); // with . and ..
        EXPECT_EQ(names.at("file42"), 8U);
        EXPECT_EQ(names.at("folder"), 4U);
    }
    EXPECT_EQ(client.send(Message::readdir, Request{}.with(some).with(std::uint64_t{0}).with(10U)),
              EINVAL);
    EXPECT_EQ(client.read(some, 0, 10), "errno " + std::to_string(EISDIR));
}

TEST_F(SessionTest, ChangesAttributes) {
    folder.put("shared/file", "12345");
    ASSERT_EQ(client.walk(root, some, {"file"}), 0);
    EXPECT_EQ(setattr(some, set_mode, 06640, 0), 0);
    EXPECT_EQ(fs::status(folder.at("shared/file")).permissions(), fs::perms{0640});
    EXPECT_EQ(setattr(some, set_size, 0, 3), 0);
    EXPECT_EQ(folder.get("shared/file"), "123");
    EXPECT_EQ(setattr(some, set_atime | set_atime_given | set_mtime | set_mtime_given, 0, 0), 0);
    struct stat status{};
    ASSERT_EQ(::stat(folder.at("shared/file").c_str(), &status), 0);
    EXPECT_EQ(status.st_atim.tv_sec, 1000);
    EXPECT_EQ(status.st_mtim.tv_sec, 2000);
    EXPECT_EQ(status.st_mtim.tv_nsec, 6);
    EXPECT_EQ(setattr(some, set_mtime, 0, 0), 0);
    ASSERT_EQ(::stat(folder.at("shared/file").c_str(), &status), 0);
    EXPECT_GT(status.st_mtim.tv_sec, 1'000'000);
}

TEST_F(SessionTest, MakesMovesAndRemovesNames) {
    EXPECT_EQ(mkdir(root, "folder"), 0);
    EXPECT_EQ(mkdir(root, "folder"), EEXIST);
    folder.put("shared/file", "x");
    ASSERT_EQ(client.walk(root, some, {"folder"}), 0);
    ASSERT_EQ(client.walk(root, other, {"file"}), 0);
    EXPECT_EQ(client.send(Message::link, Request{}.with(some).with(other).with("hard")), 0);
    EXPECT_EQ(fs::hard_link_count(folder.at("shared/file")), 2U);
    EXPECT_EQ(
        client.send(Message::renameat, Request{}.with(root).with("file").with(some).with("moved")),
        0);
    EXPECT_TRUE(fs::exists(folder.at("shared/folder/moved")));
    EXPECT_EQ(client.send(Message::unlinkat, Request{}.with(root).with("folder").with(0x200U)),
              ENOTEMPTY);
    EXPECT_EQ(client.send(Message::unlinkat, Request{}.with(some).with("hard").with(0U)), 0);
    // Found as "file", which is gone from there.
    EXPECT_EQ(client.send(Message::remove, Request{}.with(other)), ENOENT);
    EXPECT_EQ(client.clunk(other), EBADF);
    ASSERT_EQ(client.walk(some, other, {"moved"}), 0);
    EXPECT_EQ(client.send(Message::rename, Request{}.with(other).with(root).with("again")), 0);
    EXPECT_EQ(client.send(Message::remove, Request{}.with(other)), 0);
    EXPECT_FALSE(fs::exists(folder.at("shared/again")));
    EXPECT_EQ(client.send(Message::unlinkat, Request{}.with(root).with("folder").with(0x200U)), 0);
}

TEST_F(SessionTest, MakesOnlyHarmlessNodes) {
    const auto mknod = [&](std::string_view name, std::uint32_t mode) {
        return client.send(Message::mknod,
                           Request{}.with(root).with(name).with(mode).with(1U).with(3U).with(
                               test::TestClient::group()));
    };
    EXPECT_EQ(mknod("plain", S_IFREG | 04644U), 0);
    EXPECT_EQ(fs::status(folder.at("shared/plain")).permissions(), fs::perms{0644});
    EXPECT_EQ(mknod("pipe", S_IFIFO | 0644U), 0);
    EXPECT_EQ(mknod("null", S_IFCHR | 0666U), EPERM);
    // Opening it would wait for somebody at its other end.
    ASSERT_EQ(client.walk(root, some, {"pipe"}), 0);
    EXPECT_EQ(client.open(some, 0), ENXIO);
    ASSERT_EQ(client.walk(root, other, {}), 0);
    EXPECT_EQ(client.create(other, "pipe", 01), ENXIO);
}

TEST_F(SessionTest, SymbolicLinksAreNotFollowed) {
    EXPECT_EQ(symlink(root, "out", "../secret"), 0);
    EXPECT_EQ(symlink(root, "up", ".."), 0);
    EXPECT_EQ(client.walk(root, other, {"up", "secret"}), 0);
    EXPECT_EQ(client.reply().take<std::uint16_t>(), 1); // it stays a link, with nothing below it
    ASSERT_EQ(client.walk(root, some, {"out"}), 0);
    EXPECT_EQ(client.send(Message::readlink, Request{}.with(some)), 0);
    EXPECT_EQ(client.reply().take<std::string_view>(), "../secret");
    EXPECT_EQ(client.open(some, 0), ELOOP);
    EXPECT_EQ(setattr(some, set_size, 0, 0), ELOOP);
    EXPECT_EQ(setattr(some, set_mode, 0600, 0), EOPNOTSUPP);
    ASSERT_EQ(client.walk(root, other, {}), 0);
    EXPECT_EQ(client.create(other, "out", 01), ELOOP);
    EXPECT_EQ(folder.get("secret"), "of the host");
}

TEST_F(SessionTest, NoNameLeadsOut) {
    fs::create_directory(folder.at("shared/folder"));
    for (const std::string name :
         {"../secret", "/etc/passwd", "folder/../../secret", "", ".", "a/b"}) {
        EXPECT_EQ(client.walk(root, some, {name}), ENOENT) << name;
        EXPECT_EQ(mkdir(root, name), EINVAL) << name;
        EXPECT_EQ(symlink(root, name, "x"), EINVAL) << name;
        EXPECT_EQ(client.create(root, name, 01), EINVAL) << name;
        EXPECT_EQ(client.send(Message::unlinkat, Request{}.with(root).with(name).with(0U)), EINVAL);
        EXPECT_EQ(client.send(Message::link, Request{}.with(root).with(root).with(name)), EINVAL);
        EXPECT_EQ(client.send(Message::renameat,
                              Request{}.with(root).with("folder").with(root).with(name)),
                  EINVAL);
    }
    EXPECT_EQ(mkdir(root, ".."), EINVAL);
    EXPECT_EQ(mkdir(root, std::string_view{"a\0b", 3}), EINVAL);
    // Above the root is the root.
    EXPECT_EQ(client.walk(root, some, {"..", "..", "folder", "..", "folder"}), 0);
    EXPECT_EQ(client.reply().take<std::uint16_t>(), 5);
    EXPECT_EQ(client.walk(root, other, {"..", "secret"}), 0);
    EXPECT_EQ(client.reply().take<std::uint16_t>(), 1);
}

TEST_F(SessionTest, AMovedDirectoryTakesNobodyOut) {
    fs::create_directories(folder.at("shared/a/b"));
    ASSERT_EQ(client.walk(root, some, {"a", "b"}), 0);
    fs::rename(folder.at("shared/a/b"), folder.at("b")); // by the host, out of the share
    EXPECT_EQ(client.walk(some, other, {"..", "secret"}), 0);
    EXPECT_EQ(client.reply().take<std::uint16_t>(), 1); // ".." is where it came from
}

TEST_F(SessionTest, AReadOnlyShareIsNotChanged) {
    folder.put("shared/file", "contents");
    Session read_only{folder.shared(), true, 64};
    test::TestClient guest{read_only};
    ASSERT_EQ(guest.attach(root), 0);
    ASSERT_EQ(guest.walk(root, some, {"file"}), 0);
    for (const std::uint32_t flags : {01U, 02U, 01000U}) {
        EXPECT_EQ(guest.open(some, flags), EROFS);
    }
    EXPECT_EQ(guest.open(some, 0), 0);
    EXPECT_EQ(guest.read(some, 0, 100), "contents");
    EXPECT_EQ(guest.write(some, 0, "x"), EBADF);
    EXPECT_EQ(guest.create(root, "new", 0), EROFS);
    const std::uint32_t group = 0;
    EXPECT_EQ(guest.send(Message::mkdir, Request{}.with(root).with("d").with(0755U).with(group)),
              EROFS);
    EXPECT_EQ(guest.send(Message::symlink, Request{}.with(root).with("l").with("t").with(group)),
              EROFS);
    EXPECT_EQ(guest.send(Message::link, Request{}.with(root).with(some).with("l")), EROFS);
    EXPECT_EQ(guest.send(Message::unlinkat, Request{}.with(root).with("file").with(0U)), EROFS);
    EXPECT_EQ(guest.send(Message::renameat, Request{}.with(root).with("file").with(root).with("f")),
              EROFS);
    EXPECT_EQ(guest.send(Message::rename, Request{}.with(some).with(root).with("f")), EROFS);
    Request attributes;
    attributes.with(some).with(set_size).with(0U).with(0U).with(0U);
    for (int field = 0; field < 5; ++field) {
        attributes.with(std::uint64_t{0});
    }
    EXPECT_EQ(guest.send(Message::setattr, attributes), EROFS);
    EXPECT_EQ(guest.send(Message::remove, Request{}.with(some)), EROFS);
    EXPECT_EQ(folder.get("shared/file"), "contents");
}

TEST_F(SessionTest, LocksBelongToOpenFiles) {
    folder.put("shared/file", "x");
    for (const std::uint32_t fid : {some, other}) {
        ASSERT_EQ(client.walk(root, fid, {"file"}), 0);
        ASSERT_EQ(client.open(fid, 02), 0);
    }
    EXPECT_EQ(lock(some, LockType::write), static_cast<int>(LockStatus::success));
    EXPECT_EQ(lock(other, LockType::read), static_cast<int>(LockStatus::blocked));
    EXPECT_EQ(client.send(Message::getlock, Request{}
                                                .with(other)
                                                .with(std::uint8_t{1})
                                                .with(std::uint64_t{0})
                                                .with(std::uint64_t{0})
                                                .with(1U)
                                                .with("c")),
              0);
    MessageReader in = client.reply();
    EXPECT_EQ(in.take<std::uint8_t>(), 1);
    EXPECT_EQ(in.take<std::uint64_t>(), 10U);
    EXPECT_EQ(lock(some, LockType::unlock), 0);
    EXPECT_EQ(lock(other, LockType::read), 0);
    EXPECT_EQ(client.clunk(other), 0);
    EXPECT_EQ(lock(some, LockType::write), 0); // a closed file has no locks
    EXPECT_EQ(lock(some, static_cast<LockType>(9)), -EINVAL);
}

TEST_F(SessionTest, BoundsWhatItHolds) {
    int error = 0;
    std::uint32_t fid = 100;
    while (error == 0 && fid < 1000) {
        error = client.walk(root, fid++, {});
    }
    EXPECT_EQ(error, ENFILE);
    EXPECT_LE(fid, 100U + 32);
    EXPECT_EQ(client.clunk(100), 0);
    EXPECT_EQ(client.walk(root, 100, {}), 0);
}

TEST_F(SessionTest, BoundsTheDepth) {
    ASSERT_EQ(client.walk(root, some, {}), 0);
    int error = 0;
    unsigned depth = 0;
    Session deep{folder.shared(), false, 10'000};
    test::TestClient guest{deep};
    ASSERT_EQ(guest.attach(root), 0);
    ASSERT_EQ(guest.walk(root, some, {}), 0);
    while (error == 0 && depth < 1000) {
        guest.send(Message::mkdir, Request{}.with(some).with("d").with(0755U).with(0U));
        error = guest.walk(some, some, {"d"});
        ++depth;
    }
    EXPECT_EQ(error, ENAMETOOLONG);
    EXPECT_EQ(depth, SharedTree::most_depth + 1);
}

TEST_F(SessionTest, RefusesWhatItDoesNotKnow) {
    EXPECT_EQ(client.send(Message::xattrwalk, Request{}.with(root).with(some).with("user.x")),
              EOPNOTSUPP);
    EXPECT_EQ(client.send(Message::auth, Request{}), EOPNOTSUPP);
    EXPECT_EQ(client.send(static_cast<Message>(255), Request{}), EOPNOTSUPP);
    EXPECT_EQ(client.send(Message::flush, Request{}.with(std::uint16_t{3})), 0);
    // Fields that are missing, or more than there should be.
    EXPECT_EQ(client.send(Message::clunk, Request{}.with(std::uint16_t{1})), EBADMSG);
    EXPECT_EQ(client.send(Message::clunk, Request{}.with(root).with(1U)), EBADMSG);
    EXPECT_EQ(client.send(Message::write, Request{}.with(root).with(std::uint64_t{0}).with(~0U)),
              EBADMSG);
    EXPECT_EQ(client.clunk(root), 0);
    EXPECT_EQ(client.send(Message::attach,
                          Request{}.with(root).with(no_fid).with("").with("/etc").with(0U)),
              ENOENT);
}

TEST(SharedTreeTest, SaysWhatCannotBeShared) {
    for (const char* path : {"/nonexistent", "/proc/version"}) {
        EXPECT_THROW((Session{path, false, 64}), gunyah::Error) << path;
    }
}

} // namespace
} // namespace vmm::share
