// SPDX-License-Identifier: BSD-3-Clause
// Names of the hypercall error codes, for people who read a log.
#include <runtime/print.hpp>

namespace rt {

std::string_view error_name(Error error) {
    switch (error) {
    case Error::unimplemented:
        return "unimplemented";
    case Error::retry:
        return "retry";
    case Error::argument_invalid:
        return "argument invalid";
    case Error::argument_size:
        return "argument size";
    case Error::argument_alignment:
        return "argument alignment";
    case Error::no_memory:
        return "no memory";
    case Error::no_resources:
        return "no resources";
    case Error::address_overflow:
        return "address overflow";
    case Error::address_underflow:
        return "address underflow";
    case Error::address_invalid:
        return "address invalid";
    case Error::denied:
        return "denied";
    case Error::busy:
        return "busy";
    case Error::idle:
        return "idle";
    case Error::object_state:
        return "object state";
    case Error::object_config:
        return "object not configured";
    case Error::object_configured:
        return "object already configured";
    case Error::failure:
        return "failure";
    case Error::virq_bound:
        return "virtual IRQ bound";
    case Error::virq_unbound:
        return "virtual IRQ not bound";
    case Error::cap_null:
        return "null capability";
    case Error::cap_revoked:
        return "revoked capability";
    case Error::wrong_object_type:
        return "wrong object type";
    case Error::insufficient_rights:
        return "insufficient rights";
    case Error::cspace_full:
        return "capability space full";
    case Error::msgqueue_empty:
        return "message queue empty";
    case Error::msgqueue_full:
        return "message queue full";
    case Error::not_owner:
        return "not the owner of the memory";
    case Error::mappings_full:
        return "too many mappings";
    case Error::memextent_type:
        return "memory extent type";
    case Error::existing_mapping:
        return "existing mapping";
    }
    return "unknown error";
}

} // namespace rt
