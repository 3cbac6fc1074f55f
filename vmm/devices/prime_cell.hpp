// SPDX-License-Identifier: BSD-3-Clause
// The identification registers that every Arm PrimeCell has at the end of its 4 KiB.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

namespace vmm {

constexpr std::uint64_t prime_cell_size = 0x1000;

// The byte at `offset` if it is one of the eight registers: part number, designer Arm, `revision`,
// and the signature (e.g. Arm DDI 0183, 3.3.15 to 3.3.22).
constexpr std::optional<std::uint8_t> prime_cell_id(std::uint64_t offset, std::uint16_t part,
                                                    std::uint8_t revision) {
    constexpr std::uint64_t first = 0xfe0;
    if (offset < first || offset % 4 != 0) {
        return std::nullopt;
    }
    const std::array<std::uint8_t, 8> bytes{static_cast<std::uint8_t>(part),
                                            static_cast<std::uint8_t>(0x10 | (part >> 8)),
                                            static_cast<std::uint8_t>((revision << 4) | 0x4),
                                            0x00,
                                            0x0d,
                                            0xf0,
                                            0x05,
                                            0xb1};
    return bytes[(offset - first) / 4 % bytes.size()];
}

static_assert(prime_cell_id(0xfe0, 0x031, 0) == 0x31);
static_assert(prime_cell_id(0xffc, 0x031, 0) == 0xb1);
static_assert(!prime_cell_id(0xfdc, 0x031, 0));

} // namespace vmm
