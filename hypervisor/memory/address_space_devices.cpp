// SPDX-License-Identifier: BSD-3-Clause
// What an address space answers: lookups, EL2's access to a VM's memory, VMMIO ranges and virtual
// devices.
#include "memory/address_space.hpp"

#include "heap/heap.hpp"

#include <arch/guest_state.hpp>
#include <arch/physmap.hpp>

#include <algorithm>
#include <cstring>

namespace hyp {

// Lookup.

namespace {

/// Joins leaves into one stretch as long as addresses go on and attributes are the same.
struct Stretch final : Stage2::LeafVisitor {
    Ipa start;
    std::uint64_t limit; // bytes
    PhysRange phys;
    MapAttributes attributes;

    Stretch(Ipa from, std::uint64_t size) : start(from), limit(size) {}

    bool visit(const Stage2::Mapping& leaf) override {
        const Ipa from = std::max(leaf.ipa, start);
        const std::uint64_t size = std::min(leaf.ipa + leaf.size, start + limit) - from;
        const PhysAddr at = leaf.phys + (from - leaf.ipa);
        if (from != start + phys.size) {
            return false; // a hole
        }
        if (phys.size == 0) {
            phys.base = at;
            attributes = leaf.attributes;
        } else if (at != phys.end() || leaf.attributes != attributes) {
            return false;
        }
        phys.size += size;
        return true;
    }
};

} // namespace

Result<AddressSpace::Found> AddressSpace::lookup(MemExtent& extent, Ipa base, std::uint64_t size) {
    RT_FAIL_IF(!is_active() || !extent.is_active(), Error::object_state);
    RT_FAIL_IF(!base.page_aligned() || !is_aligned(size, page_size), Error::argument_alignment);
    RT_TRY(Stage2::check_range({base, size}));
    const LockGuard guard(lock_);
    Stretch stretch(base, size);
    stage2_.visit_leaves({base, size}, stretch);
    RT_FAIL_IF(stretch.phys.size == 0, Error::address_invalid);
    const PhysAddr start = stretch.phys.base;
    const PhysAddr end = std::min(stretch.phys.end(), extent.range().end());
    const PhysRange mine = start < end && extent.range().contains(start)
                               ? extent.first_mappable({start, end - start})
                               : PhysRange{};
    RT_FAIL_IF(mine.size == 0 || mine.base != start, Error::not_owner);
    return Found{start - extent.range().base, mine.size, stretch.attributes};
}

bool AddressSpace::permits(Ipa ipa, Access access) {
    const LockGuard guard(lock_);
    const auto mapping = stage2_.lookup(ipa);
    return mapping && access_within(access, mapping->attributes.kernel | mapping->attributes.user);
}

// Access by EL2.

/// Calls `copy(void* memory, size)` for each piece of [ipa, ipa + size) within a page.
template <typename Copy>
Result<> AddressSpace::access_memory(Ipa ipa, std::uint64_t size, Access access, Copy copy) {
    RT_FAIL_IF(range_wraps(ipa.value, size), Error::address_invalid);
    const LockGuard guard(lock_);
    for (std::uint64_t done = 0; done < size;) {
        const Ipa at = ipa + done;
        const std::uint64_t piece = std::min(size - done, page_size - at.offset_in_page());
        const auto mapping = stage2_.lookup(at);
        RT_FAIL_IF(!mapping || is_device(mapping->attributes.type) ||
                       !access_within(access, mapping->attributes.kernel),
                   Error::address_invalid);
        const PhysAddr phys = mapping->phys + (at - mapping->ipa);
        if (!ownership().is_ram({phys, piece})) {
            return fail(Error::address_invalid); // EL2 sees RAM only
        }
        copy(phys_to_virt(phys), piece);
        done += piece;
    }
    return {};
}

std::optional<PhysAddr> AddressSpace::ram_at(Ipa ipa) {
    const LockGuard guard(lock_);
    const auto mapping = stage2_.lookup(ipa);
    if (!mapping) {
        return std::nullopt;
    }
    const PhysAddr phys = mapping->phys + (ipa - mapping->ipa);
    return ownership().is_ram({phys, 1}) ? std::optional(phys) : std::nullopt;
}

Result<> AddressSpace::read(Ipa from, std::span<std::byte> buffer) {
    std::byte* out = buffer.data();
    return access_memory(from, buffer.size(), GH_ACCESS_R,
                         [&out](const void* memory, std::uint64_t size) {
                             std::memcpy(out, memory, size);
                             out += size;
                         });
}

Result<> AddressSpace::write(Ipa to, std::span<const std::byte> bytes) {
    const std::byte* in = bytes.data();
    return access_memory(to, bytes.size(), GH_ACCESS_W, [&in](void* memory, std::uint64_t size) {
        std::memcpy(memory, in, size);
        in += size;
    });
}

bool AddressSpace::write_word(Ipa to, std::uint64_t value) {
    return access_memory(to, sizeof(value), GH_ACCESS_W,
                         [value](void* memory, std::uint64_t) {
                             __atomic_store_n(static_cast<std::uint64_t*>(memory), value,
                                              __ATOMIC_RELEASE);
                         })
        .has_value();
}

// Ranges emulated by a VMM.

Result<> AddressSpace::add_vmmio(IpaRange range) {
    RT_TRY(Stage2::check_range(range));
    const LockGuard guard(lock_);
    const auto used = std::span(vmmio_).first(vmmio_count_);
    if (std::any_of(used.begin(), used.end(),
                    [&](const IpaRange& other) { return other.overlaps(range); })) {
        return fail(Error::argument_invalid);
    }
    RT_FAIL_IF(vmmio_count_ == max_vmmio_ranges, Error::no_resources);
    vmmio_[vmmio_count_++] = range;
    return {};
}

Result<> AddressSpace::remove_vmmio(IpaRange range) {
    const LockGuard guard(lock_);
    const auto used = std::span(vmmio_).first(vmmio_count_);
    const auto found = std::find(used.begin(), used.end(), range);
    RT_FAIL_IF(found == used.end(), Error::argument_invalid);
    *found = used.back();
    --vmmio_count_;
    return {};
}

bool AddressSpace::is_vmmio(IpaRange range) {
    const LockGuard guard(lock_);
    const auto used = std::span(vmmio_).first(vmmio_count_);
    // Not std::any_of(), which is unrolled: there is one range, mostly.
    for (const IpaRange& other : used) {
        if (other.contains(range)) {
            return true;
        }
    }
    return false;
}

// Virtual devices.

struct AddressSpace::VdeviceSlot {
    std::atomic<VdeviceSlot*> next{nullptr};
    IpaRange range;
    Vdevice* device = nullptr;
    Ref<Object> keeper; // of which the device is a part
};

Result<> AddressSpace::attach_vdevice(Ref<Object> keeper, Vdevice& device, IpaRange range) {
    RT_FAIL_IF(!is_active(), Error::object_state);
    RT_TRY(Stage2::check_range(range));
    VdeviceSlot* slot = heap().create<VdeviceSlot>();
    RT_FAIL_IF(slot == nullptr, Error::no_memory);
    slot->range = range;
    slot->device = &device;
    slot->keeper = std::move(keeper);
    bool overlaps = false;
    {
        const LockGuard guard(lock_);
        std::atomic<VdeviceSlot*>* last = &vdevices_;
        std::uint64_t begin = range.base.value;
        std::uint64_t end = range.base.value + range.size;
        while (VdeviceSlot* other = last->load(std::memory_order_relaxed)) {
            overlaps = overlaps || other->range.overlaps(range);
            begin = std::min(begin, other->range.base.value);
            end = std::max(end, other->range.base.value + other->range.size);
            last = &other->next;
        }
        if (!overlaps) {
            last->store(slot, std::memory_order_release);
            vdevices_begin_.store(begin, std::memory_order_relaxed);
            vdevices_size_.store(end - begin, std::memory_order_relaxed);
        }
    }
    if (overlaps) {
        heap().destroy(slot);
        return fail(Error::busy);
    }
    return {};
}

bool AddressSpace::access_vdevice(Ipa ipa, MmioAccess& access) {
    const VdeviceSlot* slot = vdevices_.load(std::memory_order_acquire);
    while (slot != nullptr && !slot->range.contains(IpaRange{ipa, access.size})) {
        slot = slot->next.load(std::memory_order_acquire);
    }
    if (slot == nullptr) {
        return false;
    }
    access.offset = ipa - slot->range.base;
    // Its keeper stays as long as this address space.
    slot->device->access(access);
    return true;
}

/// The last reference is gone, so nobody else uses the list.
void AddressSpace::detach_vdevices() {
    VdeviceSlot* slot = vdevices_.exchange(nullptr);
    while (slot != nullptr) {
        VdeviceSlot* next = slot->next.load(std::memory_order_relaxed);
        heap().destroy(slot);
        slot = next;
    }
}

std::size_t AddressSpace::table_pages() {
    const LockGuard guard(lock_);
    return stage2_.table_pages();
}

} // namespace hyp
