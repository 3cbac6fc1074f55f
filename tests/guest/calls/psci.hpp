// SPDX-License-Identifier: BSD-3-Clause
// PSCI (Arm DEN0022) by HVC.
#pragma once

#include "calls/smccc.hpp"

#include <cstdint>

namespace test::psci {

inline constexpr std::uint32_t version = 0x84000000;
inline constexpr std::uint32_t cpu_suspend_64 = 0xc4000001;
inline constexpr std::uint32_t cpu_off_32 = 0x84000002;
inline constexpr std::uint32_t cpu_on_64 = 0xc4000003;
inline constexpr std::uint32_t affinity_info_64 = 0xc4000004;
inline constexpr std::uint32_t migrate_info_type = 0x84000006;
inline constexpr std::uint32_t system_off_32 = 0x84000008;
inline constexpr std::uint32_t system_reset_32 = 0x84000009;
inline constexpr std::uint32_t features = 0x8400000a;
inline constexpr std::uint32_t system_reset2_64 = 0xc4000012;

inline constexpr std::int64_t success = 0;
inline constexpr std::int64_t invalid_parameters = -2;
inline constexpr std::int64_t already_on = -4;
inline constexpr std::int64_t internal_failure = -6;
inline constexpr std::int64_t affinity_on = 0;
inline constexpr std::int64_t affinity_off = 1;

inline std::int64_t cpu_on(std::uint64_t mpidr, std::uint64_t entry, std::uint64_t context) {
    return static_cast<std::int64_t>(hvc(cpu_on_64, mpidr, entry, context).x[0]);
}
inline std::int64_t affinity_info(std::uint64_t mpidr, std::uint64_t lowest_level) {
    return static_cast<std::int64_t>(hvc(affinity_info_64, mpidr, lowest_level).x[0]);
}

/// Does not return; if it fails, the CPU sleeps for ever.
[[noreturn]] inline void cpu_off() {
    for (;;) {
        hvc(cpu_off_32);
        asm volatile("wfi");
    }
}
[[noreturn]] inline void system_off() {
    for (;;) {
        hvc(system_off_32);
        asm volatile("wfi");
    }
}

} // namespace test::psci
