// SPDX-License-Identifier: BSD-3-Clause
// How a call of the model finds what its capabilities name, and the errors of that, in the order in
// which they are looked for.
#pragma once

#include "model.hpp"

#include <abi/error.h>

#include <memory>

namespace model {

template <typename T>
struct Found {
    std::int64_t error = 0;
    std::shared_ptr<T> object;
};

constexpr Kind kind_of(const Cspace*) {
    return Kind::cspace;
}
constexpr Kind kind_of(const Space*) {
    return Kind::space;
}
constexpr Kind kind_of(const Extent*) {
    return Kind::extent;
}
constexpr Kind kind_of(const Doorbell*) {
    return Kind::doorbell;
}
constexpr Kind kind_of(const Queue*) {
    return Kind::queue;
}

inline Found<Object> find_any(const Cspace& cspace, Word cap, std::uint32_t rights) {
    const auto slot = cspace.slots.find(cap);
    if (slot == cspace.slots.end()) {
        return {GH_ERROR_CSPACE_CAP_NULL, {}};
    }
    if (!slot->second.object) {
        return {GH_ERROR_CSPACE_CAP_REVOKED, {}};
    }
    if ((rights & ~slot->second.rights) != 0) {
        return {GH_ERROR_CSPACE_INSUF_RIGHTS, {}};
    }
    return {0, slot->second.object};
}

inline Found<Object> find_kind(const Cspace& cspace, Word cap, std::uint32_t rights, Kind kind) {
    const auto any = find_any(cspace, cap, 0);
    if (any.error == 0 && any.object->kind != kind) {
        return {GH_ERROR_CSPACE_WRONG_OBJ_TYPE, {}};
    }
    return find_any(cspace, cap, rights);
}

template <typename T>
Found<T> find(const Caller& caller, Word cap, std::uint32_t rights) {
    const auto found =
        find_kind(*caller.cspace, cap, rights, kind_of(static_cast<const T*>(nullptr)));
    return {found.error, std::static_pointer_cast<T>(found.object)};
}

template <typename T>
Found<T> find_active(const Caller& caller, Word cap, std::uint32_t rights) {
    auto found = find<T>(caller, cap, rights);
    if (found.error == 0 && !found.object->active) {
        return {GH_ERROR_OBJECT_STATE, {}};
    }
    return found;
}

inline Answer refuse(std::int64_t error) {
    return {error, {}};
}

} // namespace model
