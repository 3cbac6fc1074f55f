// SPDX-License-Identifier: BSD-3-Clause
// FP, SIMD and SVE registers: each VM's own, whoever uses them when and on which CPU.
#include "calls/register_image.hpp"
#include "check/tables.hpp"
#include "machine/cpus.hpp"
#include "machine/exceptions.hpp"
#include "machine/sve.hpp"
#include "machine/sysreg.hpp"
#include "vm/guest.hpp"

namespace test {

namespace {

constexpr std::uint64_t our_seed = 0x1111;
constexpr std::uint64_t vm_seed = 0x2222;

constinit sve::Area area{};

void require_sve() {
    if ((READ_SYSREG(id_aa64pfr0_el1) >> 32 & 0xf) == 0) {
        skip("the CPU has no SVE");
    }
    sve::enable();
}

void all_lengths() {
    require_sve();
    const std::uint64_t longest = sve::vector_bytes();
    expect(longest >= 16 && longest <= 256 && longest % 16 == 0, "a length of the architecture");
    sve::fill(area, our_seed);
    expect(sve::holds(area, our_seed), "registers hold what was put there");
    WRITE_SYSREG(s3_0_c1_c2_0, std::uint64_t{0});
    isb();
    expect_equal("the shortest length", sve::vector_bytes(), 16);
    sve::enable();
    sve::disable();
}

void are_kept_apart() {
    require_sve();
    sve::fill(area, our_seed);
    guest().create_with("sve");
    const Mailbox& first = guest().execute(0, Operation::swap_vectors, {vm_seed, 0});
    expect_equal("exceptions", first.exceptions, 0);
    expect_equal("the VM's longest vector", first.result[0], sve::vector_bytes());
    expect_equal("bits in a new VM's registers", first.result[1], 0);
    expect(sve::holds(area, our_seed), "ours are as before");
    sve::fill(area, our_seed + 1);
    const Mailbox& second = guest().execute(0, Operation::swap_vectors, {0, vm_seed});
    expect_equal("the VM's are as before", second.result[2], 1);
    expect(sve::holds(area, our_seed + 1), "ours are as before, again");
    sve::disable();
    guest().finish();
}

// A vCPU goes on with its registers on another CPU.
void follow_to_another_cpu() {
    require_sve();
    guest().create_with("sve");
    guest().execute(0, Operation::swap_vectors, {vm_seed, 0});
    turn_on(1);
    const auto run_there = [](std::uint64_t) -> std::uint64_t {
        sve::enable();
        sve::fill(area, our_seed);
        const Mailbox& box = guest().execute(0, Operation::swap_vectors, {vm_seed + 1, vm_seed});
        return box.result[2] + (sve::holds(area, our_seed) ? 2ULL : 0ULL);
    };
    expect_equal("its registers there, and ours", run_on(1, run_there, 0), 3);
    turn_off(1);
    expect_equal("its registers back here",
                 guest().execute(0, Operation::swap_vectors, {0, vm_seed + 1}).result[2], 1);
    sve::disable();
    guest().finish();
}

// Without the feature there is no SVE in the VM, whatever this CPU has.
void hidden_from_the_vm() {
    guest().create_and_boot();
    const Mailbox& identity = guest().execute(0, Operation::read_identity);
    expect_equal("ID_AA64PFR0_EL1.SVE", identity.result[2] >> 32 & 0xf, 0);
    const Mailbox& box = guest().execute(0, Operation::use_sve);
    expect_equal("exceptions", box.exceptions, 2);
    expect_equal("class", box.esr >> 26, ec_unknown);
    guest().finish();
}

constexpr Check checks[] = {
    {"vectors.all_lengths", all_lengths, Needs::nothing},
    {"vectors.are_kept_apart", are_kept_apart},
    {"vectors.follow_to_another_cpu", follow_to_another_cpu, Needs::hypervisor_smp},
    {"vectors.hidden_from_the_vm", hidden_from_the_vm},
};

} // namespace

std::span<const Check> vector_checks() {
    return checks;
}

} // namespace test
