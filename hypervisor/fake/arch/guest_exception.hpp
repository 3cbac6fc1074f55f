// SPDX-License-Identifier: BSD-3-Clause
// Host stand-in for the EL1 registers that an injected exception writes.
#pragma once

#include <cstdint>

namespace hyp::fake {

struct ExceptionRegisters {
    std::uint64_t elr, spsr, esr, far, vbar, sctlr;
    bool has_pan;
};
ExceptionRegisters& exception_registers();

} // namespace hyp::fake

namespace hyp::arch {

inline void write_el1_exception(std::uint64_t return_pc, std::uint64_t saved_pstate,
                                std::uint64_t syndrome) {
    fake::exception_registers().elr = return_pc;
    fake::exception_registers().spsr = saved_pstate;
    fake::exception_registers().esr = syndrome;
}
inline void write_el1_fault_address(std::uint64_t address) {
    fake::exception_registers().far = address;
}
inline std::uint64_t el1_vector_base() {
    return fake::exception_registers().vbar;
}
inline std::uint64_t el1_sctlr() {
    return fake::exception_registers().sctlr;
}
inline bool has_pan() {
    return fake::exception_registers().has_pan;
}

} // namespace hyp::arch
