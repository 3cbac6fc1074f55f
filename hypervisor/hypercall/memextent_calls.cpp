// SPDX-License-Identifier: BSD-3-Clause
// Hypercalls on memory extents (public API document, "Memory Extent Management").
#include "hypercall/on_object.hpp"
#include "memory/memextent.hpp"
#include "memory/ownership.hpp"

namespace hyp {

namespace {

/// An operation in bits 7:0 with a NoSync flag; the rest is reserved.
struct Operation {
    unsigned number;
    bool no_sync;
};

Result<Operation> decode_operation(std::uint64_t word) {
    RT_FAIL_IF((word & ~std::uint64_t{0xff | GH_MEMEXTENT_MODIFY_NOSYNC}) != 0,
               Error::argument_invalid);
    return Operation{static_cast<unsigned>(word & 0xff), (word & GH_MEMEXTENT_MODIFY_NOSYNC) != 0};
}

/// x0 extent, x1 physical base, x2 size, x3 attributes, x4 zero. RAM only: device memory is
/// derived from the extent that the Resource Manager was given.
Outcome memextent_configure(Vcpu& caller, Arguments a) {
    return on_any<MemExtent>(caller, a, GH_RIGHT_OBJECT_ACTIVATE, a.x[4],
                             [&](MemExtent& extent) -> Result<> {
                                 const auto attributes = RT_TRY(ExtentAttributes::decode(a.x[3]));
                                 RT_FAIL_IF(range_wraps(a.x[1], a.x[2]), Error::argument_invalid);
                                 return ownership().is_ram({PhysAddr{a.x[1]}, a.x[2]})
                                            ? extent.configure(PhysAddr{a.x[1]}, a.x[2], attributes)
                                            : fail(Error::denied);
                             });
}

/// x0 extent, x1 parent, x2 offset, x3 size, x4 attributes, x5 zero.
Outcome memextent_configure_derive(Vcpu& caller, Arguments a) {
    return on_any<MemExtent>(caller, a, GH_RIGHT_OBJECT_ACTIVATE, a.x[5], [&](MemExtent& extent) {
        return with<MemExtent>(caller, a.x[1], GH_RIGHT_MEMEXTENT_DERIVE, [&](MemExtent& parent) {
            const auto attributes = ExtentAttributes::decode(a.x[4]);
            return attributes ? extent.configure_derive(Ref<MemExtent>(parent), a.x[2], a.x[3],
                                                        *attributes)
                              : fail(attributes.error());
        });
    });
}

Result<> modify(MemExtent& extent, Operation operation, std::uint64_t offset, std::uint64_t size) {
    const bool on_range = operation.number == GH_MEMEXTENT_MODIFY_ZERO_RANGE ||
                          operation.number == GH_MEMEXTENT_MODIFY_CACHE_CLEAN_RANGE ||
                          operation.number == GH_MEMEXTENT_MODIFY_CACHE_FLUSH_RANGE;
    const bool is_sync = operation.number == GH_MEMEXTENT_MODIFY_SYNC_ALL;
    RT_FAIL_IF((on_range && !operation.no_sync) || (is_sync && operation.no_sync),
               Error::argument_invalid);
    switch (operation.number) {
    case GH_MEMEXTENT_MODIFY_UNMAP_ALL:
        return extent.unmap_all();
    case GH_MEMEXTENT_MODIFY_ZERO_RANGE:
        return extent.zero(offset, size);
    case GH_MEMEXTENT_MODIFY_CACHE_CLEAN_RANGE:
        return extent.clean_cache(offset, size);
    case GH_MEMEXTENT_MODIFY_CACHE_FLUSH_RANGE:
        return extent.flush_cache(offset, size);
    case GH_MEMEXTENT_MODIFY_SYNC_ALL:
        return {}; // every operation is complete when its call returns
    default:
        return fail(Error::argument_invalid);
    }
}

/// x0 extent, x1 operation, x2 offset, x3 size.
Outcome memextent_modify(Vcpu& caller, Arguments a) {
    return on_active<MemExtent>(caller, a, GH_RIGHT_MEMEXTENT_MAP, 0, [&](MemExtent& extent) {
        const auto operation = decode_operation(a.x[1]);
        return operation ? modify(extent, *operation, a.x[2], a.x[3]) : fail(operation.error());
    });
}

/// Between an extent that is not derived and the partition, which counts as its parent. Ours: or
/// between a partition and its parent; then the offset is a physical address.
Result<> donate_with_partition(Vcpu& caller, CapId partition_cap, CapId extent_cap, bool to_extent,
                               std::uint64_t offset, std::uint64_t size) {
    auto partition =
        RT_TRY(caller.cspace().lookup<Partition>(partition_cap, GH_RIGHT_PARTITION_DONATE));
    auto extent = caller.cspace().lookup<MemExtent>(extent_cap, GH_RIGHT_MEMEXTENT_DONATE);
    if (!extent && extent.error() == Error::wrong_object_type) {
        auto other =
            RT_TRY(caller.cspace().lookup<Partition>(extent_cap, GH_RIGHT_PARTITION_DONATE));
        const PhysRange range{PhysAddr{offset}, size};
        return to_extent ? Partition::donate_to_child(*partition, *other, range)
                         : Partition::donate_to_parent(*other, *partition, range);
    }
    if (!extent) {
        return fail(extent.error());
    }
    return to_extent ? (*extent)->accept_from_partition(*partition, offset, size)
                     : (*extent)->donate_to_partition(*partition, offset, size);
}

/// x0 options, x1 from, x2 to, x3 offset (in the donating extent), x4 size, x5 zero.
Outcome memextent_donate(Vcpu& caller, Arguments a) {
    RT_TRY(require_zero(a.x[5]));
    auto operation = decode_operation(a.x[0]);
    RT_FAIL_IF(!operation || operation->number > GH_MEMEXTENT_DONATE_TO_SIBLING,
               Error::argument_invalid);
    auto from = caller.cspace().lookup<MemExtent>(a.x[1], GH_RIGHT_MEMEXTENT_DONATE);
    auto to = caller.cspace().lookup<MemExtent>(a.x[2], GH_RIGHT_MEMEXTENT_DONATE);
    const bool to_child = operation->number == GH_MEMEXTENT_DONATE_TO_CHILD;
    const auto& parent = to_child ? from : to;
    if (operation->number != GH_MEMEXTENT_DONATE_TO_SIBLING && !parent &&
        parent.error() == Error::wrong_object_type) {
        return done(donate_with_partition(caller, a.x[to_child ? 1 : 2], a.x[to_child ? 2 : 1],
                                          to_child, a.x[3], a.x[4]));
    }
    if (!from || !to) {
        return fail(from ? to.error() : from.error());
    }
    static_assert(static_cast<unsigned>(MemExtent::DonateTo::child) ==
                  GH_MEMEXTENT_DONATE_TO_CHILD);
    static_assert(static_cast<unsigned>(MemExtent::DonateTo::sibling) ==
                  GH_MEMEXTENT_DONATE_TO_SIBLING);
    const auto direction = static_cast<MemExtent::DonateTo>(operation->number);
    return done(MemExtent::donate(direction, **from, **to, a.x[3], a.x[4]));
}

constexpr HypercallEntry entries[] = {
    {GH_PARTITION_CREATE_MEMEXTENT, create<MemExtent>},
    {GH_MEMEXTENT_CONFIGURE, entry<memextent_configure>},
    {GH_MEMEXTENT_CONFIGURE_DERIVE, entry<memextent_configure_derive>},
    {GH_MEMEXTENT_MODIFY, entry<memextent_modify>},
    {GH_MEMEXTENT_DONATE, entry<memextent_donate>},
    {GH_MEMEXTENT_DONATE_V15, entry<memextent_donate>},
};

} // namespace

constinit const std::span<const HypercallEntry> memextent_calls = entries;

} // namespace hyp
