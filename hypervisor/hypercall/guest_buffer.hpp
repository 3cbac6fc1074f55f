// SPDX-License-Identifier: BSD-3-Clause
// A buffer that a VM names by its own virtual address.
#pragma once

#include "heap/address.hpp"
#include "heap/names.hpp"
#include "vcpu/vcpu.hpp"

#include <cstddef>
#include <span>

namespace hyp {

Result<> copy_pages_from_guest(Vcpu& caller, VirtAddr from, std::span<std::byte> to);
Result<> copy_pages_to_guest(Vcpu& caller, VirtAddr to, std::span<const std::byte> from);

inline bool lies_in_page(VirtAddr start, std::size_t size) {
    return start.offset_in_page() + size <= page_size;
}

/// Copy between the caller's memory and ours, page by page, once. The caller is the loaded vCPU.
/// Errors: address_invalid where the caller's own access would fault; then part may be copied.
inline Result<> copy_from_guest(Vcpu& caller, VirtAddr from, std::span<std::byte> to) {
    if (lies_in_page(from, to.size()) && caller.address_space().read_loaded(from, to)) {
        return {};
    }
    return copy_pages_from_guest(caller, from, to);
}
inline Result<> copy_to_guest(Vcpu& caller, VirtAddr to, std::span<const std::byte> from) {
    if (lies_in_page(to, from.size()) && caller.address_space().write_loaded(to, from)) {
        return {};
    }
    return copy_pages_to_guest(caller, to, from);
}

} // namespace hyp
