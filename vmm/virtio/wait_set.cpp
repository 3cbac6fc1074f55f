// SPDX-License-Identifier: BSD-3-Clause
// WaitSet: the calls of epoll(7).
#include "virtio/wait_set.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "libgunyah/error.hpp"

namespace vmm {
namespace {

epoll_event event_of(std::uint64_t key, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.u64 = key;
    return event;
}

} // namespace

WaitSet::WaitSet() : epoll_{::epoll_create1(EPOLL_CLOEXEC)} {
    if (!epoll_) {
        throw gunyah::Error::from_errno(errno, "cannot create an epoll descriptor");
    }
}

bool WaitSet::add(int fd, std::uint64_t key, std::uint32_t events) {
    epoll_event event = event_of(key, events);
    return ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0;
}

void WaitSet::change(int fd, std::uint64_t key, std::uint32_t events) {
    epoll_event event = event_of(key, events);
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event);
}

void WaitSet::remove(int fd) {
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

std::size_t WaitSet::poll(std::span<Ready> ready) {
    constexpr std::size_t most = 64;
    std::array<epoll_event, most> events;
    const auto room = static_cast<int>(std::min(ready.size(), most));
    const int count = ::epoll_wait(epoll_.get(), events.data(), room, 0);
    for (int index = 0; index < count; ++index) {
        ready[static_cast<std::size_t>(index)] = {events[static_cast<std::size_t>(index)].data.u64,
                                                  events[static_cast<std::size_t>(index)].events};
    }
    return count > 0 ? static_cast<std::size_t>(count) : 0;
}

} // namespace vmm
