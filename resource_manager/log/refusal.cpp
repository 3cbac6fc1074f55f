// SPDX-License-Identifier: BSD-3-Clause
// Maps hypercall errors to those that a Resource Manager's client understands.
#include "log/refusal.hpp"

namespace rm {

RmError log_refusal(const Stage& stage, RmError error, const rt::Sentence& why) {
    if (!refusal_limit().allow()) {
        return error;
    }
    if (const unsigned missing = refusal_limit().take_suppressed(); missing != 0) {
        log("{} lines about refused requests were left out", missing);
    }
    std::array<char, max_log_line> buffer; // NOLINT: written before it is read
    rt::BufferSink sink(buffer);
    rt::print(sink, why);
    log("VM {x}: {} refused: {} (RM error {x})", stage.vmid, stage.request, sink.text(),
        static_cast<std::uint32_t>(error));
    return error;
}

RmError rm_error(rt::Error error) {
    switch (error) {
    case rt::Error::no_memory:
        return RmError::no_memory;
    case rt::Error::no_resources:
    case rt::Error::cspace_full:
    case rt::Error::mappings_full:
        return RmError::no_resource;
    case rt::Error::denied:
    case rt::Error::insufficient_rights:
        return RmError::denied;
    case rt::Error::busy:
        return RmError::busy;
    case rt::Error::not_owner:
    case rt::Error::address_invalid:
    case rt::Error::address_overflow:
        return RmError::mem_invalid;
    case rt::Error::existing_mapping:
        return RmError::mem_in_use;
    case rt::Error::unimplemented:
        return RmError::unimplemented;
    default:
        return RmError::invalid;
    }
}

} // namespace rm
