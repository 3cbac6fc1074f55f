// SPDX-License-Identifier: BSD-3-Clause
// Numbers that a VM hands to the hypervisor: mostly ones that mean something there.
#pragma once

#include "machine.hpp"

#include <vmm/fuzz/fuzz_input.hpp>

namespace fuzz {

/// A number by two bytes of input in most cases: what kind, and which of it.
inline Word argument(const Machine& machine, vmm::fuzz::FuzzInput& input) {
    const auto kind = input.take<std::uint8_t>() % 8;
    switch (kind) {
    case 0:
    case 1:
    case 2:
        return machine.names()[input.take<std::uint8_t>() % machine.names().size()];
    case 3:
        return input.take<std::uint8_t>();
    case 4: // pages
        return Word{input.take<std::uint8_t>()} << 12;
    case 5: // addresses in memory that there is
        return Machine::memory_ipa + Word{input.take<std::uint16_t>()} * 4;
    case 6: // a bit
        return Word{1} << input.take<std::uint8_t>() % 64;
    default:
        return input.take<Word>();
    }
}

} // namespace fuzz
