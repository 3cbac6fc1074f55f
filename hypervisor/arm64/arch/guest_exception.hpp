// SPDX-License-Identifier: BSD-3-Clause
// The registers of the loaded vCPU that an exception to EL1 reads and writes.
#pragma once

#include <arch/sysreg.hpp>

#include <cstdint>

namespace hyp::arch {

inline void write_el1_exception(std::uint64_t return_pc, std::uint64_t saved_pstate,
                                std::uint64_t syndrome) {
    HYP_WRITE_SYSREG(elr_el1, return_pc);
    HYP_WRITE_SYSREG(spsr_el1, saved_pstate);
    HYP_WRITE_SYSREG(esr_el1, syndrome);
}
HYP_WRITER(write_el1_fault_address, far_el1)
HYP_READER(el1_vector_base, vbar_el1)
HYP_READER(el1_sctlr, sctlr_el1)
/// ID_AA64MMFR1_EL1.PAN.
inline bool has_pan() {
    return HYP_ID_FIELD(id_aa64mmfr1_el1, 20) != 0;
}

} // namespace hyp::arch
