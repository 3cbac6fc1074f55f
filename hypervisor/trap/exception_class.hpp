// SPDX-License-Identifier: BSD-3-Clause
// ESR_ELx: exception classes and the syndrome fields that EL2 reads or makes (Arm ARM D19.2.40).
#pragma once

#include <cstdint>

namespace hyp::esr {

inline constexpr unsigned ec_shift = 26;
inline constexpr std::uint64_t il = 1u << 25; // 32-bit instruction

inline constexpr std::uint64_t ec_unknown = 0x00;
inline constexpr std::uint64_t ec_wfx = 0x01;
inline constexpr std::uint64_t ec_fp_simd = 0x07;
inline constexpr std::uint64_t ec_hvc64 = 0x16;
inline constexpr std::uint64_t ec_smc64 = 0x17;
inline constexpr std::uint64_t ec_sysreg = 0x18;
inline constexpr std::uint64_t ec_sve = 0x19;
inline constexpr std::uint64_t ec_instruction_abort_lower = 0x20;
inline constexpr std::uint64_t ec_instruction_abort_same = 0x21;
inline constexpr std::uint64_t ec_data_abort_lower = 0x24;
inline constexpr std::uint64_t ec_data_abort_same = 0x25;

constexpr std::uint64_t ec(std::uint64_t esr) {
    return (esr >> ec_shift) & 0x3f;
}

// Aborts.
inline constexpr std::uint64_t isv = 1u << 24;
inline constexpr unsigned sas_shift = 22; // 2 bits: the logarithm of the size in bytes
inline constexpr std::uint64_t sse = 1u << 21;
inline constexpr unsigned srt_shift = 16; // 5 bits: the register
inline constexpr std::uint64_t s1ptw = 1u << 7;
inline constexpr std::uint64_t wnr = 1u << 6;
inline constexpr std::uint64_t cm = 1u << 8;
constexpr std::uint64_t fault_status(std::uint64_t esr) {
    return esr & 0x3f;
}
inline constexpr std::uint64_t fsc_type_mask = 0x3c; // without the level
inline constexpr std::uint64_t fsc_translation = 0x04;
inline constexpr std::uint64_t fsc_access_flag = 0x08;
inline constexpr std::uint64_t fsc_permission = 0x0c;
inline constexpr std::uint64_t fsc_alignment = 0x21;
inline constexpr std::uint64_t fsc_translation_level_minus_1 = 0x2b; // with FEAT_LPA2
inline constexpr std::uint64_t fsc_external = 0x10; // synchronous external abort, not on a walk

// WFx: TI [1:0]: 0 WFI, 1 WFE, 2 WFIT, 3 WFET.
constexpr bool is_wfe(std::uint64_t esr) {
    return (esr & 1) != 0;
}

} // namespace hyp::esr
