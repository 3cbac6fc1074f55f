// SPDX-License-Identifier: BSD-3-Clause
// A VM's address space: its stage-2 tables, virtual devices and ranges emulated by a VMM.
#pragma once

#include "heap/address.hpp"
#include "heap/names.hpp"
#include "memory/memextent.hpp"
#include "memory/ownership.hpp"
#include "memory/stage2.hpp"
#include "memory/vdevice.hpp"
#include "object/object.hpp"
#include "object/ref.hpp"

#include <arch/guest_state.hpp>
#include <arch/physmap.hpp>
#include <runtime/bytes.hpp>
#include <runtime/intrusive_list.hpp>
#include <runtime/relaxed.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace hyp {

struct AddressSpaceTag;

/// Which part of an extent a call is about: all of it, or (sparse extents) offset and size.
struct ExtentPart {
    bool partial = false;
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
};

/// Lock order: list of address spaces -> lock_ -> ownership -> heap. All calls but configure need
/// an active object (else object_state) and are safe from any CPU.
///
/// A RAM page mapped here is counted in Ownership, so that it cannot change owner; a device extent
/// mapped here is remembered by address and forgotten by MemExtent's destruction.
/// A CPU may take a stage-2 fault while another splits or joins a block under it: on a translation
/// fault, ask permits() and retry the access if it says yes.
class AddressSpace final : public Object, public rt::ListNode<AddressSpaceTag> {
public:
    static constexpr ObjectType type = ObjectType::address_space;
    static constexpr std::size_t max_vmmio_ranges = 32;

    AddressSpace() : Object(type) {}

    /// The VM's architectural VMID, a 16-bit label; the hardware VMID is chosen at activation.
    /// Errors: argument_invalid, object_state.
    Result<> configure(std::uint64_t vmid) RT_EXCLUDES(config_lock);
    /// From activation on the VM sees `extent`, whole, at `base`, read-only, with abi/info_area.h
    /// at its start. Errors: object_state (already active, or the extent is not), address_invalid
    /// (the base), argument_invalid (an extent that is no basic one of RAM).
    Result<> configure_info_area(Ref<MemExtent> extent, Ipa base) RT_EXCLUDES(config_lock);
    [[nodiscard]] std::uint16_t vmid() const { return vmid_; }

    /// Maps (a part of) an extent so that its first byte of the part is at `base`. A whole extent
    /// is mapped without the pages it does not own and without carve-outs; a part must be owned
    /// entirely. Nothing is changed on error. Errors: argument_alignment, argument_size,
    /// argument_invalid, address_overflow, address_invalid, existing_mapping, denied (access the
    /// extent does not allow), memextent_type (part of a basic extent), not_owner, mappings_full,
    /// no_memory.
    Result<> map(MemExtent& extent, Ipa base, MapAttributes attributes, ExtentPart part)
        RT_EXCLUDES(lock_);
    /// The reverse. A part must be mapped there entirely (else argument_invalid); of a whole
    /// extent at least something must be.
    Result<> unmap(MemExtent& extent, Ipa base, ExtentPart part) RT_EXCLUDES(lock_);
    /// Changes access rights of an existing mapping, within what the extent allows.
    Result<> update_access(MemExtent& extent, Ipa base, Access kernel, Access user, ExtentPart part)
        RT_EXCLUDES(lock_);

    struct Found {
        std::uint64_t offset = 0; // within the extent
        std::uint64_t size = 0;   // how far the mapping is uniform, at most what was asked
        MapAttributes attributes;
    };
    /// What of `extent` is mapped from `base` on. Errors: argument_alignment, argument_size,
    /// address_overflow, address_invalid (not mapped), not_owner (memory of another extent).
    Result<Found> lookup(MemExtent& extent, Ipa base, std::uint64_t size) RT_EXCLUDES(lock_);

    /// True if a VM's access of this kind to `ipa` would succeed now.
    [[nodiscard]] bool permits(Ipa ipa, Access access) RT_EXCLUDES(lock_);
    /// The VM's memory as EL2 reads and writes it for a hypercall; pages may not vanish meanwhile.
    /// Error: address_invalid (not mapped as normal memory, or access not permitted); then the
    /// buffer, or the memory, may have been filled in part.
    /// The first two are for the VM that is loaded on this CPU, by its virtual address within one
    /// page: false if the CPU's own translation finds no RAM there, which the others then judge.
    bool read_loaded(VirtAddr from, std::span<std::byte> buffer) RT_EXCLUDES(lock_) {
        return with_loaded_ram(from, buffer.size(), false, [&](const void* memory) {
            rt::copy_bytes(buffer.data(), memory, buffer.size());
        });
    }
    bool write_loaded(VirtAddr to, std::span<const std::byte> bytes) RT_EXCLUDES(lock_) {
        return with_loaded_ram(to, bytes.size(), true, [&](void* memory) {
            rt::copy_bytes(memory, bytes.data(), bytes.size());
        });
    }
    Result<> read(Ipa from, std::span<std::byte> buffer) RT_EXCLUDES(lock_);
    Result<> write(Ipa to, std::span<const std::byte> bytes) RT_EXCLUDES(lock_);
    /// Likewise, as one store to an address that is a multiple of 8. False: not permitted.
    bool write_word(Ipa to, std::uint64_t value) RT_EXCLUDES(lock_);

