// SPDX-License-Identifier: BSD-3-Clause
// Stage 1 by the CPU's own address translation, stage 2 by the address space under its lock, so
// that a page cannot change hands between check and copy.
#include "hypercall/guest_buffer.hpp"

#include <arch/guest_state.hpp>

#include <algorithm>

namespace hyp {

namespace {

// For each piece of [va, va + size) that lies in one page: try(va, offset, length), and if that
// cannot, copy(ipa, offset, length).
template <typename Try, typename Copy>
Result<> for_each_page(VirtAddr va, std::size_t size, bool write, Try attempt, Copy copy) {
    RT_FAIL_IF(range_wraps(va.value, size), Error::address_invalid);
    for (std::size_t done = 0, length = 0; done < size; done += length) {
        const VirtAddr at = va + done;
        length = std::min<std::size_t>(size - done, page_size - at.offset_in_page());
        if (attempt(at, done, length)) {
            continue;
        }
        const auto ipa = arch::translate_guest(at, write);
        RT_FAIL_IF(!ipa, Error::address_invalid);
        RT_TRY(copy(*ipa, done, length));
    }
    return {};
}

} // namespace

Result<> copy_pages_from_guest(Vcpu& caller, VirtAddr from, std::span<std::byte> to) {
    AddressSpace& memory = caller.address_space();
    return for_each_page(
        from, to.size(), false,
        [&](VirtAddr at, std::size_t offset, std::size_t length) {
            return memory.read_loaded(at, to.subspan(offset, length));
        },
        [&](Ipa ipa, std::size_t offset, std::size_t length) {
            return memory.read(ipa, to.subspan(offset, length));
        });
}

Result<> copy_pages_to_guest(Vcpu& caller, VirtAddr to, std::span<const std::byte> from) {
    AddressSpace& memory = caller.address_space();
    return for_each_page(
        to, from.size(), true,
        [&](VirtAddr at, std::size_t offset, std::size_t length) {
            return memory.write_loaded(at, from.subspan(offset, length));
        },
        [&](Ipa ipa, std::size_t offset, std::size_t length) {
            return memory.write(ipa, from.subspan(offset, length));
        });
}

} // namespace hyp
