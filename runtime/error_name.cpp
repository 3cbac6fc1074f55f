// SPDX-License-Identifier: BSD-3-Clause
// Names of the hypercall error codes, for people who read a log.
#include <runtime/print.hpp>

namespace rt {

namespace {

struct Name {
    Error error;
    const char* text;
};

constexpr Name names[] = {
    {Error::unimplemented, "unimplemented"},
    {Error::retry, "retry"},
    {Error::argument_invalid, "argument invalid"},
    {Error::argument_size, "argument size"},
    {Error::argument_alignment, "argument alignment"},
    {Error::no_memory, "no memory"},
    {Error::no_resources, "no resources"},
    {Error::address_overflow, "address overflow"},
    {Error::address_underflow, "address underflow"},
    {Error::address_invalid, "address invalid"},
    {Error::denied, "denied"},
    {Error::busy, "busy"},
    {Error::idle, "idle"},
    {Error::object_state, "object state"},
    {Error::object_config, "object not configured"},
    {Error::object_configured, "object already configured"},
    {Error::failure, "failure"},
    {Error::virq_bound, "virtual IRQ bound"},
    {Error::virq_unbound, "virtual IRQ not bound"},
    {Error::cap_null, "null capability"},
    {Error::cap_revoked, "revoked capability"},
    {Error::wrong_object_type, "wrong object type"},
    {Error::insufficient_rights, "insufficient rights"},
    {Error::cspace_full, "capability space full"},
    {Error::msgqueue_empty, "message queue empty"},
    {Error::msgqueue_full, "message queue full"},
    {Error::not_owner, "not the owner of the memory"},
    {Error::mappings_full, "too many mappings"},
    {Error::memextent_type, "memory extent type"},
    {Error::existing_mapping, "existing mapping"},
};

} // namespace

std::string_view error_name(Error error) {
    for (const Name& name : names) {
        if (name.error == error) {
            return name.text;
        }
    }
    return "unknown error";
}

} // namespace rt
