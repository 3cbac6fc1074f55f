// SPDX-License-Identifier: BSD-3-Clause
// Access rights and memory types of a mapping, checked forms of the ABI's attribute words.
#pragma once

#include "heap/names.hpp"

#include <abi/hypercall.h>

#include <cstdint>

namespace hyp {

/// A subset of GH_ACCESS_R | GH_ACCESS_W | GH_ACCESS_X.
using Access = std::uint8_t;

/// True if `wanted` asks for nothing that `allowed` lacks.
constexpr bool access_within(Access wanted, Access allowed) {
    return (wanted & ~allowed) == 0;
}

/// Stage-2 memory type of a mapping; the values are those of the ABI (Arm ARM D8.6, MemAttr).
enum class MemoryType : std::uint8_t {
    device_ngnrne = 0,
    device_ngnre = 1,
    device_ngre = 2,
    device_gre = 3,
    normal_noncacheable = 5,
    normal_writeback = 15,
};
constexpr bool is_device(MemoryType type) {
    return static_cast<unsigned>(type) <= static_cast<unsigned>(MemoryType::device_gre);
}

/// How a VM may use a piece of memory. Kernel (EL1) access decides; user (EL0) access matters only
/// for execution, and only on CPUs with FEAT_XNX.
struct MapAttributes {
    Access kernel = 0;
    Access user = 0;
    MemoryType type = MemoryType::normal_writeback;

    constexpr bool operator==(const MapAttributes&) const = default;

    /// From the word that addrspace_map takes. No user access given means the same as kernel
    /// access. Error: argument_invalid (reserved bits, unknown type, no kernel access).
    static Result<MapAttributes> decode(std::uint64_t word);
    /// From the word of addrspace_update_access, which has no memory type.
    static Result<MapAttributes> decode_access(std::uint64_t word);
    /// The word that addrspace_lookup returns.
    [[nodiscard]] std::uint64_t encode() const;
};

/// What a memory extent allows of its mappings.
enum class ExtentMemoryType : std::uint8_t {
    any = GH_MEMEXTENT_MEMTYPE_ANY,
    device = GH_MEMEXTENT_MEMTYPE_DEVICE,
    uncached = GH_MEMEXTENT_MEMTYPE_UNCACHED,
    cached = GH_MEMEXTENT_MEMTYPE_CACHED,
};
enum class ExtentKind : std::uint8_t {
    basic = GH_MEMEXTENT_TYPE_BASIC,   ///< mapped as a whole
    sparse = GH_MEMEXTENT_TYPE_SPARSE, ///< partial mappings and donation
};

/// The attribute word of memextent_configure and memextent_configure_derive.
struct ExtentAttributes {
    Access access = 0;
    ExtentMemoryType memory_type = ExtentMemoryType::any;
    ExtentKind kind = ExtentKind::basic;

    /// Errors: argument_invalid (reserved bits, unknown kind), unimplemented (list append).
    static Result<ExtentAttributes> decode(std::uint64_t word);
};

/// The type a mapping of such an extent gets when `wanted` is asked for: uncached and cached force
/// it, device refuses normal memory. Error: denied.
Result<MemoryType> resolve_memory_type(ExtentMemoryType extent, MemoryType wanted);

} // namespace hyp
