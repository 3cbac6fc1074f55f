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

} // namespace

void claim_memory(const Machine& machine) {
    for (const PhysRange& range : machine.platform.ram) {
        required(ownership().add_ram(range), "keep records of RAM");
    }
    for (const PhysRange& kept : {machine.memory.image, machine.memory.pool}) {
        ownership().reserve(kept);
        keep_from_vms(kept);
    }
    machine.platform.gic.for_each_range(keep_from_vms);
}

Ref<MemExtent> make_ram_extent(PhysRange range) {
    return required_active<MemExtent>(
        "make the memory extent of a range of RAM", range.base, range.size,
        ExtentAttributes{GH_ACCESS_RWX, ExtentMemoryType::any, ExtentKind::sparse});
}

Ref<MemExtent> make_resource_manager_extent(PhysRange range) {
    return required_active<MemExtent>(
        "make the Resource Manager's memory extent", range.base, range.size,
        ExtentAttributes{GH_ACCESS_RWX, ExtentMemoryType::cached, ExtentKind::basic});
}

Ref<MemExtent> make_device_extent() {
    const std::uint64_t everything = std::uint64_t{1} << physical_address_bits();
    return required_active<MemExtent>(
        "make the memory extent of all devices", PhysAddr{0}, everything,
        ExtentAttributes{GH_ACCESS_RW, ExtentMemoryType::any, ExtentKind::basic});
}

} // namespace hyp
