// SPDX-License-Identifier: BSD-3-Clause
// EventLoop: waits for descriptors and calls who asked for them.
#pragma once

#include <functional>
#include <vector>

#include "libgunyah/event_fd.hpp"

namespace vmm {

// poll(2) rather than epoll: console input may be a regular file, which epoll refuses.
// stop() may be called from any thread, the rest on the loop's thread (or before run()).
class EventLoop {
public:
    using Handler = std::function<void()>;

    // Calls `handler` while `fd` is readable (or closed by its other end). The index is for
    // set_enabled(). `fd` must stay open.
    std::size_t add(int fd, Handler handler);
    // Whether the loop looks at this descriptor.
    void set_enabled(std::size_t index, bool enabled);

    void run(); // until stop()
    void stop();

private:
    struct Source {
        int fd;
        Handler handler;
        bool enabled;
    };

    void wait_and_dispatch();

    gunyah::EventFd stop_;
    bool stopped_ = false;
    std::vector<Source> sources_;
};

} // namespace vmm
