// SPDX-License-Identifier: BSD-3-Clause
// Every MRS, MSR and SYS encoding, and every immediate of HVC and SMC, from instructions that are
// written at run time.
#include "hostile/program/attacks.hpp"

#include <algorithm>

extern "C" void run_code(const std::uint32_t* code, volatile std::uint64_t* results,
                         std::uint64_t value);

namespace test::hostile {

namespace {

constexpr std::uint32_t ret = 0xd65f03c0;
constexpr std::uint32_t mrs = 0xd5300000; // L = 1; op0 2 and 3 by bit 19
constexpr std::uint32_t msr = 0xd5100000;
constexpr std::uint32_t sys = 0xd5080000;
constexpr std::uint32_t sysl = 0xd5280000;
constexpr std::uint32_t mov_x1_x2 = 0xaa0203e1;
constexpr std::uint32_t store_x1 = 0xf8008401; // str x1, [x0], #8
constexpr std::uint32_t encodings = 2 << 14;   // op0 2 and 3; op1, CRn, CRm, op2
constexpr std::uint32_t sys_encodings = 1 << 14;
constexpr std::uint32_t batch = 256;

/// Bits 19:5 of the instruction.
constexpr std::uint32_t encoded(std::uint32_t op0, std::uint32_t op1, std::uint32_t crn,
                                std::uint32_t crm, std::uint32_t op2) {
    return (op0 & 1) << 14 | op1 << 11 | crn << 7 | crm << 3 | op2;
}

/// Writes that would end this program, not harm anybody else.
bool is_own_ruin(std::uint32_t encoding) {
    static constexpr std::uint32_t ruin[] = {
        encoded(3, 0, 1, 0, 0),  // SCTLR_EL1: MMU on, with no tables
        encoded(3, 0, 12, 0, 0), // VBAR_EL1
        encoded(3, 0, 4, 2, 0),  // SPSel
    };
    return std::ranges::find(ruin, encoding) != std::end(ruin);
}

/// Random numbers may look like anything.
bool is_random(std::uint32_t encoding) {
    return encoding == encoded(3, 3, 2, 4, 0) || encoding == encoded(3, 3, 2, 4, 1); // RNDR, RNDRRS
}

bool is_identification(std::uint32_t encoding) {
    return (encoding >> 14 & 1) == 1 && (encoding >> 7 & 0xf) == 0;
}

/// An address of the hypervisor's own: image, stacks, devices, physical map (arch/physmap.hpp).
bool looks_like_el2(std::uint64_t value) {
    return value >= 0x4000'0000'0000 && value < 0x1'0000'0000'0000;
}

} // namespace

void execute(Attacker& attacker, std::size_t count, volatile std::uint64_t* results,
             std::uint64_t value) {
    const auto code = attacker.code();
    code[count] = ret;
    dsb();
    for (std::size_t i = 0; i <= count; i += 4) { // lines have at least four words
        asm volatile("ic ivau, %0" : : "r"(&code[i]) : "memory");
    }
    dsb();
    isb();
    run_code(code.data(), results, value);
    attacker.step();
}

void read_registers(Attacker& attacker) {
    const auto code = attacker.code();
    volatile std::uint64_t* results = attacker.data();
    for (std::uint32_t first = 0; first < encodings; first += batch) {
        const std::uint64_t pattern = attacker.random();
        for (std::uint32_t i = 0; i < batch; ++i) {
            code[3 * i] = mov_x1_x2;
            code[3 * i + 1] = mrs | (first + i) << 5 | 1;
            code[3 * i + 2] = store_x1;
            results[i] = 0;
        }
        execute(attacker, std::size_t{3} * batch, results, pattern);
        for (std::uint32_t i = 0; i < batch; ++i) {
            const std::uint32_t encoding = first + i;
            const bool any = is_random(encoding) || is_identification(encoding);
            if (results[i] != pattern && !any && looks_like_el2(results[i])) {
                attacker.report(tag("leaks"), encoding, results[i]);
            }
        }
    }
}

void write_registers(Attacker& attacker) {
    const auto code = attacker.code();
    for (const std::uint64_t value :
         {std::uint64_t{0}, ~std::uint64_t{0}, attacker.random(), attacker.edge()}) {
        for (std::uint32_t first = 0; first < encodings; first += batch) {
            std::size_t used = 0;
            for (std::uint32_t encoding = first; encoding < first + batch; ++encoding) {
                if (!is_own_ruin(encoding)) {
                    code[used++] = msr | encoding << 5 | 2;
                }
            }
            execute(attacker, used, attacker.data(), value);
            reset_own_state();
        }
    }
}

void system_instructions(Attacker& attacker) {
    const auto code = attacker.code();
    for (const std::uint32_t form : {sys, sysl}) {
        for (std::uint32_t first = 0; first < sys_encodings; first += batch) {
            for (std::uint32_t i = 0; i < batch; ++i) {
                code[i] = form | (first + i) << 5 | 2;
            }
            const std::uint64_t scratch = reinterpret_cast<std::uint64_t>(attacker.data());
            const bool elsewhere = attacker.random() % 4 == 0;
            execute(attacker, batch, attacker.data(), elsewhere ? attacker.edge() : scratch);
            reset_own_state();
        }
    }
}

void call_immediates(Attacker& attacker, bool smc) {
    const auto code = attacker.code();
    constexpr std::uint32_t mov_x0_x3 = 0xaa0303e0;
    const std::uint32_t call = smc ? 0xd4000003 : 0xd4000002;
    for (std::uint32_t first = 0; first < 0x10000; first += batch) {
        for (std::uint32_t i = 0; i < batch; ++i) {
            code[2 * i] = mov_x0_x3;
            code[2 * i + 1] = call | (first + i) << 5;
        }
        // As a function, with immediate 0, this is none that exists: SMCCC 1.4 section 6, owner 7.
        execute(attacker, std::size_t{2} * batch, attacker.data(),
                attacker.random() % 0x10000 + 0x87001000);
    }
}

} // namespace test::hostile
