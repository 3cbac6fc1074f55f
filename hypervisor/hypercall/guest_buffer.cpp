// SPDX-License-Identifier: BSD-3-Clause
// Stage 1 by the CPU's own address translation, stage 2 by the address space under its lock, so
// that a page cannot change hands between check and copy.
#include "hypercall/guest_buffer.hpp"

#include "vcpu/vcpu.hpp"

#include <arch/guest_state.hpp>

#include <algorithm>

namespace hyp {

using rt::Error;
using rt::fail;
using rt::Result;

namespace {

// Calls copy(ipa, offset, length) for each piece of [va, va + size) that lies in one page.
template <typename Copy>
Result<> for_each_page(VirtAddr va, std::size_t size, bool write, Copy copy) {
    if (range_wraps(va.value, size)) {
        return fail(Error::address_invalid);
    }
    for (std::size_t done = 0; done < size;) {
        const VirtAddr at = va + done;
        const std::size_t length =
            std::min<std::size_t>(size - done, page_size - at.offset_in_page());
        const auto ipa = arch::translate_guest(at, write);
        if (!ipa) {
            return fail(Error::address_invalid);
        }
        if (auto copied = copy(*ipa, done, length); !copied) {
            return copied;
        }
        done += length;
    }
    return {};
}

} // namespace

Result<> copy_from_guest(Vcpu& caller, VirtAddr from, std::span<std::byte> to) {
    return for_each_page(from, to.size(), false,
                         [&](Ipa ipa, std::size_t offset, std::size_t length) {
                             return caller.address_space().read(ipa, to.subspan(offset, length));
                         });
}

Result<> copy_to_guest(Vcpu& caller, VirtAddr to, std::span<const std::byte> from) {
    return for_each_page(to, from.size(), true,
                         [&](Ipa ipa, std::size_t offset, std::size_t length) {
                             return caller.address_space().write(ipa, from.subspan(offset, length));
                         });
}

} // namespace hyp
