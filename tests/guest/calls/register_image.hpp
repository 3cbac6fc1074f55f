// SPDX-License-Identifier: BSD-3-Clause
// One instruction executed with all general and FP/SIMD registers set, and all of them read back.
#pragma once

#include <cstdint>

namespace test {

/// As calls/register_image.S lays it out.
struct alignas(16) RegisterImage {
    std::uint64_t x[31];
    std::uint64_t fpcr;
    std::uint64_t fpsr;
    std::uint64_t padding;
    std::uint64_t v[64]; // low and high half of v0 .. v31
};

extern "C" {
/// hvc #0.
void execute_hvc(const RegisterImage* load, RegisterImage* store);
/// str w0, [x1].
void execute_store(const RegisterImage* load, RegisterImage* store);
/// Counts x0 down to zero.
void execute_loop(const RegisterImage* load, RegisterImage* store);
}

/// Every register is different, and different for every seed. FPCR and FPSR get bits that all CPUs
/// have: rounding mode, default NaN, flush to zero; the cumulative flags.
inline void fill_pattern(RegisterImage& image, std::uint64_t seed) {
    std::uint64_t state = seed * 0x9e3779b97f4a7c15 + 1;
    const auto next = [&] {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        return state;
    };
    for (auto& x : image.x) {
        x = next();
    }
    for (auto& v : image.v) {
        v = next();
    }
    image.fpcr = next() & 0x03c00000;
    image.fpsr = next() & 0x0800009f;
}

/// Number of the first register in which they differ: 0..30 x, 31 FPCR, 32 FPSR, 33.. v; -1: none.
/// Registers x0 to x(`first` - 1) are not compared.
inline int first_difference(const RegisterImage& a, const RegisterImage& b, unsigned first) {
    for (unsigned i = first; i < 31; ++i) {
        if (a.x[i] != b.x[i]) {
            return static_cast<int>(i);
        }
    }
    if (a.fpcr != b.fpcr) {
        return 31;
    }
    if (a.fpsr != b.fpsr) {
        return 32;
    }
    for (unsigned i = 0; i < 64; ++i) {
        if (a.v[i] != b.v[i]) {
            return static_cast<int>(33 + i / 2);
        }
    }
    return -1;
}

} // namespace test
