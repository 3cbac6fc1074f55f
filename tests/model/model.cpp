// SPDX-License-Identifier: BSD-3-Clause
// The rules of objects and capabilities.
#include "model.hpp"
#include "find.hpp"

#include <abi/error.h>
#include <abi/hypercall.h>
#include <abi/rights.h>

namespace model {

namespace {

/// Takes a capability out of the tree; what was derived from it is now its parent's.
void detach(Capability& cap) {
    for (Capability* child : cap.children) {
        child->parent = cap.parent;
        if (cap.parent != nullptr) {
            cap.parent->children.insert(child);
        }
    }
    cap.children.clear();
    if (cap.parent != nullptr) {
        cap.parent->children.erase(&cap);
        cap.parent = nullptr;
    }
}

void collect_descendants(Capability& cap, std::vector<Capability*>& found) {
    for (Capability* child : cap.children) {
        collect_descendants(*child, found);
        found.push_back(child);
    }
}

/// The space in which `cap`, not revoked yet, may be revoked.
Found<Cspace> find_revocable(const Caller& caller, Word cspace, Word cap, Word reserved) {
    if (reserved != 0) {
        return {GH_ERROR_ARG_INVAL, {}};
    }
    auto found = find_active<Cspace>(caller, cspace, GH_RIGHT_CSPACE_CAP_DELETE);
    if (found.error == 0) {
        found.error = find_any(*found.object, cap, 0).error;
    }
    return found;
}

} // namespace

// Objects.

void Cspace::clear() {
    std::vector<std::shared_ptr<Object>> doomed;
    for (auto& [name, cap] : slots) {
        detach(cap);
        doomed.push_back(std::move(cap.object));
    }
    slots.clear();
}

Space::Space(Machine& m) : Object(Kind::space), machine(m) {
    machine.spaces.insert(this);
}

Space::~Space() {
    while (!leaves.empty()) {
        machine.unmap_leaf(*this, leaves.begin()->first);
    }
    machine.spaces.erase(this);
}

/// What a dead extent owned goes back to where it came from, zeroed if somebody may have written.
Extent::~Extent() {
    if (!active) {
        return;
    }
    machine.unmap_everywhere(*this);
    for (Page& page : machine.pages) {
        if (page.owner == this) {
            if (page.touched) {
                page.content = {};
            }
            page.owner = parent.get();
            page.touched = true;
        }
    }
}

void Machine::give(Cspace& cspace, Word name, std::shared_ptr<Object> object,
                   std::uint32_t rights) {
    cspace.slots[name] = {std::move(object), rights};
}

Answer Machine::create(Caller& caller, Kind kind, Word partition, Word cspace, Word reserved,
                       Word name) {
    if (reserved != 0) {
        return refuse(GH_ERROR_ARG_INVAL);
    }
    const auto payer =
        find_kind(*caller.cspace, partition, GH_RIGHT_PARTITION_CREATE, Kind::partition);
    if (payer.error != 0) {
        return refuse(payer.error);
    }
    const auto into = find_active<Cspace>(caller, cspace, GH_RIGHT_CSPACE_CAP_CREATE);
    if (into.error != 0) {
        return refuse(into.error);
    }
    if (into.object->slots.size() == into.object->most) {
        return refuse(GH_ERROR_CSPACE_FULL);
    }
    std::shared_ptr<Object> object;
    switch (kind) {
    case Kind::cspace:
        object = std::make_shared<Cspace>();
        break;
    case Kind::space:
        object = std::make_shared<Space>(*this);
        break;
    case Kind::extent:
        object = std::make_shared<Extent>(*this);
        break;
    case Kind::queue:
        object = std::make_shared<Queue>();
        break;
    default:
        object = std::make_shared<Doorbell>();
        object->configured = true;
    }
    give(*into.object, name, std::move(object), GH_RIGHTS_ALL);
    return {0, {name}};
}

Answer Machine::activate(Caller& caller, Word cap, Word reserved) {
    if (reserved != 0) {
        return refuse(GH_ERROR_ARG_INVAL);
    }
    const auto found = find_any(*caller.cspace, cap, GH_RIGHT_OBJECT_ACTIVATE);
    if (found.error != 0) {
        return refuse(found.error);
    }
    Object& object = *found.object;
    if (object.active) {
        return refuse(GH_ERROR_OBJECT_STATE);
    }
    if (!object.configured) {
        return refuse(GH_ERROR_OBJECT_CONFIG);
    }
    if (object.kind == Kind::extent) {
        if (const auto error = activate_extent(static_cast<Extent&>(object)); error != 0) {
            return refuse(error);
        }
    }
    object.active = true;
    return {};
}

/// A basic extent takes its whole range from the parent; a sparse one starts with nothing.
std::int64_t Machine::activate_extent(Extent& extent) {
    if (extent.sparse) {
        return 0;
    }
    if (const auto error = may_transfer(extent.first, extent.count, extent.parent.get());
        error != 0) {
        return error;
    }
    transfer(extent.first, extent.count, &extent);
    for (std::size_t i = 0; i < extent.count; ++i) {
        pages[extent.first + i].touched = false;
    }
    return 0;
}

// Capabilities.

Answer Machine::cspace_configure(Caller& caller, Word cap, Word most, Word reserved) {
    if (reserved != 0) {
        return refuse(GH_ERROR_ARG_INVAL);
    }
    const auto found = find<Cspace>(caller, cap, GH_RIGHT_OBJECT_ACTIVATE);
    if (found.error != 0) {
        return refuse(found.error);
    }
    if (found.object->active) {
        return refuse(GH_ERROR_OBJECT_STATE);
    }
    if (most == 0 || most > 65536) {
        return refuse(GH_ERROR_ARG_INVAL);
    }
    found.object->most = most;
    found.object->configured = true;
    return {};
}

Answer Machine::copy(Caller& caller, Word from, Word cap, Word to, Word mask, Word reserved,
                     Word name) {
    if (reserved != 0 || mask > 0xffffffff) {
        return refuse(GH_ERROR_ARG_INVAL);
    }
    const auto source = find_active<Cspace>(caller, from, GH_RIGHT_CSPACE_CAP_COPY);
    if (source.error != 0) {
        return refuse(source.error);
    }
    const auto target = find_active<Cspace>(caller, to, GH_RIGHT_CSPACE_CAP_CREATE);
    if (target.error != 0) {
        return refuse(target.error);
    }
    const auto found = find_any(*source.object, cap, 0);
    if (found.error != 0) {
        return refuse(found.error);
    }
    if (target.object->slots.size() == target.object->most) {
        return refuse(GH_ERROR_CSPACE_FULL);
    }
    Capability& parent = source.object->slots.at(cap);
    give(*target.object, name, found.object, parent.rights & static_cast<std::uint32_t>(mask));
    Capability& child = target.object->slots.at(name);
    child.parent = &parent;
    parent.children.insert(&child);
    return {0, {name}};
}

Answer Machine::remove(Caller& caller, Word cspace, Word cap, Word reserved) {
    if (reserved != 0) {
        return refuse(GH_ERROR_ARG_INVAL);
    }
    const auto found = find_active<Cspace>(caller, cspace, GH_RIGHT_CSPACE_CAP_DELETE);
    if (found.error != 0) {
        return refuse(found.error);
    }
    const auto slot = found.object->slots.find(cap);
    if (slot == found.object->slots.end()) {
        return refuse(GH_ERROR_CSPACE_CAP_NULL);
    }
    const std::shared_ptr<Object> doomed = std::move(slot->second.object);
    detach(slot->second);
    found.object->slots.erase(slot);
    return {};
}

Answer Machine::revoke(Caller& caller, Word cspace, Word cap, Word reserved) {
    const auto found = find_revocable(caller, cspace, cap, reserved);
    if (found.error != 0) {
        return refuse(found.error);
    }
    Capability& slot = found.object->slots.at(cap);
    const std::shared_ptr<Object> doomed = std::move(slot.object);
    detach(slot);
    return {};
}

Answer Machine::revoke_children(Caller& caller, Word cspace, Word cap, Word reserved) {
    const auto found = find_revocable(caller, cspace, cap, reserved);
    if (found.error != 0) {
        return refuse(found.error);
    }
    std::vector<Capability*> below;
    collect_descendants(found.object->slots.at(cap), below);
    std::vector<std::shared_ptr<Object>> doomed;
    for (Capability* each : below) {
        detach(*each);
        doomed.push_back(std::move(each->object));
    }
    return {};
}

} // namespace model
