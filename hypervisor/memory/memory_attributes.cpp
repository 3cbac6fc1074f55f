// SPDX-License-Identifier: BSD-3-Clause
// Decoding of the attribute words of the memory hypercalls.
#include "memory/memory_attributes.hpp"

namespace hyp {

namespace {

constexpr std::uint64_t access_mask = GH_ACCESS_RWX;
constexpr std::uint64_t user_field = access_mask << GH_MAP_ATTR_USER_SHIFT;
constexpr std::uint64_t kernel_field = access_mask << GH_MAP_ATTR_KERNEL_SHIFT;
constexpr std::uint64_t type_field = std::uint64_t{0xff} << GH_MAP_ATTR_MEMTYPE_SHIFT;

bool is_memory_type(std::uint64_t value) {
    switch (static_cast<MemoryType>(value)) {
    case MemoryType::device_ngnrne:
    case MemoryType::device_ngnre:
    case MemoryType::device_ngre:
    case MemoryType::device_gre:
    case MemoryType::normal_noncacheable:
    case MemoryType::normal_writeback:
        return true;
    }
    return false;
}

} // namespace

Result<MapAttributes> MapAttributes::decode(std::uint64_t word) {
    const std::uint64_t memory_type = (word & type_field) >> GH_MAP_ATTR_MEMTYPE_SHIFT;
    RT_FAIL_IF(!is_memory_type(memory_type), Error::argument_invalid);
    auto attributes = decode_access(word & ~type_field);
    if (attributes) {
        attributes->type = static_cast<MemoryType>(memory_type);
    }
    return attributes;
}

Result<MapAttributes> MapAttributes::decode_access(std::uint64_t word) {
    RT_FAIL_IF((word & ~(user_field | kernel_field)) != 0, Error::argument_invalid);
    MapAttributes attributes;
    attributes.kernel = static_cast<Access>((word & kernel_field) >> GH_MAP_ATTR_KERNEL_SHIFT);
    attributes.user = static_cast<Access>((word & user_field) >> GH_MAP_ATTR_USER_SHIFT);
    RT_FAIL_IF(attributes.kernel == 0, Error::argument_invalid);
    if (attributes.user == 0) {
        attributes.user = attributes.kernel;
    }
    return attributes;
}

std::uint64_t MapAttributes::encode() const {
    return (std::uint64_t{user} << GH_MAP_ATTR_USER_SHIFT) |
           (std::uint64_t{kernel} << GH_MAP_ATTR_KERNEL_SHIFT) |
           (static_cast<std::uint64_t>(type) << GH_MAP_ATTR_MEMTYPE_SHIFT);
}

Result<ExtentAttributes> ExtentAttributes::decode(std::uint64_t word) {
    constexpr std::uint64_t list_append = std::uint64_t{1} << 31;
    const std::uint64_t kind = (word >> GH_MEMEXTENT_ATTR_TYPE_SHIFT) & 3;
    const std::uint64_t memory_type = (word >> GH_MEMEXTENT_ATTR_MEMTYPE_SHIFT) & 3;
    const std::uint64_t known = access_mask | (std::uint64_t{3} << GH_MEMEXTENT_ATTR_TYPE_SHIFT) |
                                (std::uint64_t{3} << GH_MEMEXTENT_ATTR_MEMTYPE_SHIFT) | list_append;
    RT_FAIL_IF((word & ~known) != 0 || kind > GH_MEMEXTENT_TYPE_SPARSE, Error::argument_invalid);
    RT_FAIL_IF((word & list_append) != 0, Error::unimplemented);
    return ExtentAttributes{static_cast<Access>(word & access_mask),
                            static_cast<ExtentMemoryType>(memory_type),
                            static_cast<ExtentKind>(kind)};
}

Result<MemoryType> resolve_memory_type(ExtentMemoryType extent, MemoryType wanted) {
    switch (extent) {
    case ExtentMemoryType::any:
        return wanted;
    case ExtentMemoryType::device:
        if (is_device(wanted)) {
            return wanted;
        }
        return fail(Error::denied);
    case ExtentMemoryType::uncached:
        return MemoryType::normal_noncacheable;
    case ExtentMemoryType::cached:
        return MemoryType::normal_writeback;
    }
    return fail(Error::denied);
}

} // namespace hyp
