// SPDX-License-Identifier: BSD-3-Clause
// Address spaces: mapping extents, and the life of an address space. What answers to faults is in
// address_space_devices.cpp.
#include "memory/address_space.hpp"

#include "heap/heap.hpp"
#include "memory/hardware_vmid.hpp"

#include <abi/info_area.h>
#include <arch/cache.hpp>
#include <arch/physmap.hpp>
#include <runtime/panic.hpp>

#include <algorithm>
#include <new>

namespace hyp {

namespace {

/// Runs of pages that one map call can take: a whole sparse extent may have holes.
constexpr std::size_t max_runs = 64;

/// All active address spaces. Its lock comes before each address space's own.
struct Registry {
    Spinlock lock;
    rt::IntrusiveList<AddressSpace, AddressSpaceTag> spaces RT_GUARDED_BY(lock);
};

constinit Registry registry;

/// Each leaf entry belongs to one extent: blocks are made of one run of one extent, and mapped
/// pages do not change owner. So an extent's mappings can be removed without splitting a block,
/// which would need memory. Device extents are unmapped as wholes, their entries need no joining.
bool of_one_extent(PhysRange range) {
    return ownership().has_one_owner(range);
}

/// Uncounts the mappings of what left the tables.
struct Uncount final : Stage2::LeafVisitor {
    bool visit(const Stage2::Mapping& leaf) override {
        ownership().remove_mappings({leaf.phys, leaf.size});
        return true;
    }
};

/// The first stretch of IPAs in a window whose leaves are all `wanted`, as long as possible.
template <typename Wanted>
class FirstStretch final : public Stage2::LeafVisitor {
public:
    FirstStretch(IpaRange window, Wanted wanted) : window_(window), wanted_(wanted) {}

