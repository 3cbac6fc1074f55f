// SPDX-License-Identifier: BSD-3-Clause
// RAM becomes known and owned by the root partition; root extents then take it from there.
#include "boot/root_memory.hpp"

#include "boot/required.hpp"
#include "memory/carveouts.hpp"
#include "memory/ownership.hpp"

#include <abi/hypercall.h>
#include <arch/stage2_attributes.hpp>

namespace hyp {

namespace {

void keep_from_vms(PhysRange range) {
    required(carveouts().add(range), "keep the hypervisor's own devices from VMs");
}

void claim_interrupt_controller(const GicInfo& gic) {
    keep_from_vms(gic.distributor);
    for (const PhysRange& region : gic.redistributors) {
        keep_from_vms(region);
    }
    for (const PhysRange& its : gic.its) {
        keep_from_vms(its);
    }
}

Ref<MemExtent> make_extent(PhysRange range, ExtentAttributes attributes, std::string_view what) {
    Ref<MemExtent> extent = required_object<MemExtent>();
    required(extent->configure(range.base, range.size, attributes), what);
    required(extent->activate(), what);
    return extent;
}

} // namespace

void claim_memory(const Machine& machine) {
    for (const PhysRange& range : machine.platform.ram) {
        required(ownership().add_ram(range), "keep records of RAM");
    }
    for (const PhysRange& kept : {machine.memory.image, machine.memory.pool}) {
        ownership().reserve(kept);
        keep_from_vms(kept);
    }
    claim_interrupt_controller(machine.platform.gic);
}

Ref<MemExtent> make_ram_extent(PhysRange range) {
    return make_extent(range, {GH_ACCESS_RWX, ExtentMemoryType::any, ExtentKind::sparse},
                       "make the memory extent of a range of RAM");
}

Ref<MemExtent> make_resource_manager_extent(PhysRange range) {
    return make_extent(range, {GH_ACCESS_RWX, ExtentMemoryType::cached, ExtentKind::basic},
                       "make the Resource Manager's memory extent");
}

Ref<MemExtent> make_device_extent() {
    const PhysRange everything{PhysAddr{0}, std::uint64_t{1} << physical_address_bits()};
    return make_extent(everything, {GH_ACCESS_RW, ExtentMemoryType::any, ExtentKind::basic},
                       "make the memory extent of all devices");
}

} // namespace hyp
