// SPDX-License-Identifier: BSD-3-Clause
// What the checks and the program inside a hostile VM agree on, beside vm/mailbox.hpp's addresses.
#pragma once

#include "vm/mailbox.hpp"

#include <cstdint>
#include <string_view>

namespace test::hostile {

/// What a vCPU can be told to do. Each attack ends by itself, unless the hypervisor loses.
enum class Attack : std::uint64_t {
    none,
    witness, // no attack: honest work whose results are checked, until told otherwise
    entry_state,
    read_registers,
    write_registers,
    system_instructions,
    hvc_immediates,
    smc_immediates,
    function_ids,
    hypercalls,
    gic_registers,
    addresses,
    sgi_storm,
    timers,
    registers_kept,
    call_flood, // calls without end, until told otherwise
    leave,      // CPU_OFF, so that power can begin
    power,      // vCPU 0: CPU_ON and AFFINITY_INFO against vCPU 1's CPU_ON and CPU_OFF
    system_off, // power, in which vCPU 1 turns the VM off
};

/// One page for each vCPU, at guest_mailboxes.
struct Box {
    // Written by the checks.
    std::uint64_t order; // counts orders; the vCPU acts when it differs from `done`
    std::uint64_t attack;
    std::uint64_t seed;
    std::uint64_t rounds;  // of what is random; 1 is the length for everyday use
    std::uint64_t foreign; // a number that is a capability of another VM
    std::uint64_t has_sve; // not 0: this CPU has it, and the VM asked for it
    std::uint64_t stop;
    // Written by the program.
    std::uint64_t done;
    std::uint64_t progress; // changes all the time while it works
    std::uint64_t failures;
    std::uint64_t failure[4]; // of the first one: tag() of a word, and numbers
    std::uint64_t exceptions;
    std::uint64_t interrupts;
};

/// A word of at most seven letters as a number that lies in memory like a string.
constexpr std::uint64_t tag(std::string_view word) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < word.size(); ++i) {
        value |= static_cast<std::uint64_t>(word[i]) << 8 * i;
    }
    return value;
}

inline constexpr std::uint64_t code_area = 0x90000; // offset in RAM, 32 KiB for each vCPU
inline constexpr std::uint64_t data_area = 0xa0000; // likewise
inline constexpr std::uint64_t area_size = 0x8000;

} // namespace test::hostile
