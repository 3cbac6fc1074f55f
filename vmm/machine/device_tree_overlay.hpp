// SPDX-License-Identifier: BSD-3-Clause
// DeviceTreeOverlay: the user's changes to a guest's device tree.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace vmm {

// A compiled overlay (.dtbo, as dtc -@ makes it). It names the nodes it changes by target-path: the
// guest's tree has no labels.
class DeviceTreeOverlay {
public:
    // Throws gunyah::Error when `path` cannot be read or is no device tree.
    static DeviceTreeOverlay open(const std::string& path);

    // `tree` with the changes, at most `capacity` bytes. Throws gunyah::Error when they do not fit
    // the tree.
    [[nodiscard]] std::vector<std::byte> apply(const std::vector<std::byte>& tree,
                                               std::size_t capacity) const;

private:
    DeviceTreeOverlay(std::vector<std::byte> overlay, std::string complaint)
        : overlay_{std::move(overlay)}, complaint_{std::move(complaint)} {}

    std::vector<std::byte> overlay_;
    std::string complaint_;
};

} // namespace vmm
