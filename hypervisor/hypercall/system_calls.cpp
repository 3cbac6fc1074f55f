// SPDX-License-Identifier: BSD-3-Clause
// Hypercalls about the whole system: entropy, the trace, and our extensions for the Resource
// Manager.
#include "heap/page_allocator.hpp"
#include "heap/trace.hpp"
#include "hypercall/handler.hpp"
#include "memory/partition.hpp"
#include "memory/stage2.hpp"
#include "object/cspace.hpp"
#include "platform/console.hpp"
#include "platform/random.hpp"

#include <abi/rm_rpc.h>

#include <algorithm>
#include <string_view>

namespace hyp {

namespace {

Outcome prng_get_entropy(Vcpu& caller, Arguments a) {
    constexpr std::uint64_t most = 32;
    RT_FAIL_IF(a.x[0] == 0 || a.x[0] > most, Error::argument_size);
    RT_TRY(require_zero(a.x[1]));
    const auto words = random_generator().generate();
    if (!words) {
        return fail(Error::unimplemented); // no seed: better none than guessable numbers
    }
    std::array<std::uint64_t, 4> outputs{};
    for (std::uint64_t i = 0; i * 8 < a.x[0]; ++i) {
        const std::uint64_t bytes = std::min<std::uint64_t>(8, a.x[0] - i * 8);
        const std::uint64_t word = (*words)[i];
        outputs[i] = bytes == 8 ? word : word & ((std::uint64_t{1} << (bytes * 8)) - 1);
    }
    return give(caller, outputs[0], outputs[1], outputs[2], outputs[3]);
}

// Only the holder of the root partition with every right, the Resource Manager, may ask.
Result<> require_root(Vcpu& caller, CapId partition) {
    RT_TRY(caller.cspace().lookup<Partition>(partition, GH_RIGHTS_ALL));
    return {};
}

std::uint64_t counter_value(std::uint64_t which) {
    switch (which) {
    case GH_COUNTER_OBJECTS:
        return Object::count();
    case GH_COUNTER_VCPUS:
        return Object::count(ObjectType::thread);
    case GH_COUNTER_ADDRSPACES:
        return Object::count(ObjectType::address_space);
    case GH_COUNTER_MEMEXTENTS:
        return Object::count(ObjectType::memextent);
    case GH_COUNTER_CAPABILITIES:
        return Cspace::total_capabilities();
    case GH_COUNTER_PAGE_TABLE_PAGES:
        return Stage2::total_table_pages();
    case GH_COUNTER_HEAP_PAGES_USED:
        return page_allocator().used_pages();
    default:
        return page_allocator().total_pages();
    }
}

Outcome query_counter(Vcpu& caller, Arguments a) {
    RT_TRY(require_root(caller, a.x[0]));
    RT_FAIL_IF(a.x[1] >= GH_COUNTER_COUNT, Error::argument_invalid);
    return give(caller, counter_value(a.x[1]));
}

/// x0 flags to set, x1 flags to clear, x2 zero -> flags. The call names no capability, hence only
/// the primary VM and the Resource Manager may make it.
Outcome trace_update_class_flags(Vcpu& caller, Arguments a) {
    RT_TRY(require_zero(a.x[2]));
    RT_FAIL_IF(!caller.is_primary() && caller.address_space().vmid() != GH_VMID_RM, Error::denied);
    return give(caller, update_trace_flags(a.x[0], a.x[1]));
}

Outcome trace_read(Vcpu& caller, Arguments a) {
    RT_TRY(require_root(caller, a.x[0]));
    const auto record =
        RT_TRY(read_trace(static_cast<unsigned>(std::min<std::uint64_t>(a.x[1], ~0U)), a.x[2]));
    return give(caller, record.position, record.time, record.what, record.argument);
}

Outcome console_write(Vcpu& caller, Arguments a) {
    constexpr std::uint64_t most = 32;
    RT_TRY(require_root(caller, a.x[0]));
    RT_FAIL_IF(a.x[1] > most, Error::argument_size);
    // The bytes stand in four registers, lowest address in the lowest byte.
    const auto* bytes = reinterpret_cast<const char*>(&a.x[2]);
    console().write_bytes(std::string_view(bytes, a.x[1]));
    return Outcome();
}

constexpr HypercallEntry entries[] = {
    {GH_PRNG_GET_ENTROPY, entry<prng_get_entropy>},
    {GH_TRACE_UPDATE_CLASS_FLAGS, entry<trace_update_class_flags>},
    {GH_EXT_TRACE_READ, entry<trace_read>},
    {GH_EXT_QUERY_COUNTER, entry<query_counter>},
    {GH_EXT_CONSOLE_WRITE, entry<console_write>},
};

} // namespace

constinit const std::span<const HypercallEntry> system_calls = entries;

} // namespace hyp
