// SPDX-License-Identifier: BSD-3-Clause
// A flat table indexed by the call's number: one load and one indirect call per hypercall.
#include "hypercall/dispatch.hpp"

#include <runtime/panic.hpp>

namespace hyp {

constinit std::array<Handler, hypercall_numbers> hypercall_table{};

namespace {

auto& table = hypercall_table;

void add(std::span<const HypercallEntry> entries) {
    for (const HypercallEntry& entry : entries) {
        rt::ensure(entry.number < table.size() && table[entry.number] == nullptr,
                   "two handlers for one hypercall");
        table[entry.number] = entry.handler;
    }
}

/// While errors are traced.
[[gnu::noinline]] std::uint64_t serve_traced(Vcpu& caller, std::size_t number,
                                             Arguments arguments) {
    const std::uint64_t x0 = table[number](caller, arguments);
    if (x0 != Outcome::deferred && x0 != GH_ERROR_OK) {
        trace(TraceClass::error, static_cast<std::uint32_t>(number), x0);
    }
    return x0;
}

// The one call whose first result is no error code.
std::uint64_t identify(Vcpu& caller) {
    auto& x = caller.registers.x;
    x[1] = GH_FEATURE_PARTITION_CSPACE | GH_FEATURE_DOORBELL | GH_FEATURE_MSGQUEUE |
           GH_FEATURE_VIC | GH_FEATURE_VPM | GH_FEATURE_VCPU | GH_FEATURE_MEMEXTENT |
           GH_FEATURE_TRACE;
    x[2] = 0;
    x[3] = GH_EXT_FEATURE_DOORBELL_RING;
    return GH_API_INFO;
}

} // namespace

void init_hypercalls() {
    for (const auto& entries : {object_calls, cspace_calls, memextent_calls, address_space_calls,
                                doorbell_calls, message_queue_calls, interrupt_calls, vcpu_calls,
                                vpm_group_calls, watchdog_calls, virtio_calls, system_calls}) {
        add(entries);
    }
}

std::uint64_t serve_rare(Vcpu& caller, std::size_t number, unsigned first) {
    if (table[number] != nullptr) {
        return serve_traced(caller, number, Arguments{caller.registers.x + first});
    }
    return number == GH_HYPERVISOR_IDENTIFY ? identify(caller) : error_code(Error::unimplemented);
}

} // namespace hyp
