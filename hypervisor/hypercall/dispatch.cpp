// SPDX-License-Identifier: BSD-3-Clause
// A flat table indexed by the call's number: one load and one indirect call per hypercall.
#include "hypercall/dispatch.hpp"

#include "heap/trace.hpp"
#include "hypercall/handler.hpp"
#include "vcpu/vcpu.hpp"

#include <abi/error.h>
#include <abi/hypercall.h>
#include <runtime/panic.hpp>

#include <algorithm>
#include <array>

namespace hyp {

namespace {

constinit std::array<Handler, hypercall_numbers> table{};

void add(std::span<const HypercallEntry> entries) {
    for (const HypercallEntry& entry : entries) {
        rt::ensure(entry.number < table.size() && table[entry.number] == nullptr,
                   "two handlers for one hypercall");
        table[entry.number] = entry.handler;
    }
}

std::uint64_t code(rt::Error error) {
    return static_cast<std::uint64_t>(static_cast<std::int64_t>(error));
}

/// Out of line, so that a call without a handler needs no stack frame.
[[gnu::noinline]] void serve(Vcpu& caller, std::size_t number, const std::uint64_t* arguments,
                             Handler handler) {
    const Outcome outcome = handler(caller, Arguments{arguments});
    if (outcome.is_later()) {
        return;
    }
    caller.registers.x[0] = outcome.x0();
    if (outcome.x0() != GH_ERROR_OK) {
        trace(TraceClass::error, static_cast<std::uint32_t>(number), outcome.x0());
    }
}

// The one call whose first result is no error code.
void identify(Vcpu& caller) {
    auto& x = caller.registers.x;
    x[0] = GH_API_INFO;
    x[1] = GH_FEATURE_PARTITION_CSPACE | GH_FEATURE_DOORBELL | GH_FEATURE_MSGQUEUE |
           GH_FEATURE_VIC | GH_FEATURE_VPM | GH_FEATURE_VCPU | GH_FEATURE_MEMEXTENT |
           GH_FEATURE_TRACE;
    x[2] = 0;
    x[3] = 0;
}

} // namespace

void init_hypercalls() {
    for (const auto& entries :
         {object_calls(), cspace_calls(), memextent_calls(), address_space_calls(),
          doorbell_calls(), message_queue_calls(), vic_calls(), hwirq_calls(), vcpu_calls(),
          vpm_group_calls(), watchdog_calls(), virtio_calls(), system_calls()}) {
        add(entries);
    }
}

void hypercall(Vcpu& caller, std::size_t number, unsigned first) {
    auto& x = caller.registers.x;
    if (const Handler handler = table[number]) {
        serve(caller, number, x + first, handler);
    } else if (number == GH_HYPERVISOR_IDENTIFY) {
        identify(caller);
    } else {
        x[0] = code(rt::Error::unimplemented);
    }
}

} // namespace hyp
