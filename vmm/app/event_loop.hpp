// SPDX-License-Identifier: BSD-3-Clause
// EventLoop: waits for descriptors and calls who asked for them.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>

#include "libgunyah/event_fd.hpp"

namespace vmm {

// poll(2) rather than epoll: console input may be a regular file, which epoll refuses.
// stop() may be called from any thread, the rest on the loop's thread (or before run()), also from
// handlers.
class EventLoop {
public:
    using Handler = std::function<void()>;

    // Calls `handler` while `fd` is readable (or closed by its other end). The index is for
    // set_enabled() and remove(). `fd` must stay open until it is removed.
    std::size_t add(int fd, Handler handler);
    // Whether the loop looks at this descriptor.
    void set_enabled(std::size_t index, bool enabled);
    // Forgets the descriptor. The index may be given out again. A handler may remove itself.
    void remove(std::size_t index);

    void run(); // until stop()
    void stop();

private:
    struct Source {
        int fd;
        Handler handler;
        bool enabled;
    };

    void wait_and_dispatch();

    static constexpr int removed = -1;

    gunyah::EventFd stop_;
    bool stopped_ = false;
    bool dispatching_ = false;   // a removed source's handler may be the one that runs
    std::deque<Source> sources_; // handlers may add sources: the one that runs does not move
};

} // namespace vmm
