// SPDX-License-Identifier: BSD-3-Clause
// Calls on vCPUs and power-management groups.
#include "call_row.hpp"

namespace root {

namespace {

constexpr std::int64_t ok = GH_ERROR_OK;
constexpr std::int64_t bad = GH_ERROR_ARG_INVAL;

constexpr Argument thread(std::uint32_t right) {
    return active(Kind::thread, right);
}
constexpr Argument new_thread = initial(Kind::thread);
constexpr Argument affinity = in_any_state(initial(Kind::thread, GH_RIGHT_THREAD_AFFINITY));
constexpr Argument priority = initial(Kind::thread, GH_RIGHT_THREAD_PRIORITY);
constexpr Argument timeslice = initial(Kind::thread, GH_RIGHT_THREAD_TIMESLICE);
constexpr Argument context = in_any_state(thread(GH_RIGHT_THREAD_WRITE_CONTEXT));
constexpr Argument binding = in_any_state(thread(GH_RIGHT_THREAD_BIND_VIRQ));
constexpr Argument vic = active(Kind::vic, GH_RIGHT_VIC_BIND_SOURCE);
constexpr Argument group(std::uint32_t right) {
    return active(Kind::vpm_group, right);
}

constexpr Row rows[] = {
    {0x34, "vcpu_configure", ok, {new_thread, v(3), zero}},
    {0x34, "", bad, {new_thread, v(1ull << 63), zero}, " unknown flag"},
    {0x38, "vcpu_poweron", ok, {thread(GH_RIGHT_THREAD_POWER), v(0), v(0), v(3)}},
    {0x38, "", bad, {thread(GH_RIGHT_THREAD_POWER), v(0), v(0), v(4)}, " unknown flag"},
    {0x39, "vcpu_poweroff", bad, {in_any_state(thread(GH_RIGHT_THREAD_POWER)), v(0)}},
    {0x3a, "vcpu_kill", ok, {thread(GH_RIGHT_THREAD_LIFECYCLE), zero}},
    {0x3d, "vcpu_set_affinity", ok, {affinity, v(0), minus_one}},
    {0x3d, "", bad, {affinity, v(4096), minus_one}, " no such CPU"},
    {0x3d, "", ok, {affinity, v(~std::uint64_t{0}), minus_one}, " any CPU"},
    {0x46, "vcpu_set_priority", ok, {priority, v(63)}},
    {0x46, "", bad, {priority, v(64)}, " too high"},
    {0x47, "vcpu_set_timeslice", ok, {timeslice, v(1'000'000)}},
    {0x47, "", bad, {timeslice, v(999'999)}, " too short"},
    {0x47, "", bad, {timeslice, v(100'000'001)}, " too long"},
    {0x5c, "vcpu_bind_virq", ok, {binding, vic, v(40), v(1), zero}},
    {0x5c, "", bad, {binding, vic, v(40), v(2), zero}, " unknown type"},
    {0x5c, "", bad, {binding, vic, v(1ull << 32), v(1), zero}, " reserved bits"},
    {0x5d, "vcpu_unbind_virq", ok, {binding, v(1), zero}},
    {0x5d, "", bad, {binding, v(2), zero}, " unknown type"},
    {0x64, "vcpu_register_write", ok, {context, v(0), v(30), v(5), zero}},
    {0x64, "", bad, {context, v(0), v(31), v(5), zero}, " no such register"},
    {0x64, "", bad, {context, v(1), v(0), v(2), zero}, " unaligned program counter"},
    {0x64, "", bad, {context, v(1), v(1), v(4), zero}, " no such program counter"},
    {0x64, "", bad, {context, v(2), v(2), v(4), zero}, " no such stack pointer"},
    {0x64,
     "",
     bad,
     {context, v(GH_VCPU_REGISTER_SET_EXT_PV_TIME), v(0), v(32), zero},
     " unaligned stolen time"},
    {0x64,
     "",
     bad,
     {context, v(GH_VCPU_REGISTER_SET_EXT_PV_TIME), v(1), v(64), zero},
     " no second stolen time"},
    {0x64, "", bad, {context, v(3), v(0), v(4), zero}, " no such set"},
    {0x65, "vcpu_run", GH_ERROR_BUSY, {thread(GH_RIGHT_THREAD_STATE), v(0), zero, zero, zero}},
    {0x68, "vcpu_run_check", ok, {thread(GH_RIGHT_THREAD_STATE), v(0), v(0), v(0), zero}},

    {0x3c,
     "vpm_group_attach_vcpu",
     ok,
     {group(GH_RIGHT_VPM_GROUP_ATTACH_VCPU), new_thread, v(0), zero}},
    {0x3c,
     "",
     bad,
     {group(GH_RIGHT_VPM_GROUP_ATTACH_VCPU), new_thread, v(64), zero},
     " index beyond the vCPUs"},
    {0x43, "vpm_group_bind_virq", ok, {group(GH_RIGHT_VPM_GROUP_BIND_VIRQ), vic, v(40), zero}},
    {0x43,
     "",
     bad,
     {group(GH_RIGHT_VPM_GROUP_BIND_VIRQ), vic, v(1ull << 32), zero},
     " reserved bits"},
    {0x44, "vpm_group_unbind_virq", ok, {group(GH_RIGHT_VPM_GROUP_BIND_VIRQ), zero}},
    {0x45, "vpm_group_get_state", ok, {group(GH_RIGHT_VPM_GROUP_QUERY), zero}},
    {0x66, "vpm_group_configure", ok, {initial(Kind::vpm_group), v(1), zero}},
    {0x66, "", bad, {initial(Kind::vpm_group), v(2), zero}, " unknown flag"},
};

} // namespace

std::span<const Row> vcpu_rows() {
    return rows;
}

} // namespace root
