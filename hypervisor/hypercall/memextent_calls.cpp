// SPDX-License-Identifier: BSD-3-Clause
// Hypercalls on memory extents (public API document, "Memory Extent Management").
#include "hypercall/create.hpp"
#include "hypercall/handler.hpp"
#include "memory/memextent.hpp"
#include "vcpu/vcpu.hpp"

#include <abi/hypercall.h>
#include <abi/rights.h>

namespace hyp {

using rt::Error;
using rt::fail;
using rt::Result;

namespace {

Result<Outputs> partition_create_memextent(Vcpu& caller, const Arguments& a) {
    return create_object<MemExtent>(caller, a);
}

Result<Outputs> memextent_configure(Vcpu& caller, const Arguments& a) {
    if (auto zero = require_zero(a.x[4]); !zero) {
        return fail(zero.error());
    }
    const auto attributes = ExtentAttributes::decode(a.x[3]);
    if (!attributes) {
        return fail(attributes.error());
    }
    auto extent = caller.cspace().lookup<MemExtent>(a.x[0], GH_RIGHT_OBJECT_ACTIVATE);
    return extent ? done((*extent)->configure(PhysAddr{a.x[1]}, a.x[2], *attributes))
                  : fail(extent.error());
}

Result<Outputs> memextent_configure_derive(Vcpu& caller, const Arguments& a) {
    if (auto zero = require_zero(a.x[5]); !zero) {
        return fail(zero.error());
    }
    const auto attributes = ExtentAttributes::decode(a.x[4]);
    if (!attributes) {
        return fail(attributes.error());
    }
    auto extent = caller.cspace().lookup<MemExtent>(a.x[0], GH_RIGHT_OBJECT_ACTIVATE);
    if (!extent) {
        return fail(extent.error());
    }
    auto parent = caller.cspace().lookup<MemExtent>(a.x[1], GH_RIGHT_MEMEXTENT_DERIVE);
    if (!parent) {
        return fail(parent.error());
    }
    return done((*extent)->configure_derive(std::move(*parent), a.x[2], a.x[3], *attributes));
}

// NOSYNC only lets us skip waiting for other CPUs, which we always do.
Result<Outputs> memextent_modify(Vcpu& caller, const Arguments& a) {
    constexpr std::uint64_t operation_mask = 0xff;
    if ((a.x[1] & ~(operation_mask | GH_MEMEXTENT_MODIFY_NOSYNC)) != 0) {
        return fail(Error::argument_invalid);
    }
    const bool no_sync = (a.x[1] & GH_MEMEXTENT_MODIFY_NOSYNC) != 0;
    const std::uint64_t operation = a.x[1] & operation_mask;
    auto extent = caller.cspace().lookup_active<MemExtent>(a.x[0], GH_RIGHT_MEMEXTENT_MAP);
    if (!extent) {
        return fail(extent.error());
    }
    if (operation == GH_MEMEXTENT_MODIFY_UNMAP_ALL) {
        return done((*extent)->unmap_all());
    }
    // The document fixes the flag of each other operation.
    const bool is_sync = operation == GH_MEMEXTENT_MODIFY_SYNC_ALL;
    if (is_sync == no_sync) {
        return fail(Error::argument_invalid);
    }
    switch (operation) {
    case GH_MEMEXTENT_MODIFY_ZERO_RANGE:
        return done((*extent)->zero(a.x[2], a.x[3]));
    case GH_MEMEXTENT_MODIFY_CACHE_CLEAN_RANGE:
        return done((*extent)->clean_cache(a.x[2], a.x[3]));
    case GH_MEMEXTENT_MODIFY_CACHE_FLUSH_RANGE:
        return done((*extent)->flush_cache(a.x[2], a.x[3]));
    case GH_MEMEXTENT_MODIFY_SYNC_ALL:
        return Outputs{}; // every operation was complete when it returned
    default:
        return fail(Error::argument_invalid);
    }
}

Result<MemExtent::DonateTo> donate_direction(std::uint64_t options) {
    switch (options & ~std::uint64_t{GH_MAP_FLAG_NOSYNC}) {
    case GH_MEMEXTENT_DONATE_TO_CHILD:
        return MemExtent::DonateTo::child;
    case GH_MEMEXTENT_DONATE_TO_PARENT:
        return MemExtent::DonateTo::parent;
    case GH_MEMEXTENT_DONATE_TO_SIBLING:
        return MemExtent::DonateTo::sibling;
    default:
        return fail(Error::argument_invalid);
    }
}

// For an extent that is not derived, the partition is the parent.
Result<Outputs> donate_with_partition(Vcpu& caller, const Arguments& a, bool to_partition) {
    const CapId partition_id = a.x[to_partition ? 2 : 1];
    const CapId extent_id = a.x[to_partition ? 1 : 2];
    auto partition =
        caller.cspace().lookup_active<Partition>(partition_id, GH_RIGHT_PARTITION_DONATE);
    if (!partition) {
        return fail(partition.error());
    }
    auto extent = caller.cspace().lookup_active<MemExtent>(extent_id, GH_RIGHT_MEMEXTENT_DONATE);
    if (!extent) {
        return fail(extent.error());
    }
    return done(to_partition ? (*extent)->donate_to_partition(a.x[3], a.x[4])
                             : (*extent)->accept_from_partition(a.x[3], a.x[4]));
}

bool names_partition(Vcpu& caller, CapId id) {
    return caller.cspace().lookup<Partition>(id, GH_RIGHTS_NONE).has_value();
}

Result<Outputs> memextent_donate(Vcpu& caller, const Arguments& a) {
    if (auto zero = require_zero(a.x[5]); !zero) {
        return fail(zero.error());
    }
    const auto direction = donate_direction(a.x[0]);
    if (!direction) {
        return fail(direction.error());
    }
    if (*direction == MemExtent::DonateTo::child && names_partition(caller, a.x[1])) {
        return donate_with_partition(caller, a, false);
    }
    if (*direction == MemExtent::DonateTo::parent && names_partition(caller, a.x[2])) {
        return donate_with_partition(caller, a, true);
    }
    auto from = caller.cspace().lookup_active<MemExtent>(a.x[1], GH_RIGHT_MEMEXTENT_DONATE);
    if (!from) {
        return fail(from.error());
    }
    auto to = caller.cspace().lookup_active<MemExtent>(a.x[2], GH_RIGHT_MEMEXTENT_DONATE);
    if (!to) {
        return fail(to.error());
    }
    return done(MemExtent::donate(*direction, **from, **to, a.x[3], a.x[4]));
}

constexpr HypercallEntry entries[] = {
    {GH_PARTITION_CREATE_MEMEXTENT, partition_create_memextent},
    {GH_MEMEXTENT_CONFIGURE, memextent_configure},
    {GH_MEMEXTENT_CONFIGURE_DERIVE, memextent_configure_derive},
    {GH_MEMEXTENT_MODIFY, memextent_modify},
    {GH_MEMEXTENT_DONATE, memextent_donate},
    {GH_MEMEXTENT_DONATE_V15, memextent_donate},
};

} // namespace

std::span<const HypercallEntry> memextent_calls() {
    return entries;
}

} // namespace hyp
