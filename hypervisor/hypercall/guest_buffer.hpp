// SPDX-License-Identifier: BSD-3-Clause
// A buffer that a VM names by its own virtual address.
#pragma once

#include "heap/address.hpp"

#include <runtime/result.hpp>

#include <cstddef>
#include <span>

namespace hyp {

class Vcpu;

/// Copy between the caller's memory and ours, page by page, once. The caller is the loaded vCPU.
/// Errors: address_invalid where the caller's own access would fault; then part may be copied.
rt::Result<> copy_from_guest(Vcpu& caller, VirtAddr from, std::span<std::byte> to);
rt::Result<> copy_to_guest(Vcpu& caller, VirtAddr to, std::span<const std::byte> from);

} // namespace hyp
