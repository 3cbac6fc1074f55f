// SPDX-License-Identifier: BSD-3-Clause
// Moves the image to a virtual address that nobody foresees. Runs with the MMU off, at the physical
// address, before anything uses a pointer that the linker wrote.
#include "arm64/el2_memory.hpp"
#include "platform/entropy.hpp"

#include <arch/physmap.hpp>
#include <runtime/flat_tree.hpp>

extern "C" std::uint64_t text_end[], resource_manager_start[], rodata_end[], bss_start[];
extern "C" const char image_start[], image_end[];

namespace hyp::arch {

namespace {

// Half of a slot of level 0, so that the image stays in it.
constexpr std::uint64_t places = std::uint64_t{1} << 26;

/// Of what firmware left in the device tree, which no VM sees (boot/random_seed.cpp); 0: nothing.
std::uint64_t seed_in(const void* tree) {
    if (reinterpret_cast<std::uint64_t>(tree) % 8 != 0 || tree == nullptr ||
        !rt::FlatTree::is_well_formed(tree, rt::FlatTree::total_size(tree))) {
        return 0;
    }
    constexpr std::uint64_t fnv_prime = 0x100'0000'01b3;
    const rt::FlatTree flat(tree);
    std::uint64_t sum = 0;
    for (const char* name : {"kaslr-seed", "rng-seed"}) {
        const auto seed = flat.property(flat.find("/chosen"), name);
        for (const std::byte byte : seed.value_or(std::span<const std::byte>())) {
            sum = (sum ^ std::to_integer<std::uint64_t>(byte)) * fnv_prime;
        }
    }
    return sum >> 32;
}

/// A word that points into the image is told by its value; tests/system/el2_code_test.py compares
/// with the linker's own list.
void move_pointers(std::uint64_t* from, const std::uint64_t* to, std::uint64_t distance) {
    // The linker's symbols, of one object: the image.
    // cppcheck-suppress comparePointers
    const auto size = static_cast<std::uint64_t>(image_end - image_start);
    for (; from != to; ++from) {
        *from += *from - image_base <= size ? distance : 0;
    }
}

} // namespace

std::uint64_t place_image(const void* device_tree) {
    const std::uint64_t seed = seed_in(device_tree);
    const std::uint64_t word = seed != 0 ? seed : entropy_word().value_or(0);
    const std::uint64_t distance = word % places * page_size;
    move_pointers(text_end, resource_manager_start, distance);
    move_pointers(rodata_end, bss_start, distance);
    return image_base + distance;
}

} // namespace hyp::arch
