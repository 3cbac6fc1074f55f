// SPDX-License-Identifier: BSD-3-Clause
// The rules of memory: who owns a page, where it is mapped, what becomes of its content.
#include "find.hpp"
#include "model.hpp"

#include <abi/error.h>
#include <abi/hypercall.h>
#include <abi/rights.h>

#include <algorithm>

namespace model {

namespace {

constexpr Word ipa_limit = Word{1} << 40; // of the pretended CPUs
constexpr std::size_t runs_of_one_call = 64;
constexpr unsigned type_writeback = 15;
constexpr unsigned type_noncacheable = 5;
constexpr unsigned type_device_last = 3;

/// Access word of a mapping: kernel and user rights; user 0 means the same as kernel's.
std::int64_t check_access(Word word) {
    const Word known = (Word{7} << GH_MAP_ATTR_USER_SHIFT) | (Word{7} << GH_MAP_ATTR_KERNEL_SHIFT);
    const bool bad = (word & ~known) != 0 || (word >> GH_MAP_ATTR_KERNEL_SHIFT & 7) == 0;
    return bad ? GH_ERROR_ARG_INVAL : 0;
}

unsigned kernel_access(Word word) {
    return static_cast<unsigned>(word >> GH_MAP_ATTR_KERNEL_SHIFT & 7);
}

} // namespace

std::int64_t Machine::may_transfer(std::size_t first, std::size_t count, const Extent* from) const {
    const auto begin = pages.begin() + static_cast<std::ptrdiff_t>(first);
    const auto end = begin + static_cast<std::ptrdiff_t>(count);
    if (std::any_of(begin, end, [&](const Page& page) { return page.owner != from; })) {
        return GH_ERROR_MEMDB_NOT_OWNER;
    }
    return std::any_of(begin, end, [](const Page& page) { return page.mappings != 0; })
               ? GH_ERROR_BUSY
               : 0;
}

void Machine::transfer(std::size_t first, std::size_t count, Extent* to) {
    for (std::size_t i = first; i < first + count; ++i) {
        pages[i].owner = to;
    }
}

void Machine::unmap_leaf(Space& space, Word ipa_page) {
    const auto leaf = space.leaves.find(ipa_page);
    --pages[leaf->second.page].mappings;
    space.leaves.erase(leaf);
}

void Machine::unmap_everywhere(const Extent& extent) {
    for (Space* space : spaces) {
        std::vector<Word> gone;
        for (const auto& [at, leaf] : space->leaves) {
            if (pages[leaf.page].owner == &extent) {
                gone.push_back(at);
            }
        }
        for (const Word at : gone) {
            unmap_leaf(*space, at);
        }
    }
}

Machine::Part Machine::part_of(const Extent& extent, Word offset, Word size) {
    if (offset % page_size != 0 || size % page_size != 0) {
        return {GH_ERROR_ARG_ALIGN};
    }
    if (size == 0 || offset + size < offset) {
        return {GH_ERROR_ARG_SIZE};
    }
    if (offset + size > extent.count * page_size) {
        return {GH_ERROR_ARG_INVAL};
    }
    return {0, extent.first + offset / page_size, size / page_size};
}

/// For calls about an address space.
Machine::Part Machine::part_of(const Extent& extent, Word base, Word flags, Word offset,
                               Word size) {
    const bool partial = (flags & GH_MAP_FLAG_PARTIAL) != 0;
    if (partial && !extent.sparse) {
        return {GH_ERROR_MEMEXTENT_TYPE};
    }
    Part part = partial ? part_of(extent, offset, size) : Part{0, extent.first, extent.count};
    if (part.error == 0 && base % page_size != 0) {
        part.error = GH_ERROR_ARG_ALIGN;
    }
    if (part.error == 0 && base + part.count * page_size < base) {
        part.error = GH_ERROR_ADDR_OVFL;
    }
    if (part.error == 0 && base + part.count * page_size > ipa_limit) {
        part.error = GH_ERROR_ADDR_INVAL;
    }
    return part;
}

Answer Machine::space_configure(Caller& caller, Word cap, Word vmid, Word reserved) {
    if (reserved != 0) {
        return refuse(GH_ERROR_ARG_INVAL);
    }
    const auto found = find<Space>(caller, cap, GH_RIGHT_OBJECT_ACTIVATE);
    if (found.error != 0) {
        return refuse(found.error);
    }
    if (found.object->active) {
        return refuse(GH_ERROR_OBJECT_STATE);
    }
    if (vmid > 0xffff) {
        return refuse(GH_ERROR_ARG_INVAL);
    }
    found.object->configured = true;
    return {};
}

Answer Machine::derive(Caller& caller, Word cap, Word parent_cap, Word offset, Word size,
                       Word attributes, Word reserved) {
    if (reserved != 0) {
        return refuse(GH_ERROR_ARG_INVAL);
    }
    const auto found = find<Extent>(caller, cap, GH_RIGHT_OBJECT_ACTIVATE);
    if (found.error != 0) {
        return refuse(found.error);
    }
    const auto above = find<Extent>(caller, parent_cap, GH_RIGHT_MEMEXTENT_DERIVE);
    if (above.error != 0) {
        return refuse(above.error);
    }
    Extent& extent = *found.object;
    const Extent& parent = *above.object;
    const auto access = static_cast<unsigned>(attributes & 7);
    const auto type = static_cast<unsigned>(attributes >> GH_MEMEXTENT_ATTR_MEMTYPE_SHIFT & 3);
    const Word kind = attributes >> GH_MEMEXTENT_ATTR_TYPE_SHIFT & 3;
    const Word known = 7 | (Word{3} << GH_MEMEXTENT_ATTR_MEMTYPE_SHIFT) |
                       (Word{3} << GH_MEMEXTENT_ATTR_TYPE_SHIFT);
    if ((attributes & ~known) != 0 || kind > GH_MEMEXTENT_TYPE_SPARSE) {
        return refuse(GH_ERROR_ARG_INVAL);
    }
    if (extent.active || !parent.active) {
        return refuse(GH_ERROR_OBJECT_STATE);
    }
    if (part_of(parent, offset, size).error != 0) {
        return refuse(GH_ERROR_ARG_INVAL);
    }
    if (!parent.sparse) {
        return refuse(GH_ERROR_MEMEXTENT_TYPE);
    }
    const bool type_within = parent.type == GH_MEMEXTENT_MEMTYPE_ANY || parent.type == type;
    if ((access & ~parent.access) != 0 || !type_within) {
        return refuse(GH_ERROR_DENIED);
    }
    extent.first = parent.first + offset / page_size;
    extent.count = size / page_size;
    extent.access = access;
    extent.type = type;
    extent.sparse = kind == GH_MEMEXTENT_TYPE_SPARSE;
    extent.parent = above.object;
    extent.configured = true;
    return {};
}

Answer Machine::donate(Caller& caller, Word options, Word from_cap, Word to_cap, Word offset,
                       Word size, Word reserved) {
    if (reserved != 0 || options > GH_MEMEXTENT_DONATE_TO_SIBLING) {
        return refuse(GH_ERROR_ARG_INVAL);
    }
    const bool to_child = options == GH_MEMEXTENT_DONATE_TO_CHILD;
    const Word parent_cap = to_child ? from_cap : to_cap;
    if (options != GH_MEMEXTENT_DONATE_TO_SIBLING &&
        find<Extent>(caller, parent_cap, 0).error == GH_ERROR_CSPACE_WRONG_OBJ_TYPE) {
        return donate_with_partition(caller, parent_cap, to_child ? to_cap : from_cap, to_child,
                                     offset, size);
    }
    const auto giver = find<Extent>(caller, from_cap, GH_RIGHT_MEMEXTENT_DONATE);
    const auto taker = find<Extent>(caller, to_cap, GH_RIGHT_MEMEXTENT_DONATE);
    if (giver.error != 0 || taker.error != 0) {
        return refuse(giver.error != 0 ? giver.error : taker.error);
    }
    const Extent& from = *giver.object;
    Extent& to = *taker.object;
    if (!from.active || !to.active) {
        return refuse(GH_ERROR_OBJECT_STATE);
    }
    if (!from.sparse || !to.sparse) {
        return refuse(GH_ERROR_MEMEXTENT_TYPE);
    }
    const bool siblings = from.parent && from.parent == to.parent && &from != &to;
    const bool related = options == GH_MEMEXTENT_DONATE_TO_CHILD    ? to.parent.get() == &from
                         : options == GH_MEMEXTENT_DONATE_TO_PARENT ? from.parent.get() == &to
                                                                    : siblings;
    if (!related) {
        return refuse(GH_ERROR_ARG_INVAL);
    }
    const Part part = part_of(from, offset, size);
    if (part.error != 0) {
        return refuse(part.error);
    }
    if (part.first < to.first || part.first + part.count > to.first + to.count) {
        return refuse(GH_ERROR_ARG_INVAL);
    }
    if (const auto error = may_transfer(part.first, part.count, &from); error != 0) {
        return refuse(error);
    }
    transfer(part.first, part.count, &to);
    for (std::size_t i = part.first; i < part.first + part.count; ++i) {
        pages[i].touched = options == GH_MEMEXTENT_DONATE_TO_CHILD    ? false
                           : options == GH_MEMEXTENT_DONATE_TO_PARENT ? true
                                                                      : pages[i].touched;
    }
    return {};
}

/// The one partition is the parent of extents that have none.
Answer Machine::donate_with_partition(Caller& caller, Word partition, Word cap, bool to_extent,
                                      Word offset, Word size) {
    const auto owner =
        find_kind(*caller.cspace, partition, GH_RIGHT_PARTITION_DONATE, Kind::partition);
    if (owner.error != 0) {
        return refuse(owner.error);
    }
    const auto found = find<Extent>(caller, cap, GH_RIGHT_MEMEXTENT_DONATE);
    if (found.error == GH_ERROR_CSPACE_WRONG_OBJ_TYPE) {
        const auto other =
            find_kind(*caller.cspace, cap, GH_RIGHT_PARTITION_DONATE, Kind::partition);
        return refuse(other.error != 0 ? other.error : GH_ERROR_ARG_INVAL); // itself
    }
    if (found.error != 0) {
        return refuse(found.error);
    }
    Extent& extent = *found.object;
    if (!extent.active) {
        return refuse(GH_ERROR_OBJECT_STATE);
    }
    if (!extent.sparse) {
        return refuse(GH_ERROR_MEMEXTENT_TYPE);
    }
    if (extent.parent) {
        return refuse(GH_ERROR_ARG_INVAL);
    }
    const Part part = part_of(extent, offset, size);
    if (part.error != 0) {
        return refuse(part.error);
    }
    if (const auto error = may_transfer(part.first, part.count, to_extent ? nullptr : &extent);
        error != 0) {
        return refuse(error);
    }
    transfer(part.first, part.count, to_extent ? &extent : nullptr);
    for (std::size_t i = part.first; i < part.first + part.count; ++i) {
        pages[i].touched = !to_extent;
    }
    return {};
}

Answer Machine::modify(Caller& caller, Word cap, Word operation, Word offset, Word size) {
    const auto found = find_active<Extent>(caller, cap, GH_RIGHT_MEMEXTENT_MAP);
    if (found.error != 0) {
        return refuse(found.error);
    }
    switch (operation) {
    case GH_MEMEXTENT_MODIFY_UNMAP_ALL:
        unmap_everywhere(*found.object);
        return {};
    case GH_MEMEXTENT_MODIFY_ZERO_RANGE | GH_MEMEXTENT_MODIFY_NOSYNC:
        break;
    default:
        return refuse(GH_ERROR_ARG_INVAL);
    }
    const Part part = part_of(*found.object, offset, size);
    if (part.error != 0) {
        return refuse(part.error);
    }
    for (std::size_t i = part.first; i < part.first + part.count; ++i) {
        if (pages[i].owner == found.object.get()) {
            pages[i].content = {};
            pages[i].touched = true;
        }
    }
    return {};
}

Answer Machine::map(Caller& caller, Word space_cap, Word extent_cap, Word base, Word attributes,
                    Word flags, Word offset, Word size) {
    const auto into = find_active<Space>(caller, space_cap, GH_RIGHT_ADDRSPACE_MAP);
    if (into.error != 0) {
        return refuse(into.error);
    }
    const auto found = find_active<Extent>(caller, extent_cap, GH_RIGHT_MEMEXTENT_MAP);
    if (found.error != 0) {
        return refuse(found.error);
    }
    const Extent& extent = *found.object;
    const Word type_field = Word{0xff} << GH_MAP_ATTR_MEMTYPE_SHIFT;
    auto type = static_cast<unsigned>((attributes & type_field) >> GH_MAP_ATTR_MEMTYPE_SHIFT);
    const bool known_type =
        type <= type_device_last || type == type_noncacheable || type == type_writeback;
    if ((flags & ~Word{GH_MAP_FLAG_PARTIAL | GH_MAP_FLAG_NOSYNC}) != 0 || !known_type ||
        check_access(attributes & ~type_field) != 0) {
        return refuse(GH_ERROR_ARG_INVAL);
    }
    const Part part = part_of(extent, base, flags, offset, size);
    if (part.error != 0) {
        return refuse(part.error);
    }
    const unsigned access = kernel_access(attributes);
    if ((access & ~extent.access) != 0 ||
        (extent.type == GH_MEMEXTENT_MEMTYPE_DEVICE && type > type_device_last)) {
        return refuse(GH_ERROR_DENIED);
    }
    type = extent.type == GH_MEMEXTENT_MEMTYPE_CACHED     ? type_writeback
           : extent.type == GH_MEMEXTENT_MEMTYPE_UNCACHED ? type_noncacheable
                                                          : type;
    std::size_t owned = 0, runs = 0;
    bool exists = false;
    for (std::size_t i = 0; i < part.count; ++i) {
        const bool mine = pages[part.first + i].owner == &extent;
        const bool continues = i != 0 && pages[part.first + i - 1].owner == &extent;
        owned += mine ? 1 : 0;
        runs += mine && !continues ? 1 : 0;
        exists = exists || (mine && into.object->leaves.contains(base / page_size + i));
    }
    if (runs > runs_of_one_call) {
        return refuse(GH_ERROR_MEMEXTENT_MAPPINGS_FULL);
    }
    if (owned == 0 || ((flags & GH_MAP_FLAG_PARTIAL) != 0 && owned != part.count)) {
        return refuse(GH_ERROR_MEMDB_NOT_OWNER);
    }
    for (std::size_t i = 0; i < part.count; ++i) {
        Page& page = pages[part.first + i];
        if (page.owner == &extent) {
            page.touched = true; // even if the call fails now
            if (!exists) {
                into.object->leaves[base / page_size + i] = {part.first + i, access, type};
                ++page.mappings;
            }
        }
    }
    return refuse(exists ? GH_ERROR_EXISTING_MAPPING : 0);
}

/// Where the part's pages, as far as the extent owns them, are mapped at their place. Of a part all
/// must be, of a whole extent something; else nothing is returned.
std::vector<Word> Machine::matches(const Space& space, const Extent& extent, Word base,
                                   const Part& part, bool partial) const {
    std::vector<Word> found;
    for (std::size_t i = 0; i < part.count; ++i) {
        const Word at = base / page_size + i;
        const auto leaf = space.leaves.find(at);
        if (pages[part.first + i].owner == &extent && leaf != space.leaves.end() &&
            leaf->second.page == part.first + i) {
            found.push_back(at);
        }
    }
    if (partial && found.size() != part.count) {
        found.clear();
    }
    return found;
}

Answer Machine::unmap(Caller& caller, Word space_cap, Word extent_cap, Word base, Word flags,
                      Word offset, Word size) {
    const auto from = find_active<Space>(caller, space_cap, GH_RIGHT_ADDRSPACE_MAP);
    if (from.error != 0) {
        return refuse(from.error);
    }
    const auto found = find_active<Extent>(caller, extent_cap, GH_RIGHT_MEMEXTENT_MAP);
    if (found.error != 0) {
        return refuse(found.error);
    }
    if ((flags & ~Word{GH_MAP_FLAG_PARTIAL | GH_MAP_FLAG_NOSYNC}) != 0) {
        return refuse(GH_ERROR_ARG_INVAL);
    }
    const Part part = part_of(*found.object, base, flags, offset, size);
    if (part.error != 0) {
        return refuse(part.error);
    }
    const auto gone =
        matches(*from.object, *found.object, base, part, (flags & GH_MAP_FLAG_PARTIAL) != 0);
    for (const Word at : gone) {
        unmap_leaf(*from.object, at);
    }
    return refuse(gone.empty() ? GH_ERROR_ARG_INVAL : 0);
}

Answer Machine::update(Caller& caller, Word space_cap, Word extent_cap, Word base, Word access,
                       Word flags, Word offset, Word size) {
    const auto in = find_active<Space>(caller, space_cap, GH_RIGHT_ADDRSPACE_MAP);
    if (in.error != 0) {
        return refuse(in.error);
    }
    const auto found = find_active<Extent>(caller, extent_cap, GH_RIGHT_MEMEXTENT_MAP);
    if (found.error != 0) {
        return refuse(found.error);
    }
    if ((flags & ~Word{GH_MAP_FLAG_PARTIAL | GH_MAP_FLAG_NOSYNC}) != 0 ||
        check_access(access) != 0) {
        return refuse(GH_ERROR_ARG_INVAL);
    }
    if ((kernel_access(access) & ~found.object->access) != 0) {
        return refuse(GH_ERROR_DENIED);
    }
    const Part part = part_of(*found.object, base, flags, offset, size);
    if (part.error != 0) {
        return refuse(part.error);
    }
    const auto changed =
        matches(*in.object, *found.object, base, part, (flags & GH_MAP_FLAG_PARTIAL) != 0);
    for (const Word at : changed) {
        in.object->leaves[at].access = kernel_access(access);
    }
    return refuse(changed.empty() ? GH_ERROR_ARG_INVAL : 0);
}

Answer Machine::lookup(Caller& caller, Word space_cap, Word extent_cap, Word base, Word size,
                       Word reserved) {
    if (reserved != 0) {
        return refuse(GH_ERROR_ARG_INVAL);
    }
    const auto in = find_active<Space>(caller, space_cap, GH_RIGHT_ADDRSPACE_LOOKUP);
    if (in.error != 0) {
        return refuse(in.error);
    }
    const auto found = find_active<Extent>(caller, extent_cap, GH_RIGHT_MEMEXTENT_LOOKUP);
    if (found.error != 0) {
        return refuse(found.error);
    }
    if (base % page_size != 0 || size % page_size != 0) {
        return refuse(GH_ERROR_ARG_ALIGN);
    }
    if (size == 0) {
        return refuse(GH_ERROR_ARG_SIZE);
    }
    if (base + size < base) {
        return refuse(GH_ERROR_ADDR_OVFL);
    }
    if (base + size > ipa_limit) {
        return refuse(GH_ERROR_ADDR_INVAL);
    }
    const auto first = in.object->leaves.find(base / page_size);
    if (first == in.object->leaves.end()) {
        return refuse(GH_ERROR_ADDR_INVAL);
    }
    const Leaf start = first->second;
    const Extent* extent = found.object.get();
    if (pages[start.page].owner != extent) {
        return refuse(GH_ERROR_MEMDB_NOT_OWNER);
    }
    Word count = 0;
    for (; count < size / page_size; ++count) {
        const auto leaf = in.object->leaves.find(base / page_size + count);
        if (leaf == in.object->leaves.end() ||
            leaf->second != Leaf{start.page + count, start.access, start.type} ||
            pages[leaf->second.page].owner != extent) {
            break;
        }
    }
    const Word attributes = Word{start.access} << GH_MAP_ATTR_KERNEL_SHIFT |
                            Word{start.access} << GH_MAP_ATTR_USER_SHIFT |
                            Word{start.type} << GH_MAP_ATTR_MEMTYPE_SHIFT;
    return {0, {(start.page - extent->first) * page_size, count * page_size, attributes}};
}

Page* Machine::accessible(const Caller& caller, Word address, unsigned access) {
    const auto leaf = caller.memory->leaves.find(address / page_size);
    if (leaf == caller.memory->leaves.end() || (access & ~leaf->second.access) != 0 ||
        leaf->second.type <= type_device_last) {
        return nullptr;
    }
    return &pages[leaf->second.page];
}

Answer Machine::store(Caller& caller, Word address, std::uint8_t value) {
    Page* page = accessible(caller, address, GH_ACCESS_W);
    if (page == nullptr) {
        return refuse(GH_ERROR_ADDR_INVAL);
    }
    page->content[address % page_size] = value;
    return {};
}

} // namespace model
