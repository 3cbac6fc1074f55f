// SPDX-License-Identifier: BSD-3-Clause
// Calls on objects of any type, capability spaces, the machine, and all that create objects.
#include "call_row.hpp"

namespace root {

namespace {

constexpr std::int64_t ok = GH_ERROR_OK;
constexpr std::int64_t bad = GH_ERROR_ARG_INVAL;
constexpr std::int64_t bad_size = GH_ERROR_ARG_SIZE;

constexpr Argument from = active(Kind::partition, GH_RIGHT_PARTITION_CREATE);
constexpr Argument into = active(Kind::cspace, GH_RIGHT_CSPACE_CAP_CREATE);
/// Of any type, but in this state.
constexpr Argument of_any_type_but_state(Argument argument) {
    argument.any_type = true;
    return argument;
}

constexpr Argument bell = of_any_type(active(Kind::doorbell, GH_RIGHT_OBJECT_ACTIVATE));
constexpr Argument new_bell = of_any_type_but_state(initial(Kind::doorbell));

constexpr Argument space(std::uint32_t right) {
    return active(Kind::own_cspace, right);
}

/// A capability in another space: only its number counts, and whether it is there.
constexpr Argument named = {
    .type = Argument::Type::capability, .any_type = true, .any_state = true, .revoked_too = true};
constexpr Argument live = {.type = Argument::Type::capability, .any_type = true, .any_state = true};

constexpr Row rows[] = {
    {0x01, "partition_create_partition", ok, {from, into, zero}},
    {0x02, "partition_create_cspace", ok, {from, into, zero}},
    {0x03, "partition_create_addrspace", ok, {from, into, zero}},
    {0x04, "partition_create_memextent", ok, {from, into, zero}},
    {0x05, "partition_create_thread", ok, {from, into, zero}},
    {0x06, "partition_create_doorbell", ok, {from, into, zero}},
    {0x07, "partition_create_msgqueue", ok, {from, into, zero}},
    {0x09, "partition_create_watchdog", ok, {from, into, zero}},
    {0x0a, "partition_create_vic", ok, {from, into, zero}},
    {0x0b, "partition_create_vpm_group", ok, {from, into, zero}},
    {0x48, "partition_create_virtio_mmio", ok, {from, into, zero}},
    {0x0c, "object_activate", ok, {of_any_type_but_state(initial(Kind::doorbell)), zero}},
    {0x0c, "", GH_ERROR_OBJECT_CONFIG, {initial(Kind::msgqueue), zero}, " not configured"},
    {0x0c, "", GH_ERROR_OBJECT_CONFIG, {initial(Kind::virtio), zero}, " not configured"},
    {0x0d, "object_activate_from", ok, {space(GH_RIGHT_CSPACE_CAP_CREATE), new_bell, zero}},
    {0x0e, "object_reset", GH_ERROR_UNIMPLEMENTED, {bell, zero}},
    {0x0f,
     "object_reset_from",
     GH_ERROR_UNIMPLEMENTED,
     {space(GH_RIGHT_CSPACE_CAP_CREATE), bell, zero}},
    {0x22, "cspace_delete_cap_from", ok, {space(GH_RIGHT_CSPACE_CAP_DELETE), named, zero}},
    {0x23,
     "cspace_copy_cap_from",
     ok,
     {space(GH_RIGHT_CSPACE_CAP_COPY), live, into, v(0xffffffff), zero}},
    {0x23,
     "",
     bad,
     {space(GH_RIGHT_CSPACE_CAP_COPY), live, into, v(0x100000000), zero},
     " rights of 33 bits"},
    {0x24, "cspace_revoke_cap_from", ok, {space(GH_RIGHT_CSPACE_CAP_DELETE), live, zero}},
    {0x25, "cspace_configure", ok, {initial(Kind::cspace), v(16), zero}},
    {0x25, "", bad, {initial(Kind::cspace), v(0), zero}, " no slots"},
    {0x25, "", bad, {initial(Kind::cspace), v(65537), zero}, " too many slots"},
    {0x59, "cspace_revoke_caps_from", ok, {space(GH_RIGHT_CSPACE_CAP_DELETE), live, zero}},
    {0x3e,
     "cspace_attach_thread",
     ok,
     {active(Kind::cspace, GH_RIGHT_CSPACE_ATTACH), initial(Kind::thread), zero}},
    {0x3f, "trace_update_class_flags", ok, {v(0), v(0), zero}},
    {0x57, "prng_get_entropy", ok, {v(32), zero}},
    {0x57, "", bad_size, {v(0), zero}, " nothing wanted"},
    {0x57, "", bad_size, {v(33), zero}, " too much wanted"},
    {0x3b, "scheduler_yield", ok, {v(0), v(0), zero}},
    {0x3b, "", bad, {v(3), v(0), zero}, " unknown hint"},
    {0x3b, "", bad, {v(0x80000000), v(0), zero}, " unknown implementation-defined hint"},
};

} // namespace

std::span<const Row> object_rows() {
    return rows;
}

} // namespace root
