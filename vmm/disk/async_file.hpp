// SPDX-License-Identifier: BSD-3-Clause
// AsyncFile: transfers of a file that go on while the VMM does something else (io_uring(7)).
#pragma once

#include <sys/uio.h>

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include <liburing.h>

namespace vmm {

// One thread at a time. The ring serves this file alone, and nothing but what is declared here,
// also for who takes the VMM over: the kernel is told so before a guest runs.
//
//     free --read(), write(), sync()--> begun --submit()--> under way --reap()--> free
class AsyncFile {
public:
    static constexpr unsigned capacity = 64; // transfers that are not free

    // `complete`: every byte was moved, or all of the file is on its device. If not, it is unknown
    // what was done and why not the rest.
    using Done = std::function<void(bool complete)>;

    // Nothing where the kernel has no io_uring, or forbids it. `fd` outlives the object.
    static std::unique_ptr<AsyncFile> open(int fd);
    ~AsyncFile(); // as cancel()
    AsyncFile(const AsyncFile&) = delete;
    AsyncFile& operator=(const AsyncFile&) = delete;

    // Readable while reap() has something to do.
    [[nodiscard]] int wake_fd() const { return ring_.ring_fd; }
    [[nodiscard]] bool has_room() const { return !free_.empty(); }

    // Begin a transfer; there must be room. What the pieces point to stays there until it is done.
    void read(std::vector<iovec> pieces, std::uint64_t offset, Done done);
    void write(std::vector<iovec> pieces, std::uint64_t offset, Done done);
    // As fdatasync(2).
    void sync(Done done);

    // Hands what was begun to the kernel, which may do it at once. False: not all; try again soon.
    [[nodiscard]] bool submit();
    // Calls the functions of what is done.
    void reap();
    // Waits until the kernel touches no memory any more. No function is called.
    void cancel();

private:
    struct Transfer {
        std::vector<iovec> pieces;
        Done done;
    };

    explicit AsyncFile(const io_uring& ring);
    io_uring_sqe& begin(std::uint8_t operation, std::vector<iovec> pieces, std::uint64_t offset,
                        Done done);
    // Frees the transfer of a completion.
    Transfer take(const io_uring_cqe& completion);
    [[nodiscard]] bool some_under_way() const;

    io_uring ring_;
    std::array<Transfer, capacity> transfers_;
    std::vector<std::uint64_t> free_; // indices of transfers_
};

} // namespace vmm
