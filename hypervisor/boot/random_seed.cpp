// SPDX-License-Identifier: BSD-3-Clause
// A seed is good for one user only: what the hypervisor took, no VM may see.
#include "boot/random_seed.hpp"

#include "memory/ownership.hpp"
#include "platform/device_tree.hpp"
#include "platform/random.hpp"

#include <arch/cache.hpp>
#include <arch/physmap.hpp>

#include <algorithm>
#include <cstring>

namespace hyp {

namespace {

constexpr const char* seed_properties[] = {"rng-seed", "kaslr-seed"};

void replace(std::byte* seed, std::size_t size) {
    while (size != 0) {
        const auto fresh = random_generator().generate();
        const std::size_t piece = std::min<std::size_t>(size, 32);
        if (fresh) {
            std::memcpy(seed, fresh->data(), piece);
        } else {
            std::memset(seed, 0, piece);
        }
        seed += piece;
        size -= piece;
    }
}

/// In the RAM that becomes a VM's.
void erase(PhysRange seed) {
    if (ownership().is_ram(seed)) {
        std::memset(phys_to_virt(seed.base), 0, seed.size);
        clean_range(phys_to_virt(seed.base), seed.size);
    }
}

} // namespace

void take_random_seeds(const Machine& machine, void* copy) {
    const rt::FlatTree tree(copy); // of one that was checked
    const auto chosen = tree.find("/chosen");
    constexpr std::span<const std::byte> none;
    for (const char* property : seed_properties) {
        const auto seed = tree.property(chosen, property).value_or(none);
        random_generator().add(seed,
                               static_cast<unsigned>(std::min<std::size_t>(seed.size(), 32) * 8));
    }
    for (const char* property : seed_properties) {
        const auto seed = tree.property(chosen, property).value_or(none);
        const auto offset = static_cast<std::uint64_t>(seed.data() - static_cast<std::byte*>(copy));
        if (!seed.empty()) {
            erase({machine.device_tree.base + offset, seed.size()});
            replace(static_cast<std::byte*>(copy) + offset, seed.size());
        }
    }
}

} // namespace hyp
