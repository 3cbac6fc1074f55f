// SPDX-License-Identifier: BSD-3-Clause
// Gives all memory of the machine its first owner.
#pragma once

#include "boot/machine.hpp"
#include "memory/memextent.hpp"
#include "object/ref.hpp"

namespace hyp {

/// Makes every page of RAM known to the ownership database, and keeps image, pool and the interrupt
/// controller away from all VMs. Once, before any memory extent is made. Panics when memory is
/// short.
void claim_memory(const Machine& machine);

/// A root extent over one range of RAM that VMs may have (sparse, all rights).
Ref<MemExtent> make_ram_extent(PhysRange range);
/// The Resource Manager's own memory (basic).
Ref<MemExtent> make_resource_manager_extent(PhysRange range);
/// Every physical address that is neither RAM nor claimed (basic, device memory of any type).
Ref<MemExtent> make_device_extent();

} // namespace hyp
