// SPDX-License-Identifier: BSD-3-Clause
// Why a request failed: an RM error code for the requester and one log sentence for people.
#pragma once

#include "log/log.hpp"
#include "log/rate_limit.hpp"

#include <abi/rm_rpc.h>
#include <runtime/result.hpp>

#include <cstdint>
#include <expected>

namespace rm {

/// RM error codes as they stand in a reply (abi/rm_rpc.h).
enum class RmError : std::uint32_t {
    unimplemented = GH_RM_ERROR_UNIMPLEMENTED,
    no_memory = GH_RM_ERROR_NOMEM,
    no_resource = GH_RM_ERROR_NORESOURCE,
    denied = GH_RM_ERROR_DENIED,
    invalid = GH_RM_ERROR_INVALID,
    busy = GH_RM_ERROR_BUSY,
    argument_invalid = GH_RM_ERROR_ARGUMENT_INVALID,
    handle_invalid = GH_RM_ERROR_HANDLE_INVALID,
    validate_failed = GH_RM_ERROR_VALIDATE_FAILED,
    map_failed = GH_RM_ERROR_MAP_FAILED,
    mem_invalid = GH_RM_ERROR_MEM_INVALID,
    mem_in_use = GH_RM_ERROR_MEM_INUSE,
    vmid_invalid = GH_RM_ERROR_VMID_INVALID,
    lookup_failed = GH_RM_ERROR_LOOKUP_FAILED,
    irq_invalid = GH_RM_ERROR_IRQ_INVALID,
    in_use = GH_RM_ERROR_IN_USE,
    vm_state = GH_RM_ERROR_VM_STATE,
};

template <typename T = void>
using RmResult = std::expected<T, RmError>;

/// Whom and what a sentence is about: "VM 0x80: VM_INIT refused: …".
struct Stage {
    std::uint32_t vmid;
    const char* request;
};

/// refuse(), once for all types of arguments.
RmError log_refusal(const Stage& stage, RmError error, const rt::Sentence& why);

/// Logs the sentence, unless the client has caused too many, and gives the error to return. Call it
/// where the cause is known, once.
template <typename... Arguments>
std::unexpected<RmError> refuse(const Stage& stage, RmError error,
                                rt::FormatString<std::type_identity_t<Arguments>...> format,
                                const Arguments&... arguments) {
    return std::unexpected(
        rt::with_sentence([&](const rt::Sentence& why) { return log_refusal(stage, error, why); },
                          format.text(), arguments...));
}

/// The RM error nearest to a hypercall's.
RmError rm_error(rt::Error error);

/// refuse() for a hypercall that failed: "… creating the address space: no memory".
inline std::unexpected<RmError> refuse_call(const Stage& stage, const char* doing,
                                            rt::Error error) {
    return refuse(stage, rm_error(error), "{}: {}", doing, error);
}

} // namespace rm