    /// The RAM at `ipa`, as long as it stays mapped; nothing if none is.
    std::optional<PhysAddr> ram_at(Ipa ipa) RT_EXCLUDES(lock_);

    /// Ranges in which faults go to an unprivileged VMM. Errors: address_overflow,
    /// address_invalid, argument_invalid (overlap; no exact match), argument_size, no_resources.
    Result<> add_vmmio(IpaRange range) RT_EXCLUDES(lock_);
    Result<> remove_vmmio(IpaRange range) RT_EXCLUDES(lock_);
    /// True if all of it lies in one range.
    [[nodiscard]] bool is_vmmio(IpaRange range) RT_EXCLUDES(lock_);

    /// Lets `device`, which lives as long as `keeper`, answer faults in a range. Errors:
    /// argument_size, address_overflow, address_invalid, busy (overlaps a device), no_memory.
    Result<> attach_vdevice(Ref<Object> keeper, Vdevice& device, IpaRange range) RT_EXCLUDES(lock_);
    /// False: no virtual device answers at `ipa`. Without the lock: a vCPU that accesses a device
    /// while it is being attached may find it or not.
    [[nodiscard]] bool may_be_vdevice(Ipa ipa) const {
        return ipa.value - rt::load_relaxed(vdevices_begin_) < rt::load_relaxed(vdevices_size_);
    }
    /// Gives an access to the device at `ipa` (access.offset is filled in here). False: there is
    /// none.
    HYP_CALLED_BY_NAME bool access_vdevice(Ipa ipa, MmioAccess& access);

    // Fixed while active: what a vCPU loads to run here.
    [[nodiscard]] std::uint64_t vttbr() const { return stage2_.vttbr(); }
    static std::uint64_t vtcr() { return Stage2::vtcr(); }
    [[nodiscard]] std::size_t table_pages() RT_EXCLUDES(lock_);

private:
    struct DeviceMapping;
    struct VdeviceSlot;
    struct DeviceTag;
    friend void unmap_from_all_address_spaces(MemExtent& extent);

    ~AddressSpace() override = default;
    Result<> on_activate() override;
    void on_destroy() override;

    Result<> map_info_area() RT_EXCLUDES(lock_);
    Result<PhysRange> resolve(const MemExtent& extent, Ipa base, const ExtentPart& part) const;
    Result<> map_runs(MemExtent& extent, std::span<const Stage2::Run> runs,
                      MapAttributes attributes) RT_REQUIRES(lock_);
    IpaRange next_match(const Stage2::Run& window) RT_REQUIRES(lock_);
    template <typename Action>
    Result<> for_each_match(MemExtent& extent, Ipa base, const ExtentPart& part, Action action)
        RT_REQUIRES(lock_);
    Result<> remove(IpaRange range) RT_REQUIRES(lock_);
    void remove_extent(MemExtent& extent) RT_EXCLUDES(lock_);
    DeviceMapping* find_device_mapping(const MemExtent& extent, std::optional<Ipa> base)
        RT_REQUIRES(lock_);
    void forget(DeviceMapping& mapping) RT_REQUIRES(lock_);
    /// Calls `copy` with EL2's view of RAM that the loaded VM may access; false: it may not.
    template <typename Copy>
    [[gnu::always_inline]] bool with_loaded_ram(VirtAddr address, std::uint64_t size, bool write,
                                                Copy copy) RT_EXCLUDES(lock_) {
        const LockGuard guard(lock_);
        const PhysAddr phys = arch::translate_guest_fully(address, write);
        if (!ownership().is_ram({phys, size})) {
            return false;
        }
        copy(phys_to_virt(phys));
        return true;
    }
    template <typename Copy>
    Result<> access_memory(Ipa ipa, std::uint64_t size, Access access, Copy copy)
        RT_EXCLUDES(lock_);
    void detach_vdevices();

    Spinlock lock_;
    Stage2 stage2_; // changes under lock_; vttbr is fixed
    std::uint16_t vmid_ = 0;
    std::uint8_t hardware_vmid_ = 0;
    bool configured_ = false;
    Ref<MemExtent> info_area_;
    Ipa info_base_;
    rt::IntrusiveList<DeviceMapping, DeviceTag> device_mappings_ RT_GUARDED_BY(lock_);
    // Grows under lock_, until the address space ends: faults walk it without.
    std::atomic<VdeviceSlot*> vdevices_{nullptr};
    std::atomic<std::uint64_t> vdevices_begin_{0}; // of all together; change under lock_
    std::atomic<std::uint64_t> vdevices_size_{0};
    std::array<IpaRange, max_vmmio_ranges> vmmio_ RT_GUARDED_BY(lock_){};
    std::size_t vmmio_count_ RT_GUARDED_BY(lock_) = 0;
};

/// Removes an extent from all active address spaces; MemExtent uses it.
void unmap_from_all_address_spaces(MemExtent& extent);

} // namespace hyp
