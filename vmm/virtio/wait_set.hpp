// SPDX-License-Identifier: BSD-3-Clause
// WaitSet: descriptors that a device waits for, as one that the event loop waits for.
#pragma once

#include <cstdint>
#include <span>

#include "libgunyah/file_descriptor.hpp"

namespace vmm {

// epoll(7). Unlike the event loop's own sources, what is waited for can be changed from any thread:
// a device does it under its transport's lock.
class WaitSet {
public:
    struct Ready {
        std::uint64_t key;
        std::uint32_t events; // EPOLLIN, EPOLLOUT, EPOLLHUP, EPOLLERR
    };

    WaitSet(); // Throws gunyah::Error.

    // Readable while one of the descriptors is ready.
    [[nodiscard]] int fd() const { return epoll_.get(); }
    // False if the system has no room for another one. The descriptor leaves the set when it is
    // closed.
    bool add(int fd, std::uint64_t key, std::uint32_t events);
    // With no events, errors and the other end's closing are reported still.
    void change(int fd, std::uint64_t key, std::uint32_t events);
    void remove(int fd);
    // Fills `ready` from its front; returns how many are ready. Does not wait.
    std::size_t poll(std::span<Ready> ready);

private:
    gunyah::FileDescriptor epoll_;
};

} // namespace vmm
