// SPDX-License-Identifier: BSD-3-Clause
// IrqFd: binds an eventfd to the doorbell with a given label.
#include "libgunyah/irqfd.hpp"

#include <linux/gunyah.h>

#include <cerrno>

#include <fmt/format.h>

#include "libgunyah/error.hpp"

namespace gunyah {
namespace {

FunctionBinding bind(const VmHandle& vm, const EventFd& event, std::uint32_t label,
                     IrqTrigger trigger) {
    gh_fn_irqfd_arg argument{};
    argument.fd = static_cast<std::uint32_t>(event.fd());
    argument.label = label;
    argument.flags = trigger == IrqTrigger::level ? GH_IRQFD_LEVEL : 0U;
    return {vm, GH_FN_IRQFD, std::as_bytes(std::span{&argument, 1})};
}

} // namespace

IrqFd::IrqFd(const VmHandle& vm, std::uint32_t label, IrqTrigger trigger)
    : binding_{bind(vm, event_, label, trigger)} {
    const int result = binding_.result();
    if (result == -EEXIST) {
        throw Error::from_errno(EEXIST, fmt::format("cannot bind interrupt {}", label),
                                "another device of this VM has that label", "");
    }
    if (result < 0) {
        throw Error::from_errno(-result, fmt::format("cannot bind interrupt {}", label), "",
                                "check that the module gunyah_irqfd is loaded");
    }
}

} // namespace gunyah
