// SPDX-License-Identifier: BSD-3-Clause
// Result<T>: a value or one of the ABI's error codes, used wherever an operation can fail.
#pragma once

#include <abi/error.h>

#include <cstdint>
#include <expected>
#include <utility>

/// Leaves the function with `error`, as its std::expected, when the condition holds: a function
/// states first what it refuses, one line each.
#define RT_FAIL_IF(condition, error)                                                               \
    do {                                                                                           \
        if (condition) {                                                                           \
            return std::unexpected(error);                                                         \
        }                                                                                          \
    } while (false)

/// The value of a std::expected (nothing for Result<>); when it has none, leaves the function with
/// its error. Stands alone or on the right of a `=`: `auto page = RT_TRY(take_page());`. What else
/// a larger expression has begun would be left half done.
#define RT_TRY(...)                                                                                \
    __extension__({                                                                                \
        auto rt_result = (__VA_ARGS__);                                                            \
        if (!rt_result) {                                                                          \
            return std::unexpected(rt_result.error());                                             \
        }                                                                                          \
        *std::move(rt_result);                                                                     \
    })

namespace rt {

/// The error codes of the hypercall ABI as a type of their own. The values are those on the wire.
enum class Error : std::int32_t {
    unimplemented = GH_ERROR_UNIMPLEMENTED,
    retry = GH_ERROR_RETRY,
    argument_invalid = GH_ERROR_ARG_INVAL,
    argument_size = GH_ERROR_ARG_SIZE,
    argument_alignment = GH_ERROR_ARG_ALIGN,
    no_memory = GH_ERROR_NOMEM,
    no_resources = GH_ERROR_NORESOURCES,
    address_overflow = GH_ERROR_ADDR_OVFL,
    address_underflow = GH_ERROR_ADDR_UNFL,
    address_invalid = GH_ERROR_ADDR_INVAL,
    denied = GH_ERROR_DENIED,
    busy = GH_ERROR_BUSY,
    idle = GH_ERROR_IDLE,
    object_state = GH_ERROR_OBJECT_STATE,
    object_config = GH_ERROR_OBJECT_CONFIG,
    object_configured = GH_ERROR_OBJECT_CONFIGURED,
    failure = GH_ERROR_FAILURE,
    virq_bound = GH_ERROR_IRQ_BOUND,
    virq_unbound = GH_ERROR_IRQ_UNBOUND,
    cap_null = GH_ERROR_CSPACE_CAP_NULL,
    cap_revoked = GH_ERROR_CSPACE_CAP_REVOKED,
    wrong_object_type = GH_ERROR_CSPACE_WRONG_OBJ_TYPE,
    insufficient_rights = GH_ERROR_CSPACE_INSUF_RIGHTS,
    cspace_full = GH_ERROR_CSPACE_FULL,
    msgqueue_empty = GH_ERROR_MSGQUEUE_EMPTY,
    msgqueue_full = GH_ERROR_MSGQUEUE_FULL,
    not_owner = GH_ERROR_MEMDB_NOT_OWNER,
    mappings_full = GH_ERROR_MEMEXTENT_MAPPINGS_FULL,
    memextent_type = GH_ERROR_MEMEXTENT_TYPE,
    existing_mapping = GH_ERROR_EXISTING_MAPPING,
};

template <typename T = void>
using Result = std::expected<T, Error>;

/// Shorthand for the failing side of a Result: `return fail(Error::busy);`
inline std::unexpected<Error> fail(Error error) {
    return std::unexpected<Error>(error);
}

} // namespace rt
