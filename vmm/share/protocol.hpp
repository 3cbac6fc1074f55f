// SPDX-License-Identifier: BSD-3-Clause
// Numbers of the file protocol 9P2000.L (the 9P2000.L page of the diod project; intro(5) of Plan
// 9).
#pragma once

#include <cstdint>

namespace vmm::share {

// Requests; the reply to each is the next number. All integers are little-endian.
enum class Message : std::uint8_t {
    error = 6, // only its reply exists: Rlerror
    statfs = 8,
    lopen = 12,
    lcreate = 14,
    symlink = 16,
    mknod = 18,
    rename = 20,
    readlink = 22,
    getattr = 24,
    setattr = 26,
    xattrwalk = 30,
    xattrcreate = 32,
    readdir = 40,
    fsync = 50,
    lock = 52,
    getlock = 54,
    link = 70,
    mkdir = 72,
    renameat = 74,
    unlinkat = 76,
    version = 100,
    auth = 102,
    attach = 104,
    flush = 108,
    walk = 110,
    read = 116,
    write = 118,
    clunk = 120,
    remove = 122,
};

// Every message begins with its size (these bytes included), its type and the request's tag.
struct Header {
    static constexpr std::size_t size = 7;
    // An Rlerror: header and error number.
    static constexpr std::size_t error_size = size + 4;

    std::uint32_t length;
    std::uint8_t type;
    std::uint16_t tag;
};

// What identifies a file: two files of one share have different paths.
struct Qid {
    std::uint8_t type;     // qid_*
    std::uint32_t version; // always 0: nothing is said about changes
    std::uint64_t path;
};
constexpr std::uint8_t qid_directory = 0x80;
constexpr std::uint8_t qid_symlink = 0x02;
constexpr std::uint8_t qid_file = 0x00;

constexpr std::uint32_t no_fid = ~std::uint32_t{0};
constexpr std::size_t most_walk_names = 16;

// Fields that getattr's reply always has: mode to blocks.
constexpr std::uint64_t getattr_basic = 0x7ff;

// Bits of setattr's `valid`.
constexpr std::uint32_t set_mode = 0x1;
constexpr std::uint32_t set_uid = 0x2;
constexpr std::uint32_t set_gid = 0x4;
constexpr std::uint32_t set_size = 0x8;
constexpr std::uint32_t set_atime = 0x10;
constexpr std::uint32_t set_mtime = 0x20;
constexpr std::uint32_t set_atime_given = 0x80; // else: now
constexpr std::uint32_t set_mtime_given = 0x100;

enum class LockType : std::uint8_t { read = 0, write = 1, unlock = 2 };
enum class LockStatus : std::uint8_t { success = 0, blocked = 1, error = 2 };

} // namespace vmm::share
