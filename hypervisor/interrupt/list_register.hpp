// SPDX-License-Identifier: BSD-3-Clause
// Layout of ICH_LR<n>_EL2, ICH_HCR_EL2, ICH_VMCR_EL2 and ICH_VTR_EL2 (IHI 0069, section 12.4).
#pragma once

#include <cstdint>

namespace hyp::ich {

inline constexpr std::uint64_t lr_pending = 1ull << 62;
inline constexpr std::uint64_t lr_active = 1ull << 63;
inline constexpr std::uint64_t lr_hardware = 1ull << 61; // deactivation goes to physical INTID too
inline constexpr std::uint64_t lr_group1 = 1ull << 60;
inline constexpr unsigned lr_priority_shift = 48;
inline constexpr unsigned lr_physical_shift = 32;
inline constexpr std::uint64_t lr_eoi = 1ull << 41; // maintenance interrupt on deactivation

inline constexpr std::uint64_t hcr_enable = 1ull << 0;
inline constexpr std::uint64_t hcr_lrenpie = 1ull << 2; // EOI of an interrupt without register
inline constexpr std::uint64_t hcr_npie = 1ull << 3;    // no register is pending
inline constexpr std::uint64_t hcr_tdir = 1ull << 14;   // trap ICC_DIR_EL1
inline constexpr unsigned hcr_eoi_count_shift = 27;
inline constexpr std::uint64_t hcr_eoi_count_mask = 0x1f;

inline constexpr std::uint64_t vmcr_group0 = 1ull << 0;
inline constexpr std::uint64_t vmcr_group1 = 1ull << 1;
inline constexpr std::uint64_t vmcr_cbpr = 1ull << 4; // Group 1 uses the binary point of Group 0
inline constexpr std::uint64_t vmcr_eoim = 1ull << 9; // EOI only drops the priority
inline constexpr unsigned vmcr_bpr1_shift = 18;
inline constexpr unsigned vmcr_bpr0_shift = 21;
inline constexpr std::uint64_t vmcr_bpr_mask = 7;
inline constexpr unsigned vmcr_pmr_shift = 24;

inline constexpr std::uint64_t vtr_list_registers_mask = 0x1f; // number less one
inline constexpr unsigned vtr_preemption_bits_shift = 26;      // number less one, 3 bits

} // namespace hyp::ich

namespace hyp {

/// How large the virtual CPU interface of this machine is (ICH_VTR_EL2), the same on all CPUs.
struct InterfaceFeatures {
    unsigned list_registers = 4;   // 1..16
    unsigned preemption_bits = 5;  // 5..7
    unsigned active_registers = 1; // of ICH_AP0R<n> and ICH_AP1R<n> each: 1, 2 or 4
};

/// Valid after VicCpu::init_cpu(), which alone writes it.
extern InterfaceFeatures interface_features;

} // namespace hyp
