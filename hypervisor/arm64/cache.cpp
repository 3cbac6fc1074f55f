// SPDX-License-Identifier: BSD-3-Clause
// Cache maintenance (Arm ARM D7.5.9) and zeroing by DC ZVA.
#include "heap/address.hpp"

#include <arch/cache.hpp>
#include <arch/sysreg.hpp>

namespace hyp {

namespace {

constexpr std::uint64_t word = 4;

/// Smallest data cache line of any CPU in the coherency domain, bytes: CTR_EL0.DminLine.
std::uint64_t data_line() {
    return word << ((HYP_READ_SYSREG(ctr_el0) >> 16) & 0xf);
}

/// Maintains every data cache line of a range, and waits. Eight at a time: kernels are large.
template <typename Maintain>
void for_each_line(void* start, std::uint64_t size, Maintain maintain) {
    constexpr unsigned at_once = 8;
    const std::uint64_t line = data_line();
    const std::uint64_t end = reinterpret_cast<std::uint64_t>(start) + size;
    std::uint64_t at = align_down(reinterpret_cast<std::uint64_t>(start), line);
    for (; at + at_once * line <= end; at += at_once * line) {
#pragma GCC unroll 8
        for (unsigned i = 0; i < at_once; ++i) {
            maintain(at + i * line);
        }
    }
    for (; at < end; at += line) {
        maintain(at);
    }
    asm volatile("dsb sy" : : : "memory");
}

/// Bytes that DC ZVA zeroes, 0 if it must not be used: DCZID_EL0.{DZP, BS}.
std::uint64_t zero_block() {
    const std::uint64_t dczid = HYP_READ_SYSREG(dczid_el0);
    constexpr std::uint64_t prohibited = 1u << 4;
    return (dczid & prohibited) != 0 ? 0 : word << (dczid & 0xf);
}

} // namespace

void clean_range(void* start, std::uint64_t size) {
    for_each_line(start, size, [](std::uint64_t at) {
        asm volatile("dc cvac, %0" : : "r"(at) : "memory");
    });
}

void clean_invalidate_range(void* start, std::uint64_t size) {
    for_each_line(start, size, [](std::uint64_t at) {
        asm volatile("dc civac, %0" : : "r"(at) : "memory");
    });
}

void zero_pages(void* start, std::uint64_t size) {
    const std::uint64_t block = zero_block();
    const auto first = reinterpret_cast<std::uint64_t>(start);
    if (block == 0 || block > page_size) {
        auto* words = static_cast<volatile std::uint64_t*>(start);
        for (std::uint64_t i = 0; i < size / sizeof(std::uint64_t); ++i) {
            words[i] = 0;
        }
        return;
    }
    for (std::uint64_t at = first; at < first + size; at += block) {
        asm volatile("dc zva, %0" : : "r"(at) : "memory");
    }
}

void invalidate_instruction_caches() {
    asm volatile("dsb ish\n\tic ialluis\n\tdsb ish\n\tisb" : : : "memory");
}

} // namespace hyp
