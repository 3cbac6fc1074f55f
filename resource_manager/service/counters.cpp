// SPDX-License-Identifier: BSD-3-Clause
// Names and order of the counters that a client sees.
#include "service/counters.hpp"

#include <abi/rm_rpc.h>

#include <array>
#include <string_view>

namespace rm {

namespace {

// Indexed by enum gh_counter.
constexpr std::array<std::string_view, GH_COUNTER_COUNT> hypervisor_names{
    "objects",          "vcpus",           "addrspaces",       "memextents", "capabilities",
    "page_table_pages", "heap_pages_used", "heap_pages_total",
};

struct Counter {
    std::string_view name;
    std::uint64_t value;
};

} // namespace

void write_counters(const Root& root, std::uint64_t vms, std::uint64_t parcels, Writer& reply) {
    std::array<Counter, GH_COUNTER_COUNT + 2> counters{};
    std::uint32_t count = 0;
    counters[count++] = {"vms", vms};
    counters[count++] = {"parcels", parcels};
    for (unsigned i = 0; i < hypervisor_names.size(); ++i) {
        const auto value = root.hypervisor.query_counter(root.partition, i);
        if (value) {
            counters[count++] = {hypervisor_names[i], *value};
        }
    }
    reply.u32(count);
    for (std::uint32_t i = 0; i < count; ++i) {
        reply.text(counters[i].name, GH_RM_COUNTER_NAME_SIZE);
        reply.u64(counters[i].value);
    }
}

} // namespace rm
