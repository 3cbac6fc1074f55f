// SPDX-License-Identifier: BSD-3-Clause
// FunctionBinding: GH_VM_ADD_FUNCTION and its inverse.
#include "libgunyah/function_binding.hpp"

#include <linux/gunyah.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <utility>

namespace gunyah {
namespace {

gh_fn_desc describe(std::uint32_t type, std::span<const std::byte> argument) {
    gh_fn_desc desc{};
    desc.type = type;
    desc.arg_size = static_cast<std::uint32_t>(argument.size());
    desc.arg = std::bit_cast<std::uintptr_t>(argument.data());
    return desc;
}

} // namespace

FunctionBinding::FunctionBinding(VmHandle vm, std::uint32_t type,
                                 std::span<const std::byte> argument)
    : vm_{std::move(vm)}, type_{type},
      argument_size_{static_cast<std::uint32_t>(std::min(argument.size(), max_argument_size))} {
    std::ranges::copy(argument.first(argument_size_), argument_.begin());
    gh_fn_desc desc = describe(type_, std::span{argument_}.first(argument_size_));
    result_ = ::ioctl(vm_->get(), GH_VM_ADD_FUNCTION, &desc);
    if (result_ < 0) {
        result_ = -errno;
        vm_.reset();
    }
}

FunctionBinding::~FunctionBinding() {
    if (!vm_) {
        return;
    }
    gh_fn_desc desc = describe(type_, std::span{argument_}.first(argument_size_));
    // Nothing to do about a failure here: closing the VM removes every function as well.
    ::ioctl(vm_->get(), GH_VM_REMOVE_FUNCTION, &desc);
}

} // namespace gunyah
