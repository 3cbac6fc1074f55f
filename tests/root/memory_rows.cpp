// SPDX-License-Identifier: BSD-3-Clause
// Calls on address spaces and memory extents.
#include "call_row.hpp"

namespace root {

namespace {

constexpr std::int64_t ok = GH_ERROR_OK;
constexpr std::int64_t bad = GH_ERROR_ARG_INVAL;
constexpr std::int64_t bad_size = GH_ERROR_ARG_SIZE;
constexpr std::int64_t bad_alignment = GH_ERROR_ARG_ALIGN;

constexpr Argument space = active(Kind::addrspace, GH_RIGHT_ADDRSPACE_MAP);
constexpr Argument any_space = in_any_state(space);
constexpr Argument new_space = initial(Kind::addrspace);
constexpr Argument extent = active(Kind::memextent, GH_RIGHT_MEMEXTENT_MAP);
constexpr Argument new_extent = initial(Kind::memextent);
constexpr Argument lookup = active(Kind::addrspace, GH_RIGHT_ADDRSPACE_LOOKUP);
constexpr Argument lookup_extent = active(Kind::memextent, GH_RIGHT_MEMEXTENT_LOOKUP);
constexpr Argument info = active(Kind::memextent, GH_RIGHT_MEMEXTENT_ATTACH);
constexpr Argument ram = active(Kind::ram, GH_RIGHT_MEMEXTENT_DERIVE);
constexpr Argument donor = active(Kind::ram, GH_RIGHT_MEMEXTENT_DONATE);
constexpr Argument heir = active(Kind::sparse, GH_RIGHT_MEMEXTENT_DONATE);
constexpr Argument device_vic = active(Kind::vic, GH_RIGHT_VIC_ATTACH_VCPU);

constexpr Argument at = v(0x10000);
constexpr Argument end_of_space = v(0xfffffffffffff000);
constexpr Argument beyond = v(1ull << 50);
constexpr Argument page = v(page_size);
constexpr Argument rwx = v(0x77 | GH_MAP_MEMTYPE_NORMAL_WB << GH_MAP_ATTR_MEMTYPE_SHIFT);
constexpr std::uint64_t nosync = GH_MEMEXTENT_MODIFY_NOSYNC;

constexpr Row rows[] = {
    {0x2a,
     "addrspace_attach_thread",
     ok,
     {active(Kind::addrspace, GH_RIGHT_ADDRSPACE_ATTACH), initial(Kind::thread), zero}},
    {0x2b, "addrspace_map", ok, {space, extent, at, rwx, v(0), v(0), v(0)}},
    {0x2b, "", bad_alignment, {space, extent, v(0x10001), rwx}, " unaligned"},
    {0x2b, "", bad, {space, extent, at, v(8), v(0)}, " reserved attributes"},
    {0x2b, "", bad, {space, extent, at, rwx, v(2)}, " reserved flags"},
    {0x2b, "", GH_ERROR_MEMEXTENT_TYPE, {space, extent, at, rwx, v(1), v(0), page}, " part"},
    {0x2b, "", GH_ERROR_ADDR_INVAL, {space, extent, beyond, rwx}, " beyond the addresses"},
    {0x2b,
     "",
     GH_ERROR_ADDR_OVFL,
     {space, active(Kind::ram, GH_RIGHT_MEMEXTENT_MAP), end_of_space, rwx},
     " wraps"},
    {0x2c, "addrspace_unmap", bad, {space, extent, at, v(0), v(0), v(0)}},
    {0x2c, "", bad_alignment, {space, extent, v(0x10001), v(0)}, " unaligned"},
    {0x2c, "", bad, {space, extent, at, v(2)}, " reserved flags"},
    {0x2d, "addrspace_update_access", bad, {space, extent, at, v(0x44), v(0), v(0), v(0)}},
    {0x2d, "", bad_alignment, {space, extent, v(0x10001), v(0x44)}, " unaligned"},
    {0x2d, "", bad, {space, extent, at, v(8), v(0)}, " reserved attributes"},
    {0x2e, "addrspace_configure", ok, {new_space, v(0x77), zero}},
    {0x2e, "", bad, {new_space, v(0x10000), zero}, " VMID of 17 bits"},
    {0x2f,
     "addrspace_attach_vdma",
     GH_ERROR_CSPACE_WRONG_OBJ_TYPE,
     {active(Kind::addrspace, GH_RIGHT_ADDRSPACE_ATTACH), of_any_type(active(Kind::vic, 0)), v(0),
      zero}},
    {0x5a, "addrspace_lookup", GH_ERROR_ADDR_INVAL, {lookup, lookup_extent, at, page, zero}},
    {0x5a, "", bad_size, {lookup, lookup_extent, at, v(0), zero}, " no size"},
    {0x5a, "", bad_alignment, {lookup, lookup_extent, at, v(1), zero}, " unaligned size"},
    {0x5a, "", bad_alignment, {lookup, lookup_extent, v(1), page, zero}, " unaligned base"},
    {0x5a,
     "",
     GH_ERROR_ADDR_OVFL,
     {lookup, lookup_extent, end_of_space, v(2 * page_size), zero},
     " wraps"},
    {0x5b, "addrspace_configure_info_area", ok, {new_space, info, at, zero}},
    {0x5b, "", GH_ERROR_ADDR_INVAL, {new_space, info, v(0x10001), zero}, " unaligned"},
    {0x5b, "", GH_ERROR_ADDR_INVAL, {new_space, info, beyond, zero}, " beyond the addresses"},
    {0x5b,
     "",
     bad,
     {new_space, active(Kind::ram, GH_RIGHT_MEMEXTENT_ATTACH), at, zero},
     " a sparse extent"},
    {0x60, "addrspace_configure_vmmio", ok, {any_space, at, page, v(0), zero}},
    {0x60, "", bad, {any_space, at, page, v(1), zero}, " nothing to remove"},
    {0x60, "", GH_ERROR_UNIMPLEMENTED, {any_space, at, page, v(2), zero}, " unknown operation"},
    {0x60,
     "",
     GH_ERROR_ADDR_OVFL,
     {any_space, end_of_space, v(2 * page_size), v(0), zero},
     " wraps"},
    {0x60, "", GH_ERROR_ADDR_INVAL, {any_space, beyond, page, v(0), zero}, " beyond"},
    {0x62, "addrspace_attach_vdevice", ok, {space, device_vic, v(0), at, v(0x10000), zero}},
    {0x62, "", bad, {space, device_vic, v(2), at, v(0x10000), zero}, " no such interface"},

    {0x30, "memextent_modify", ok, {extent, v(0), v(0), v(0)}},
    {0x30, "", ok, {extent, v(1 | nosync), v(0), page}, " zero"},
    {0x30, "", ok, {extent, v(2 | nosync), v(0), page}, " clean"},
    {0x30, "", ok, {extent, v(3 | nosync), v(0), page}, " flush"},
    {0x30, "", ok, {extent, v(255)}, " synchronise"},
    {0x30, "", bad, {extent, v(1), v(0), page}, " zero without NoSync"},
    {0x30, "", bad, {extent, v(255 | nosync)}, " synchronise with NoSync"},
    {0x30, "", bad, {extent, v(4 | nosync)}, " unknown operation"},
    {0x30, "", bad, {extent, v(0x100)}, " reserved bits"},
    {0x30, "", bad, {extent, v(1 | nosync), page, page}, " beyond the extent"},
    {0x31, "memextent_configure", ok, {new_extent, ram_start, page, v(7), zero}},
    {0x31, "", bad, {new_extent, ram_start, v(0), v(7), zero}, " no size"},
    {0x31, "", bad, {new_extent, ram_start, v(1), v(7), zero}, " unaligned size"},
    {0x31, "", bad, {new_extent, ram_start, page, v(8), zero}, " reserved attributes"},
    {0x31, "", bad, {new_extent, end_of_space, v(2 * page_size), v(7), zero}, " wraps"},
    {0x31, "", GH_ERROR_DENIED, {new_extent, v(0), page, v(7), zero}, " no RAM"},
    {0x32, "memextent_configure_derive", ok, {new_extent, ram, v(0), page, v(7), zero}},
    {0x32, "", bad, {new_extent, ram, v(0), v(0), v(7), zero}, " no size"},
    {0x32, "", bad, {new_extent, ram, v(1ull << 50), page, v(7), zero}, " beyond the parent"},
    {0x33, "memextent_donate", ok, {v(0), donor, heir, sparse_place, page, zero}},
    {0x33, "", bad, {v(3), donor, heir, sparse_place, page, zero}, " unknown type"},
    {0x33, "", bad, {v(0x100), donor, heir, sparse_place, page, zero}, " reserved bits"},
    {0x33, "", bad, {v(0), donor, heir, v(0), page, zero}, " outside of the child"},
    {0x33, "", bad, {v(2), donor, heir, sparse_place, page, zero}, " no siblings"},
    {0x33, "", bad_size, {v(0), donor, heir, sparse_place, v(0), zero}, " no size"},
    {0x33, "", GH_ERROR_MEMDB_NOT_OWNER, {v(1), heir, donor, v(0), page, zero}, " not owned"},
};

} // namespace

std::span<const Row> memory_rows() {
    return rows;
}

} // namespace root
