// SPDX-License-Identifier: BSD-3-Clause
// TLB maintenance on the host: tell whoever listens.
#include <arch/tlb.hpp>

namespace hyp {

namespace fake {
std::function<void(std::uint64_t, Ipa, std::uint64_t)> on_invalidate;
}

void stage2_publish() {}

void stage2_invalidate_range(std::uint64_t vttbr, Ipa ipa, std::uint64_t size) {
    if (fake::on_invalidate) {
        fake::on_invalidate(vttbr, ipa, size);
    }
}

void stage2_invalidate_all(std::uint64_t vttbr) {
    stage2_invalidate_range(vttbr, Ipa{0}, ~std::uint64_t{0});
}

} // namespace hyp
