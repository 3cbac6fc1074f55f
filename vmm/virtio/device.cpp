// SPDX-License-Identifier: BSD-3-Clause
// drain(): the loop that all devices share, with kicks suppressed while it runs.
#include "virtio/device.hpp"

namespace vmm {

std::expected<bool, QueueError> drain(Virtqueue& queue, const ChainHandler& handle,
                                      const ChainWanted& wanted) {
    queue.suppress_kicks();
    for (unsigned budget = queue.size(); budget > 0;) {
        if (wanted && !wanted()) {
            return false; // more chains would change nothing: kicks stay suppressed
        }
        auto chain = queue.pop();
        if (!chain) {
            return std::unexpected{chain.error()};
        }
        if (!chain->has_value()) {
            if (!queue.allow_kicks()) {
                return false;
            }
            queue.suppress_kicks();
            --budget; // a guest that keeps the index moving must not keep us
            continue;
        }
        const auto written = handle(**chain);
        if (!written) {
            return std::unexpected{written.error()};
        }
        if (*written) {
            queue.push((*chain)->head, **written);
        }
        --budget;
    }
    queue.allow_kicks();
    return true;
}

} // namespace vmm
