// SPDX-License-Identifier: BSD-3-Clause
// The model's memory: mappings, extents, donation. RM's own address space is really mapped.
#include "testing/model_call.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>

namespace rm::testing {

void ModelHypervisor::unmap_page(Object& space, std::uint64_t ipa) {
    const auto found = space.pages.find(ipa);
    --map_count_[found->second.physical];
    space.pages.erase(found);
    if (is_own(space)) {
        std::byte* view = window_ + (ipa - window_ipa);
        check(mmap(view, page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == view,
              "mmap");
    }
}

rt::Result<Hypervisor::Outcome> ModelHypervisor::map(const Arguments& x) {
    TRY(space, lookup(x[0], GH_PARTITION_CREATE_ADDRSPACE, GH_RIGHT_ADDRSPACE_MAP));
    TRY(extent, lookup(x[1], GH_PARTITION_CREATE_MEMEXTENT, GH_RIGHT_MEMEXTENT_MAP));
    const bool partial = (x[4] & GH_MAP_FLAG_PARTIAL) != 0;
    if (!space->active || !extent->active || (partial && !extent->sparse)) {
        return rt::fail(partial ? rt::Error::memextent_type : rt::Error::object_state);
    }
    const std::uint64_t offset = partial ? x[5] : 0;
    const std::uint64_t size = partial ? x[6] : extent->size;
    if (x[2] % page != 0 || offset % page != 0 || size % page != 0) {
        return rt::fail(rt::Error::argument_alignment);
    }
    if (size == 0 || offset + size > extent->size || x[2] + size > (std::uint64_t{1} << 48)) {
        return rt::fail(rt::Error::argument_invalid);
    }
    longest_change = std::max(longest_change, size);
    if (!extent->sparse || size > (64U << 20)) { // devices, the primary VM's RAM: too large to list
        return Outcome{};
    }
    for (std::uint64_t i = 0; i < size; i += page) {
        const std::uint64_t physical_page = extent->base + offset + i;
        const auto owner = owner_.find(physical_page);
        const bool owned = owner == owner_.end() ? !extent->parent : owner->second == extent.get();
        if (!owned) {
            return rt::fail(rt::Error::not_owner);
        }
        if (space->pages.contains(x[2] + i)) {
            return rt::fail(rt::Error::existing_mapping);
        }
    }
    for (std::uint64_t i = 0; i < size; i += page) {
        const std::uint64_t physical_page = extent->base + offset + i;
        space->pages[x[2] + i] = {physical_page, x[3], extent.get()};
        ++map_count_[physical_page];
        if (is_own(*space)) {
            physical(physical_page);
            const bool writable = (x[3] & (GH_ACCESS_W << GH_MAP_ATTR_KERNEL_SHIFT)) != 0;
            std::byte* view = window_ + (x[2] + i - window_ipa);
            check(mmap(view, page, writable ? PROT_READ | PROT_WRITE : PROT_READ,
                       MAP_SHARED | MAP_FIXED, memory_file_,
                       static_cast<off_t>(file_offset_[physical_page])) == view,
                  "mmap");
        }
    }
    return Outcome{};
}

rt::Result<Hypervisor::Outcome> ModelHypervisor::unmap(const Arguments& x) {
    TRY(space, lookup(x[0], GH_PARTITION_CREATE_ADDRSPACE, GH_RIGHT_ADDRSPACE_MAP));
    TRY(extent, lookup(x[1], GH_PARTITION_CREATE_MEMEXTENT, GH_RIGHT_MEMEXTENT_MAP));
    longest_change = std::max(longest_change, x[5]);
    const bool big = space->pages.empty() || space->vmid == 3; // see map()
    for (std::uint64_t i = 0; i < x[5]; i += page) {
        const auto found = space->pages.find(x[2] + i);
        if (found == space->pages.end()) {
            if (big) {
                continue;
            }
            return rt::fail(rt::Error::argument_invalid);
        }
        if (found->second.extent != extent.get() ||
            found->second.physical != extent->base + x[4] + i) {
            return rt::fail(rt::Error::argument_invalid);
        }
        unmap_page(*space, x[2] + i);
    }
    return Outcome{};
}

rt::Result<Hypervisor::Outcome> ModelHypervisor::extent_call(unsigned number, const Arguments& x) {
    if (number == GH_MEMEXTENT_MODIFY) {
        return modify(x);
    }
    if (number == GH_MEMEXTENT_DONATE) {
        return donate(x);
    }
    TRY(child, lookup(x[0], GH_PARTITION_CREATE_MEMEXTENT, 0));
    TRY(parent, lookup(x[1], GH_PARTITION_CREATE_MEMEXTENT, GH_RIGHT_MEMEXTENT_DERIVE));
    if (child->active || child->configured || !parent->active) {
        return rt::fail(rt::Error::object_state);
    }
    if (x[2] + x[3] > parent->size || x[3] == 0) {
        return rt::fail(rt::Error::argument_invalid);
    }
    child->configured = true;
    child->parent = parent;
    child->base = parent->base + x[2];
    child->size = x[3];
    child->sparse = ((x[4] >> GH_MEMEXTENT_ATTR_TYPE_SHIFT) & 3) == GH_MEMEXTENT_TYPE_SPARSE;
    return Outcome{};
}

rt::Result<Hypervisor::Outcome> ModelHypervisor::modify(const Arguments& x) {
    TRY(extent, lookup(x[0], GH_PARTITION_CREATE_MEMEXTENT, 0));
    const unsigned operation = x[1] & 0xff;
    const bool nosync = (x[1] & GH_MEMEXTENT_MODIFY_NOSYNC) != 0;
    if (operation == GH_MEMEXTENT_MODIFY_UNMAP_ALL) {
        for (const auto& space : all(ObjectType::addrspace)) {
            std::vector<std::uint64_t> pages;
            for (const auto& [ipa, mapping] : space->pages) {
                if (mapping.extent == extent.get()) {
                    pages.push_back(ipa);
                }
            }
            for (const std::uint64_t ipa : pages) {
                unmap_page(*space, ipa);
            }
        }
        return Outcome{};
    }
    if (!nosync || x[2] + x[3] > extent->size) {
        return rt::fail(rt::Error::argument_invalid);
    }
    for (std::uint64_t i = 0; i < x[3]; i += page) {
        const std::uint64_t address = extent->base + x[2] + i;
        const auto owner = owner_.find(address);
        const bool owned = owner == owner_.end() ? !extent->parent : owner->second == extent.get();
        if (!owned) {
            return rt::fail(rt::Error::not_owner);
        }
        if (operation == GH_MEMEXTENT_MODIFY_ZERO_RANGE) {
            std::memset(physical(address), 0, page);
        } else if (operation == GH_MEMEXTENT_MODIFY_CACHE_CLEAN_RANGE) {
            cleaned.insert(address);
        }
    }
    return Outcome{};
}

rt::Result<Hypervisor::Outcome> ModelHypervisor::donate(const Arguments& x) {
    TRY(from, lookup(x[1], GH_PARTITION_CREATE_MEMEXTENT, GH_RIGHT_MEMEXTENT_DONATE));
    TRY(to, lookup(x[2], GH_PARTITION_CREATE_MEMEXTENT, GH_RIGHT_MEMEXTENT_DONATE));
    const bool down = x[0] == GH_MEMEXTENT_DONATE_TO_CHILD;
    const bool related = down ? to->parent == from : from->parent == to;
    if (!related || !from->active || !to->active || x[5] != 0) {
        return rt::fail(rt::Error::argument_invalid);
    }
    for (std::uint64_t i = 0; i < x[4]; i += page) {
        const std::uint64_t address = from->base + x[3] + i;
        const auto owner = owner_.find(address);
        const bool owned = owner == owner_.end() ? !from->parent : owner->second == from.get();
        if (!owned) {
            return rt::fail(rt::Error::not_owner);
        }
        if (map_count_[address] != 0) {
            return rt::fail(rt::Error::busy);
        }
    }
    for (std::uint64_t i = 0; i < x[4]; i += page) {
        const std::uint64_t address = from->base + x[3] + i;
        if (down) {
            owner_[address] = to.get();
        } else {
            owner_.erase(address);
        }
    }
    return Outcome{};
}

} // namespace rm::testing
