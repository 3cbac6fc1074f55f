// SPDX-License-Identifier: BSD-3-Clause
// The derivation tree: which capability was copied from which.
#include "object/capability.hpp"

namespace hyp {

namespace {

/// Takes `child` off its parent's list of children; it keeps its own children.
void unlink_from_parent(Capability& child) {
    if (child.next_sibling != nullptr) {
        child.next_sibling->previous_sibling = child.previous_sibling;
    }
    if (child.previous_sibling != nullptr) {
        child.previous_sibling->next_sibling = child.next_sibling;
    } else if (child.parent != nullptr) {
        child.parent->first_child = child.next_sibling;
    }
    child.parent = nullptr;
    child.next_sibling = nullptr;
    child.previous_sibling = nullptr;
}

} // namespace

void derivation_attach(Capability& parent, Capability& child) {
    child.parent = &parent;
    child.previous_sibling = nullptr;
    child.next_sibling = parent.first_child;
    if (child.next_sibling != nullptr) {
        child.next_sibling->previous_sibling = &child;
    }
    parent.first_child = &child;
}

void derivation_detach(Capability& capability) {
    Capability* grandparent = capability.parent;
    unlink_from_parent(capability);
    while (capability.first_child != nullptr) {
        Capability& child = *capability.first_child;
        unlink_from_parent(child);
        if (grandparent != nullptr) {
            derivation_attach(*grandparent, child);
        }
    }
}

Capability* derivation_leaf(Capability& root) {
    Capability* leaf = root.first_child;
    while (leaf != nullptr && leaf->first_child != nullptr) {
        leaf = leaf->first_child;
    }
    return leaf;
}

} // namespace hyp
