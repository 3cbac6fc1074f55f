// SPDX-License-Identifier: BSD-3-Clause
// MmioBus: a handful of ranges, searched in order.
#include "devices/mmio_bus.hpp"

#include <stdexcept>

namespace vmm {

void MmioBus::add(std::uint64_t base, std::uint64_t size, MmioDevice& device) {
    for (const Range& range : ranges_) {
        if (base < range.base + range.size && range.base < base + size) {
            throw std::logic_error{"two devices share an address"};
        }
    }
    ranges_.push_back({base, size, &device});
}

const MmioBus::Range* MmioBus::find(std::uint64_t address, unsigned size) const {
    for (const Range& range : ranges_) {
        const bool starts_inside = address >= range.base && address - range.base < range.size;
        if (starts_inside && size <= range.size - (address - range.base)) {
            return &range;
        }
    }
    return nullptr;
}

std::uint64_t MmioBus::read(std::uint64_t address, unsigned size) const {
    const Range* range = find(address, size);
    return range != nullptr ? range->device->read(address - range->base, size) : 0;
}

void MmioBus::write(std::uint64_t address, unsigned size, std::uint64_t value) const {
    if (const Range* range = find(address, size); range != nullptr) {
        range->device->write(address - range->base, size, value);
    }
}

} // namespace vmm
