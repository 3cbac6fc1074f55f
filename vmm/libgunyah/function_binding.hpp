// SPDX-License-Identifier: BSD-3-Clause
// FunctionBinding: a VM function (vCPU, irqfd, ioeventfd) that is removed when its owner dies.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "libgunyah/file_descriptor.hpp"

namespace gunyah {

// The VM's descriptor, shared by everything made from it: like the kernel's VM, it lives until the
// last function is gone.
using VmHandle = std::shared_ptr<const FileDescriptor>;

// Move-only. Keeps the argument bytes, because GH_VM_REMOVE_FUNCTION matches by them.
class FunctionBinding {
public:
    static constexpr std::size_t max_argument_size = 32;

    // Adds function `type`; on success result() is what the driver returned (a descriptor for a
    // vCPU, else 0). Returns without a binding and with result() = -errno on failure.
    FunctionBinding(VmHandle vm, std::uint32_t type, std::span<const std::byte> argument);
    FunctionBinding(FunctionBinding&&) noexcept = default;
    FunctionBinding& operator=(FunctionBinding&&) = delete;
    ~FunctionBinding();

    [[nodiscard]] int result() const { return result_; }

private:
    VmHandle vm_;
    std::uint32_t type_;
    std::uint32_t argument_size_;
    std::array<std::byte, max_argument_size> argument_{};
    int result_;
};

} // namespace gunyah
