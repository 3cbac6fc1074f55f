// SPDX-License-Identifier: BSD-3-Clause
// HostTimer: timerfd, with absolute times.
#include "app/host_timer.hpp"

#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "libgunyah/error.hpp"

namespace vmm {
namespace {

constexpr std::uint64_t second = 1'000'000'000;

} // namespace

HostTimer::HostTimer(clockid_t clock)
    : clock_{clock}, timer_{::timerfd_create(clock, TFD_CLOEXEC | TFD_NONBLOCK)} {
    if (!timer_) {
        throw gunyah::Error::from_errno(errno, "cannot make a timer for the guest");
    }
}

void HostTimer::set(std::optional<std::uint64_t> time) const {
    const std::uint64_t wanted = time ? std::max<std::uint64_t>(*time, 1) : 0; // 0 means never
    itimerspec setting{};
    setting.it_value.tv_sec = static_cast<std::time_t>(wanted / second);
    setting.it_value.tv_nsec = static_cast<long>(wanted % second);
    ::timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &setting, nullptr);
}

void HostTimer::drain() const {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto read = ::read(timer_.get(), &count, sizeof(count));
}

std::uint64_t HostTimer::now() const {
    std::timespec time{};
    ::clock_gettime(clock_, &time);
    return static_cast<std::uint64_t>(time.tv_sec) * second +
           static_cast<std::uint64_t>(time.tv_nsec);
}

} // namespace vmm
