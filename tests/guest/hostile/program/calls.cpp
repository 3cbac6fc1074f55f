// SPDX-License-Identifier: BSD-3-Clause
// Function identifiers and hypercalls with edge values, PSCI functions against each other.
#include "calls/psci.hpp"
#include "hostile/program/attacks.hpp"

#include <abi/hypercall.h>

extern "C" const char secondary_start[];

namespace test::hostile {

namespace {

constexpr std::uint32_t call_numbers = 0x200;

/// PSCI functions that end, suspend or start a vCPU of this VM: what power() is for.
bool changes_power(std::uint64_t function) {
    const std::uint64_t number = function & 0xffff;
    const bool psci = (function & 0xbf000000) == 0x84000000;
    return psci && (number == 1 || number == 2 || number == 3 || number == 8 || number == 9 ||
                    number == 0xc || number == 0xe || number == 0x12);
}

void call(Attacker& attacker, std::uint64_t function) {
    if (changes_power(function & 0xffffffff)) {
        return;
    }
    CallRegisters in{};
    in.x[0] = function;
    for (unsigned i = 1; i < 8; ++i) {
        in.x[i] = attacker.edge();
    }
    (void)(attacker.random() % 4 == 0 ? detail::call<true, 0>(in) : detail::call<false, 0>(in));
    attacker.step();
}

} // namespace

void function_ids(Attacker& attacker) {
    for (std::uint64_t owner = 0; owner < 64; ++owner) {
        for (const std::uint64_t form : {0x00000000U, 0x40000000U, 0x80000000U, 0xc0000000U}) {
            const std::uint64_t base = form | owner << 24;
            for (std::uint64_t number = 0; number < 0x20; ++number) {
                call(attacker, base | number);
            }
            for (const std::uint64_t number :
                 {0x50, 0x51, 0x7fff, 0x8000, 0xff00, 0xff01, 0xffff}) {
                call(attacker, base | number);
            }
            for (unsigned i = 0; i < 16 * attacker.box.rounds; ++i) {
                call(attacker, base | attacker.random() % 0x1000000);
            }
        }
    }
    for (unsigned i = 0; i < 2000 * attacker.box.rounds; ++i) {
        call(attacker, attacker.random()); // upper half not zero: not a function at all
    }
}

void hypercalls(Attacker& attacker) {
    const auto code = attacker.code();
    for (unsigned round = 0; round < 16 * attacker.box.rounds; ++round) {
        for (std::uint32_t number = 0; number < call_numbers; ++number) {
            call(attacker, GH_SMCCC_BASE + number);
        }
        // ldp x0, x1, [x0] ... would do no more than the generic form: x2 to x4 are set, the rest
        // is what the calls leave.
        std::size_t used = 0;
        for (std::uint32_t number = 0; number < call_numbers; ++number) {
            code[used++] = 0xaa0303e0; // mov x0, x3
            code[used++] = 0xaa0403e1; // mov x1, x4
            code[used++] = 0xd4000002 | (GH_HVC_IMM_BASE + number) << 5;
        }
        execute(attacker, used, attacker.data(), attacker.edge());
    }
}

/// As many calls as fit, each of next to no work, until told to stop.
void call_flood(Attacker& attacker) {
    static constexpr std::uint64_t functions[] = {
        psci::version,
        0x80000000, // SMCCC_VERSION
        0x87001234, // nothing
        GH_SMCCC_BASE + GH_HYPERVISOR_IDENTIFY,
        GH_SMCCC_BASE + GH_DOORBELL_SEND,
    };
    while (attacker.box.stop == 0) {
        for (const std::uint64_t function : functions) {
            CallRegisters in{};
            in.x[0] = function;
            in.x[1] = attacker.box.foreign;
            for (unsigned i = 0; i < 100; ++i) {
                (void)detail::call<false, 0>(in);
                (void)detail::call<true, 0>(in);
            }
            attacker.step();
        }
    }
}

// vCPU 1 comes and goes: CPU_ON succeeds only when it is off, AFFINITY_INFO tells one of the two.
// Once the other has called SYSTEM_OFF, it cannot be started any more.
void power(Attacker& attacker, bool system_off) {
    std::uint64_t started = 0;
    const std::uint64_t wanted = 200 * attacker.box.rounds;
    while (started < wanted) {
        const auto entry = reinterpret_cast<std::uint64_t>(secondary_start);
        const std::int64_t on = psci::cpu_on(1, entry, attacker.random());
        const bool ending = system_off && on == psci::internal_failure;
        const bool known = on == psci::success || on == psci::already_on || on == -5 || ending;
        if (!known) {
            attacker.report(tag("cpu_on"), static_cast<std::uint64_t>(on));
        }
        started += on == psci::success ? 1 : 0;
        const std::int64_t info = psci::affinity_info(1, 0);
        if (info < 0 || info > 2) {
            attacker.report(tag("affinfo"), static_cast<std::uint64_t>(info));
        }
        attacker.step();
    }
}

void power_partner(Attacker& attacker, bool system_off) {
    const auto entry = reinterpret_cast<std::uint64_t>(secondary_start);
    const std::int64_t on = psci::cpu_on(0, entry, 0);
    if (on != psci::already_on) {
        attacker.report(tag("on_self"), static_cast<std::uint64_t>(on));
    }
    attacker.step();
    if (system_off && attacker.box.progress > 20) {
        psci::system_off();
    }
    psci::cpu_off();
}

} // namespace test::hostile
