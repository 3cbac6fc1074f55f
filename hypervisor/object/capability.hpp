// SPDX-License-Identifier: BSD-3-Clause
// One slot of a capability space: an object, the rights to it, and where they came from.
#pragma once

#include <cstdint>

namespace hyp {

class Cspace;
class Object;

/// Opaque to VMs: the slot's index and a number that the space never gives out twice, so that the
/// id of a deleted capability never names another. Zero is never a valid id.
using CapId = std::uint64_t;

/// A capability. `object`, `id` and `rights` are guarded by the lock of `space`, the links of the
/// derivation tree by the global derivation lock. The tree spans capability spaces.
struct Capability {
    CapId id = 0;             // 0: the slot is free
    Object* object = nullptr; // holds one reference; nullptr: revoked
    Cspace* space = nullptr;
    Capability* parent = nullptr; // what this one was copied from
    Capability* first_child = nullptr;
    Capability* next_sibling = nullptr;
    Capability* previous_sibling = nullptr;
    std::uint32_t rights = 0; // GH_RIGHT_* of the object's type
};

/// Links `child` below `parent`.
void derivation_attach(Capability& parent, Capability& child);
/// Takes a capability out of the tree; its children become its parent's.
void derivation_detach(Capability& capability);
/// Some leaf of the tree below `root`; nullptr if it has no children.
Capability* derivation_leaf(Capability& root);

} // namespace hyp
