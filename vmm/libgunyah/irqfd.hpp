// SPDX-License-Identifier: BSD-3-Clause
// IrqFd: an eventfd whose signal is an interrupt in the guest.
#pragma once

#include "libgunyah/event_fd.hpp"
#include "libgunyah/function_binding.hpp"

namespace gunyah {

// How the doorbell behind the irqfd treats its flags (gh_fn_irqfd_arg.flags).
enum class IrqTrigger {
    edge,  // every signal is one edge
    level, // GH_IRQFD_LEVEL: flags acknowledge themselves
};

// Made by Vm::add_irqfd(). pulse() may be called from any thread, also before the VM has started
// (the driver then drops the signal).
class IrqFd {
public:
    void pulse() const { event_.signal(); }

private:
    friend class Vm;
    IrqFd(const VmHandle& vm, std::uint32_t label, IrqTrigger trigger); // Throws Error.

    EventFd event_;
    FunctionBinding binding_; // after event_: unbound before the eventfd is closed
};

} // namespace gunyah
