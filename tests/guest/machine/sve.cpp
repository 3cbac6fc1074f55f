// SPDX-License-Identifier: BSD-3-Clause
// Whole register sets go through memory, as a context switch has them.
#include "machine/sve.hpp"

#include "machine/sysreg.hpp"

extern "C" void sve_store(std::byte* area);
extern "C" void sve_load(const std::byte* area);
extern "C" std::uint64_t sve_length();

namespace test::sve {

namespace {

constexpr std::uint64_t cpacr_fpen_zen = (3u << 20) | (3u << 16);

std::size_t size() {
    return vector_bytes() * 32 + vector_bytes() / 8 * 17;
}

// FFR takes only values of ones below zeros (Arm ARM C9.2, WRFFR).
std::byte pattern(std::uint64_t seed, std::size_t at) {
    const std::size_t ffr = size() - vector_bytes() / 8;
    if (at >= ffr) {
        return static_cast<std::byte>(at == ffr ? 0x3 : 0);
    }
    const std::uint64_t mixed = (seed + at) * 0x9e3779b97f4a7c15;
    return static_cast<std::byte>(mixed >> 56);
}

} // namespace

void enable() {
    WRITE_SYSREG(cpacr_el1, READ_SYSREG(cpacr_el1) | cpacr_fpen_zen);
    isb();
    WRITE_SYSREG(s3_0_c1_c2_0, std::uint64_t{0xf}); // ZCR_EL1.LEN
    isb();
}

void disable() {
    WRITE_SYSREG(cpacr_el1, READ_SYSREG(cpacr_el1) & ~std::uint64_t{3u << 16});
    isb();
}

std::uint64_t vector_bytes() {
    return sve_length();
}

void fill(Area& area, std::uint64_t seed) {
    for (std::size_t at = 0; at < size(); ++at) {
        area[at] = pattern(seed, at);
    }
    sve_load(area.data());
}

bool holds(Area& area, std::uint64_t seed) {
    sve_store(area.data());
    for (std::size_t at = 0; at < size(); ++at) {
        if (area[at] != pattern(seed, at)) {
            return false;
        }
    }
    return true;
}

std::uint64_t any_bit(Area& area) {
    sve_store(area.data());
    std::byte bits{};
    for (std::size_t at = 0; at < size(); ++at) {
        bits |= area[at];
    }
    return static_cast<std::uint64_t>(bits);
}

} // namespace test::sve
