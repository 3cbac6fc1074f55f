// SPDX-License-Identifier: BSD-3-Clause
// The fake device bus: dispatches by address.
#include <arch/mmio.hpp>

#include <cstdio>
#include <cstdlib>
#include <vector>

namespace hyp {
namespace {

struct Slot {
    std::uintptr_t base;
    std::uint64_t size;
    fake::MmioDevice* device;
};

std::vector<Slot>& slots() {
    static std::vector<Slot> all;
    return all;
}

Slot& find(std::uintptr_t address, unsigned size) {
    for (Slot& slot : slots()) {
        if (address >= slot.base && address - slot.base + size <= slot.size) {
            return slot;
        }
    }
    std::fprintf(stderr, "no fake device at %#lx\n", static_cast<unsigned long>(address));
    std::abort();
}

std::uint64_t read(std::uintptr_t address, unsigned size) {
    if (address % size != 0) {
        std::abort();
    }
    const Slot& slot = find(address, size);
    return slot.device->read(address - slot.base, size);
}

void write(std::uintptr_t address, unsigned size, std::uint64_t value) {
    if (address % size != 0) {
        std::abort();
    }
    const Slot& slot = find(address, size);
    slot.device->write(address - slot.base, size, value);
}

} // namespace

namespace arch {
std::uint32_t mmio_read32(std::uintptr_t address) {
    return static_cast<std::uint32_t>(read(address, 4));
}
std::uint64_t mmio_read64(std::uintptr_t address) {
    return read(address, 8);
}
void mmio_write32(std::uintptr_t address, std::uint32_t value) {
    write(address, 4, value);
}
void mmio_write64(std::uintptr_t address, std::uint64_t value) {
    write(address, 8, value);
}

} // namespace arch

void fake::put_mmio(std::uintptr_t base, std::uint64_t size, MmioDevice& device) {
    slots().push_back({base, size, &device});
}

void fake::remove_mmio(MmioDevice& device) {
    std::erase_if(slots(), [&](const Slot& slot) { return slot.device == &device; });
}

} // namespace hyp
