// SPDX-License-Identifier: BSD-3-Clause
// SVE registers as a vCPU finds them: nothing in them at first, later what it has put there.
#include "calls/psci.hpp"
#include "hostile/program/attacks.hpp"
#include "machine/mmio.hpp"
#include "machine/sve.hpp"

#include <abi/hypercall.h>

#include <array>

namespace test::hostile {

namespace {

constexpr std::uint64_t longest = 0xf; // ZCR_EL1.LEN, in 128 bits less one

constinit std::array<sve::Area, guest_cpus> areas{};

bool has_sve() {
    return (READ_SYSREG(id_aa64pfr0_el1) >> 32 & 0xf) != 0;
}

std::uint64_t length_control() {
    return READ_SYSREG(s3_0_c1_c2_0); // ZCR_EL1
}

} // namespace

void check_vectors_at_entry(Attacker& attacker) {
    if (has_sve() != (attacker.box.has_sve != 0)) {
        attacker.report(tag("has_sve"), attacker.box.has_sve);
    }
    if (!has_sve()) {
        return;
    }
    constexpr std::uint64_t cpacr_fpen_zen = 3u << 20 | 3u << 16;
    WRITE_SYSREG(cpacr_el1, cpacr_fpen_zen);
    isb();
    if (length_control() != 0) {
        attacker.report(tag("e_zcr"), length_control());
    }
    sve::enable();
    if (const std::uint64_t bits = sve::any_bit(areas[attacker.cpu]); bits != 0) {
        attacker.report(tag("e_sve"), bits);
    }
    sve::disable();
}

void vectors_kept(Attacker& attacker) {
    if (!has_sve()) {
        return;
    }
    sve::Area& area = areas[attacker.cpu];
    const std::uint64_t seed = attacker.random();
    const std::uint64_t length = attacker.random() & longest;
    sve::enable();
    WRITE_SYSREG(s3_0_c1_c2_0, length);
    isb();
    const std::uint64_t bytes = sve::vector_bytes();
    sve::fill(area, seed);
    (void)hvc(psci::version);
    (void)mmio::read32(guest_distributor);
    (void)hvc(GH_SMCCC_BASE + GH_SCHEDULER_YIELD);
    attacker.step();
    if (sve::vector_bytes() != bytes || length_control() != length) {
        attacker.report(tag("zcr"), length, length_control(), sve::vector_bytes());
    } else if (!sve::holds(area, seed)) {
        attacker.report(tag("vectors"), seed, bytes);
    }
    sve::disable();
    attacker.step();
}

} // namespace test::hostile