    bool visit(const Stage2::Mapping& leaf) override {
        const Ipa start = std::max(leaf.ipa, window_.base);
        if (!wanted_(leaf) || (found_.size != 0 && start != found_.end())) {
            return found_.size == 0;
        }
        found_.base = found_.size == 0 ? start : found_.base;
        found_.size = std::min(leaf.ipa + leaf.size, window_.end()) - found_.base;
        return true;
    }
    [[nodiscard]] IpaRange found() const { return found_; } // size 0: none

private:
    const IpaRange window_;
    const Wanted wanted_;
    IpaRange found_;
};

} // namespace

/// A device extent that is mapped here as a whole. Device memory has no ownership records, hence
/// this one, so that the extent's end can find its mappings.
struct AddressSpace::DeviceMapping : rt::ListNode<AddressSpace::DeviceTag> {
    MemExtent* extent = nullptr; // removes this record before it dies
    Ipa base;
};

// Life.

Result<> AddressSpace::configure(std::uint64_t vmid) {
    const LockGuard guard(config_lock);
    RT_FAIL_IF(is_active(), Error::object_state);
    RT_FAIL_IF(vmid > 0xffff, Error::argument_invalid);
    vmid_ = static_cast<std::uint16_t>(vmid);
    configured_ = true;
    return {};
}

Result<> AddressSpace::configure_info_area(Ref<MemExtent> extent, Ipa base) {
    const LockGuard guard(config_lock);
    RT_FAIL_IF(is_active() || !extent->is_active(), Error::object_state);
    RT_FAIL_IF(!extent->is_ram() || extent->is_sparse(), Error::argument_invalid);
    RT_FAIL_IF(!base.page_aligned() || !Stage2::check_range({base, extent->range().size}),
               Error::address_invalid);
    info_area_ = std::move(extent);
    info_base_ = base;
    return {};
}

Result<> AddressSpace::map_info_area() {
    if (!info_area_) {
        return {};
    }
    constexpr gh_info_area header{GH_INFO_AREA_MAGIC, GH_INFO_AREA_VERSION, sizeof(header),
                                  GH_API_INFO, 0};
    void* page = phys_to_virt(info_area_->range().base);
    zero_pages(page, page_size);
    auto* area = new (page) gh_info_area(header);
    area->vmid = vmid_;
    auto memory_type =
        resolve_memory_type(info_area_->attributes().memory_type, MemoryType::normal_writeback);
    RT_FAIL_IF(!memory_type || !access_within(GH_ACCESS_R, info_area_->attributes().access),
               Error::denied);
    const Stage2::Run run{info_base_, info_area_->range()};
    const LockGuard guard(lock_);
    return map_runs(*info_area_, std::span(&run, 1), {GH_ACCESS_R, GH_ACCESS_R, *memory_type});
}

Result<> AddressSpace::on_activate() {
    RT_FAIL_IF(!configured_, Error::object_config);
    const std::uint8_t vmid = RT_TRY(allocate_hardware_vmid());
    if (auto made = stage2_.create(vmid, of_one_extent, this); !made) {
        release_hardware_vmid(vmid);
        return made;
    }
    if (auto mapped = map_info_area(); !mapped) {
        stage2_.destroy();
        release_hardware_vmid(vmid);
        return mapped;
    }
    hardware_vmid_ = vmid;
    const LockGuard guard(registry.lock);
    registry.spaces.push_back(*this);
    return {};
}

void AddressSpace::on_destroy() {
    if (!is_active()) {
        return;
    }
    {
        // Under the registry's lock: an extent that dies now must find its mappings or none.
        const LockGuard list_guard(registry.lock);
        const LockGuard guard(lock_);
        while (DeviceMapping* mapping = device_mappings_.front()) {
            forget(*mapping);
        }
        const bool removed = remove(Stage2::all()).has_value(); // cuts nothing, so it cannot fail
        rt::ensure(removed, "an address space did not let go of its mappings");
        stage2_.destroy();
        registry.spaces.remove(*this);
    }
    release_hardware_vmid(hardware_vmid_);
    detach_vdevices();
}

void unmap_from_all_address_spaces(MemExtent& extent) {
    const LockGuard guard(registry.lock);
    for (AddressSpace& space : registry.spaces) {
        space.remove_extent(extent);
    }
}

// Mapping.

/// The physical range a call is about, once its arguments are checked.
Result<PhysRange> AddressSpace::resolve(const MemExtent& extent, Ipa base,
                                        const ExtentPart& part) const {
    RT_FAIL_IF(!is_active() || !extent.is_active(), Error::object_state);
    RT_FAIL_IF(part.partial && !extent.is_sparse(), Error::memextent_type);
    const PhysRange range =
        RT_TRY(part.partial ? extent.slice(part.offset, part.size) : extent.range());
    RT_FAIL_IF(!base.page_aligned(), Error::argument_alignment);
    RT_TRY(Stage2::check_range({base, range.size}));
    return range;
}

Result<> AddressSpace::map(MemExtent& extent, Ipa base, MapAttributes attributes, ExtentPart part) {
    const PhysRange range = RT_TRY(resolve(extent, base, part));
    const Access wanted = attributes.kernel | attributes.user;
    RT_FAIL_IF(!access_within(wanted, extent.attributes().access), Error::denied);
    attributes.type = RT_TRY(resolve_memory_type(extent.attributes().memory_type, attributes.type));

    std::array<Stage2::Run, max_runs> runs;
    std::size_t count = 0;
    PhysRange rest = range;
    while (rest.size != 0) {
        const PhysRange run = extent.first_mappable(rest);
        if (run.size == 0) {
            break;
        }
        RT_FAIL_IF(count == max_runs, Error::mappings_full);
        runs[count++] = {base + (run.base - range.base), run};
        rest = {run.end(), rest.end() - run.end()};
    }
    RT_FAIL_IF(count == 0 || (part.partial && runs[0].phys != range), Error::not_owner);
    const LockGuard guard(lock_);
    return map_runs(extent, std::span(runs).first(count), attributes);
}

/// All runs or none. Counts the mappings first, so that the pages cannot change owner any more.
Result<> AddressSpace::map_runs(MemExtent& extent, std::span<const Stage2::Run> runs,
                                MapAttributes attributes) {
    DeviceMapping* record = nullptr;
    std::size_t counted = 0;
    Result<> result;
    if (extent.is_ram()) {
        while (result && counted < runs.size()) {
            result = ownership().add_mappings(runs[counted].phys, extent.owner_id());
            counted += result ? 1 : 0;
        }
    } else {
        record = heap().create<DeviceMapping>();
        RT_FAIL_IF(record == nullptr, Error::no_memory);
        record->extent = &extent;
        record->base = runs[0].ipa - (runs[0].phys.base - extent.range().base);
    }
    if (result) {
        result = stage2_.map(runs, attributes);
    }
    if (!result) {
        for (const Stage2::Run& run : runs.first(counted)) {
            ownership().remove_mappings(run.phys);
        }
        heap().destroy(record);
    } else if (record != nullptr) {
        device_mappings_.push_back(*record);
    }
    return result;
}

/// The first stretch of IPAs in a window that maps the physical range the window pairs it with.
IpaRange AddressSpace::next_match(const Stage2::Run& window) {
    const IpaRange ipas{window.ipa, window.phys.size};
    FirstStretch match(ipas, [&](const Stage2::Mapping& leaf) {
        return leaf.ipa - window.ipa == leaf.phys - window.phys.base;
    });
    stage2_.visit_leaves(ipas, match);
    return match.found();
}

/// Calls `action(IpaRange) -> Result<>` for everything of the part that is mapped at its place. A
/// part must be there entirely, of a whole extent something. Else argument_invalid.
template <typename Action>
Result<> AddressSpace::for_each_match(MemExtent& extent, Ipa base, const ExtentPart& part,
                                      Action action) {
    const PhysRange range = RT_TRY(resolve(extent, base, part));
    RT_FAIL_IF(!extent.is_ram() && find_device_mapping(extent, base) == nullptr,
               Error::argument_invalid);
    bool found = false;
    PhysRange rest = range;
    while (rest.size != 0) {
        const PhysRange run = extent.first_mappable(rest);
        if (run.size == 0 || (part.partial && run != range)) {
            break;
        }
        Stage2::Run window{base + (run.base - range.base), run};
        for (IpaRange match; window.phys.size != 0 && (match = next_match(window)).size != 0;) {
            RT_FAIL_IF(part.partial && match.size != range.size, Error::argument_invalid);
            RT_TRY(action(match));
            found = true;
            const std::uint64_t passed = match.end() - window.ipa;
            window = {match.end(), {window.phys.base + passed, window.phys.size - passed}};
        }
        rest = {run.end(), rest.end() - run.end()};
    }
    RT_FAIL_IF(!found, Error::argument_invalid);
    return {};
}

/// Takes a range out of the tables and uncounts what was mapped there.
Result<> AddressSpace::remove(IpaRange range) {
    Uncount uncount;
    return stage2_.unmap(range, uncount);
}

Result<> AddressSpace::unmap(MemExtent& extent, Ipa base, ExtentPart part) {
    const LockGuard guard(lock_);
    auto done = for_each_match(extent, base, part,
                               [this](IpaRange range) RT_NO_ANALYSIS { return remove(range); });
    if (done && !extent.is_ram()) {
        forget(*find_device_mapping(extent, base));
    }
    return done;
}

Result<> AddressSpace::update_access(MemExtent& extent, Ipa base, Access kernel, Access user,
                                     ExtentPart part) {
    RT_FAIL_IF(!access_within(kernel | user, extent.attributes().access), Error::denied);
    const LockGuard guard(lock_);
    return for_each_match(extent, base, part, [&](IpaRange range) RT_NO_ANALYSIS {
        return stage2_.protect(range, kernel, user);
    });
}

/// The record of a mapping of this extent, at `base` or anywhere.
AddressSpace::DeviceMapping* AddressSpace::find_device_mapping(const MemExtent& extent,
                                                               std::optional<Ipa> base) {
    for (DeviceMapping& mapping : device_mappings_) {
        if (mapping.extent == &extent && (!base || mapping.base == *base)) {
            return &mapping;
        }
    }
    return nullptr;
}

void AddressSpace::forget(DeviceMapping& mapping) {
    device_mappings_.remove(mapping);
    heap().destroy(&mapping);
}

/// Removes all mappings of an extent. It takes whole entries only, so it cannot fail.
void AddressSpace::remove_extent(MemExtent& extent) {
    const LockGuard guard(lock_);
    bool removed = true;
    if (extent.is_ram()) {
        const auto owned = [&](const Stage2::Mapping& leaf) {
            return extent.range().contains(leaf.phys) &&
                   ownership().owner_of(leaf.phys) == extent.owner_id();
        };
        for (IpaRange rest = Stage2::all(); removed && rest.size != 0;) {
            FirstStretch stretch(rest, owned);
            stage2_.visit_leaves(rest, stretch);
            const IpaRange found = stretch.found();
            if (found.size == 0) {
                break;
            }
            removed = remove(found).has_value();
            rest = {found.end(), rest.end() - found.end()};
        }
    } else {
        while (DeviceMapping* mapping = find_device_mapping(extent, std::nullopt)) {
            const auto done =
                for_each_match(extent, mapping->base, {},
                               [this](IpaRange range) RT_NO_ANALYSIS { return remove(range); });
            removed = removed && done.has_value();
            forget(*mapping);
        }
    }
    rt::ensure(removed, "a dying memory extent shares a stage-2 entry");
}

} // namespace hyp
