// SPDX-License-Identifier: BSD-3-Clause
// EventLoop: builds the poll set anew each time; there are few descriptors.
#include "app/event_loop.hpp"

#include <poll.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace vmm {

std::size_t EventLoop::add(int fd, Handler handler) {
    const auto free = std::ranges::find(sources_, removed, &Source::fd);
    if (free != sources_.end() && !dispatching_) {
        *free = {fd, std::move(handler), true};
        return static_cast<std::size_t>(free - sources_.begin());
    }
    sources_.push_back({fd, std::move(handler), true});
    return sources_.size() - 1;
}

void EventLoop::set_enabled(std::size_t index, bool enabled) {
    sources_[index].enabled = enabled;
}

void EventLoop::remove(std::size_t index) {
    sources_[index].fd = removed;
    sources_[index].enabled = false;
    if (!dispatching_) {
        sources_[index].handler = {};
    }
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
    while (!sources_.empty() && sources_.back().fd == removed) {
        sources_.pop_back();
    }
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
    dispatching_ = true;
    for (std::size_t index = 0; index + 1 < set.size() && !stopped_; ++index) {
        if (set[index + 1].revents != 0 && sources_[index].enabled) {
            sources_[index].handler();
        }
    }
    dispatching_ = false;
}

} // namespace vmm
