// SPDX-License-Identifier: BSD-3-Clause
// HostTimer: a descriptor that becomes readable at a time.
#pragma once

#include <ctime>

#include <cstdint>
#include <optional>

#include "libgunyah/file_descriptor.hpp"

namespace vmm {

// timerfd_create(2). Any thread.
class HostTimer {
public:
    // By CLOCK_MONOTONIC or CLOCK_REALTIME. Throws gunyah::Error.
    explicit HostTimer(clockid_t clock);

    // In nanoseconds of its clock, at once if that has passed; nothing: never.
    void set(std::optional<std::uint64_t> time) const;
    // Not readable any more until the time of the next set().
    void drain() const;
    [[nodiscard]] int fd() const { return timer_.get(); }
    // Its clock's time.
    [[nodiscard]] std::uint64_t now() const;

private:
    clockid_t clock_;
    gunyah::FileDescriptor timer_;
};

} // namespace vmm
