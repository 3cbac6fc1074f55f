// SPDX-License-Identifier: BSD-3-Clause
// EventLoop: builds the poll set anew each time; there are few descriptors.
#include "app/event_loop.hpp"

#include <poll.h>

#include <utility>

namespace vmm {

std::size_t EventLoop::add(int fd, Handler handler) {
    sources_.push_back({fd, std::move(handler), true});
    return sources_.size() - 1;
}

void EventLoop::set_enabled(std::size_t index, bool enabled) {
    sources_[index].enabled = enabled;
}

void EventLoop::stop() {
    stop_.signal();
}

void EventLoop::run() {
    while (!stopped_) {
        wait_and_dispatch();
    }
}

void EventLoop::wait_and_dispatch() {
    std::vector<pollfd> set;
    set.reserve(sources_.size() + 1);
    set.push_back({stop_.fd(), POLLIN, 0});
    for (const Source& source : sources_) {
        // poll() skips negative descriptors.
        set.push_back({source.enabled ? source.fd : -1, POLLIN, 0});
    }
    if (::poll(set.data(), set.size(), -1) <= 0) {
        return; // interrupted by a signal: look again
    }
    stopped_ = set.front().revents != 0;
    for (std::size_t index = 0; index < sources_.size() && !stopped_; ++index) {
        if (set[index + 1].revents != 0 && sources_[index].enabled) {
            sources_[index].handler();
        }
    }
}

} // namespace vmm
