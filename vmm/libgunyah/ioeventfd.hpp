// SPDX-License-Identifier: BSD-3-Clause
// IoEventFd: an eventfd that a guest's write to an address signals, without an exit to user space.
#pragma once

#include <optional>

#include "libgunyah/event_fd.hpp"
#include "libgunyah/function_binding.hpp"

namespace gunyah {

// Made by Vm::add_ioeventfd().
class IoEventFd {
public:
    [[nodiscard]] const EventFd& event() const { return event_; }

private:
    friend class Vm;
    IoEventFd(const VmHandle& vm, std::uint64_t address, std::uint32_t length,
              std::optional<std::uint64_t> datamatch); // Throws Error.

    EventFd event_;
    FunctionBinding binding_; // after event_: unbound before the eventfd is closed
};

} // namespace gunyah
