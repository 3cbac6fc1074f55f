// SPDX-License-Identifier: BSD-3-Clause
// IoEventFd: binds an eventfd to guest writes at one address.
#include "libgunyah/ioeventfd.hpp"

#include <linux/gunyah.h>

#include <cerrno>

#include <fmt/format.h>

#include "libgunyah/error.hpp"

namespace gunyah {
namespace {

FunctionBinding bind(const VmHandle& vm, const EventFd& event, std::uint64_t address,
                     std::uint32_t length, std::optional<std::uint64_t> datamatch) {
    gh_fn_ioeventfd_arg argument{};
    argument.datamatch = datamatch.value_or(0);
    argument.addr = address;
    argument.len = length;
    argument.fd = event.fd();
    argument.flags = datamatch ? GH_IOEVENTFD_DATAMATCH : 0U;
    return {vm, GH_FN_IOEVENTFD, std::as_bytes(std::span{&argument, 1})};
}

} // namespace

IoEventFd::IoEventFd(const VmHandle& vm, std::uint64_t address, std::uint32_t length,
                     std::optional<std::uint64_t> datamatch)
    : binding_{bind(vm, event_, address, length, datamatch)} {
    const int result = binding_.result();
    if (result < 0) {
        throw Error::from_errno(-result, fmt::format("cannot watch guest writes to {:#x}", address),
                                result == -EEXIST ? "another eventfd watches the same write" : "",
                                "check that the module gunyah_ioeventfd is loaded");
    }
}

} // namespace gunyah
