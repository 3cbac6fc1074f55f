// SPDX-License-Identifier: BSD-3-Clause
// Memory extents: configuration, what they own, donation, and giving everything back.
#include "memory/memextent.hpp"

#include "memory/address_space.hpp"
#include "memory/carveouts.hpp"

#include <arch/cache.hpp>
#include <arch/physmap.hpp>
#include <arch/stage2_attributes.hpp>
#include <runtime/panic.hpp>

namespace hyp {

namespace {

Result<> check_range(std::uint64_t base, std::uint64_t size) {
    const bool valid = is_aligned(base, page_size) && is_aligned(size, page_size) && size != 0 &&
                       range_within(base, size, std::uint64_t{1} << physical_address_bits());
    RT_FAIL_IF(!valid, Error::argument_invalid);
    return {};
}

/// Zeros RAM, and makes sure that a VM that runs with its caches off sees the zeros too.
void zero_memory(PhysRange range) {
    void* start = phys_to_virt(range.base);
    zero_pages(start, range.size);
    if (!has_s2fwb()) {
        clean_range(start, range.size);
    }
}

} // namespace

Result<> MemExtent::configure(PhysAddr base, std::uint64_t size, ExtentAttributes attributes) {
    const LockGuard guard(config_lock);
    RT_FAIL_IF(is_active(), Error::object_state);
    RT_TRY(check_range(base.value, size));
    const PhysRange range{base, size};
    const bool ram = ownership().is_ram(range);
    RT_FAIL_IF(!ram && attributes.kind == ExtentKind::sparse, Error::memextent_type);
    parent_.clear();
    range_ = range;
    attributes_ = attributes;
    is_ram_ = ram;
    configured_ = true;
    return {};
}

Result<> MemExtent::configure_derive(Ref<MemExtent> parent, std::uint64_t offset,
                                     std::uint64_t size, ExtentAttributes attributes) {
    const LockGuard guard(config_lock);
    RT_FAIL_IF(is_active() || !parent->is_active(), Error::object_state);
    RT_FAIL_IF(!range_within(offset, size, parent->range_.size), Error::argument_invalid);
    RT_TRY(check_range(parent->range_.base.value + offset, size));
    const PhysRange range{parent->range_.base + offset, size};
    const bool same_world_kind =
        parent->is_ram_ ? parent->is_sparse() : attributes.kind == ExtentKind::basic;
    RT_FAIL_IF(!same_world_kind, Error::memextent_type);
    const ExtentMemoryType parent_type = parent->attributes_.memory_type;
    const bool within_parent =
        access_within(attributes.access, parent->attributes_.access) &&
        (parent_type == ExtentMemoryType::any || parent_type == attributes.memory_type);
    RT_FAIL_IF(!within_parent || (!parent->is_ram_ && carveouts().overlap(range)), Error::denied);
    range_ = range;
    attributes_ = attributes;
    is_ram_ = parent->is_ram_;
    configured_ = true;
    parent_ = std::move(parent);
    return {};
}

Result<> MemExtent::on_activate() {
    RT_FAIL_IF(!configured_, Error::object_config);
    if (!is_ram_) {
        return {};
    }
    id_ = RT_TRY(ownership().allocate_id());
    auto taken = take_memory();
    if (!taken) {
        give_back();
        ownership().release_id(id_);
        id_ = OwnerId::hypervisor;
    }
    return taken;
}

Result<> MemExtent::take_memory() {
    if (!is_sparse()) {
        return take(range_);
    }
    if (parent_) {
        return {}; // starts with nothing
    }
    PhysRange rest = range_;
    bool found = false;
    for (;;) {
        const PhysRange run = ownership().first_owned(rest, Partition::owner_id(partition()));
        if (run.size == 0) {
            break;
        }
        RT_TRY(take(run));
        found = true;
        rest = {run.end(), rest.end() - run.end()};
    }
    RT_FAIL_IF(!found, Error::not_owner);
    return {};
}

/// Memory comes from, and goes to, the parent or, without one, the partition.
Result<> MemExtent::take(PhysRange range) {
    return parent_ ? ownership().transfer(range, parent_->id_, id_, TouchMark::clear)
                   : Partition::give(partition(), range, id_, TouchMark::clear);
}

Result<> MemExtent::return_to_previous(PhysRange range) {
    return parent_ ? ownership().transfer(range, id_, parent_->id_, TouchMark::set)
                   : Partition::take_back(partition(), range, id_, TouchMark::set);
}

void MemExtent::on_destroy() {
    if (!is_active()) {
        return;
    }
    unmap_from_all_address_spaces(*this);
    if (is_ram_) {
        give_back();
        ownership().release_id(id_);
    }
}

/// Nothing maps the pages, and with no reference left nothing can.
void MemExtent::give_back() {
    PhysRange rest = range_;
    for (;;) {
        const Ownership::Run run = ownership().first_run(rest, id_);
        if (run.range.size == 0) {
            return;
        }
        if (run.touched) {
            zero_memory(run.range);
        }
        const bool given = return_to_previous(run.range).has_value();
        rt::ensure(given, "a dying memory extent is still mapped");
        rest = {run.range.end(), rest.end() - run.range.end()};
    }
}

Result<PhysRange> MemExtent::slice(std::uint64_t offset, std::uint64_t size) const {
    RT_FAIL_IF(!is_aligned(offset, page_size) || !is_aligned(size, page_size),
               Error::argument_alignment);
    RT_FAIL_IF(size == 0 || range_wraps(offset, size), Error::argument_size);
    RT_FAIL_IF(!range_within(offset, size, range_.size), Error::argument_invalid);
    return PhysRange{range_.base + offset, size};
}

PhysRange MemExtent::first_mappable(PhysRange within) const {
    return is_ram_ ? ownership().first_owned(within, id_) : carveouts().first_outside(within);
}

// Donation.

Result<> MemExtent::donate(DonateTo direction, MemExtent& from, MemExtent& to, std::uint64_t offset,
                           std::uint64_t size) {
    RT_FAIL_IF(!from.is_active() || !to.is_active(), Error::object_state);
    RT_FAIL_IF(!from.is_sparse() || !to.is_sparse(), Error::memextent_type);
    const bool to_child = direction == DonateTo::child && to.parent_.get() == &from;
    const bool to_parent = direction == DonateTo::parent && from.parent_.get() == &to;
    const bool to_sibling = direction == DonateTo::sibling && from.parent_ && &from != &to &&
                            from.parent_ == to.parent_;
    RT_FAIL_IF(!to_child && !to_parent && !to_sibling, Error::argument_invalid);
    const PhysRange range = RT_TRY(from.slice(offset, size));
    RT_FAIL_IF(!to.range_.contains(range), Error::argument_invalid);
    const TouchMark mark = to_child    ? TouchMark::clear
                           : to_parent ? TouchMark::set
                                       : TouchMark::keep;
    return ownership().transfer(range, from.id_, to.id_, mark);
}

/// The part of the extent that it exchanges with its partition.
Result<PhysRange> MemExtent::shared_with(const Partition& other, std::uint64_t offset,
                                         std::uint64_t size) const {
    RT_FAIL_IF(!is_active(), Error::object_state);
    RT_FAIL_IF(!is_sparse(), Error::memextent_type);
    RT_FAIL_IF(parent_ || Partition::owner_id(partition()) != Partition::owner_id(&other),
               Error::argument_invalid);
    return slice(offset, size);
}

Result<> MemExtent::donate_to_partition(const Partition& to, std::uint64_t offset,
                                        std::uint64_t size) {
    auto range = shared_with(to, offset, size);
    return range ? return_to_previous(*range) : fail(range.error());
}

Result<> MemExtent::accept_from_partition(const Partition& from, std::uint64_t offset,
                                          std::uint64_t size) {
    auto range = shared_with(from, offset, size);
    return range ? take(*range) : fail(range.error());
}

// Modification.

Result<> MemExtent::unmap_all() {
    RT_FAIL_IF(!is_active(), Error::object_state);
    unmap_from_all_address_spaces(*this);
    return {};
}

/// Calls `action(PhysRange)` for the owned pages of a range. A run counts as mapped meanwhile, so
/// that it cannot go to another owner under our hands.
template <typename Action>
Result<> MemExtent::for_each_owned(std::uint64_t offset, std::uint64_t size, Action action) {
    RT_FAIL_IF(!is_active(), Error::object_state);
    RT_FAIL_IF(!is_ram_, Error::argument_invalid);
    PhysRange rest = RT_TRY(slice(offset, size));
    for (;;) {
        const PhysRange run = ownership().first_owned(rest, id_);
        if (run.size == 0) {
            return {};
        }
        RT_TRY(ownership().add_mappings(run, id_));
        action(run);
        ownership().remove_mappings(run);
        rest = {run.end(), rest.end() - run.end()};
    }
}

Result<> MemExtent::zero(std::uint64_t offset, std::uint64_t size) {
    return for_each_owned(offset, size, zero_memory);
}

Result<> MemExtent::clean_cache(std::uint64_t offset, std::uint64_t size) {
    return for_each_owned(offset, size,
                          [](PhysRange run) { clean_range(phys_to_virt(run.base), run.size); });
}

Result<> MemExtent::flush_cache(std::uint64_t offset, std::uint64_t size) {
    return for_each_owned(offset, size, [](PhysRange run) {
        clean_invalidate_range(phys_to_virt(run.base), run.size);
    });
}

} // namespace hyp
