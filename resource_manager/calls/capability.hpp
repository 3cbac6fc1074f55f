// SPDX-License-Identifier: BSD-3-Clause
// A capability that RM owns: it is deleted from its capability space when its owner dies.
#pragma once

#include "calls/hypervisor.hpp"

#include <utility>

namespace rm {

/// RM's own means: the hypercalls and the capabilities that every creation needs.
struct Root {
    Hypervisor& hypervisor;
    CapId partition;
    CapId cspace;
    CapId addrspace;
    CapId vic;
};

class Capability {
public:
    Capability() = default;
    Capability(Hypervisor& hypervisor, CapId cspace, CapId id)
        : hypervisor_(&hypervisor), cspace_(cspace), id_(id) {}
    Capability(Capability&& other) noexcept
        : hypervisor_(std::exchange(other.hypervisor_, nullptr)), cspace_(other.cspace_),
          id_(std::exchange(other.id_, CapId{})) {}
    Capability& operator=(Capability&& other) noexcept {
        if (this != &other) {
            drop();
            hypervisor_ = std::exchange(other.hypervisor_, nullptr);
            cspace_ = other.cspace_;
            id_ = std::exchange(other.id_, CapId{});
        }
        return *this;
    }
    Capability(const Capability&) = delete;
    Capability& operator=(const Capability&) = delete;
    ~Capability() { drop(); }

    [[nodiscard]] CapId id() const { return id_; }

    /// Creates an object and gives the capability to it in RM's own space.
    static rt::Result<Capability> create(const Root& root, ObjectType type);
    /// A copy of `source` (in RM's own space) in `to_cspace`, with `rights` at most.
    static rt::Result<Capability> copy(const Root& root, CapId source, CapId to_cspace,
                                       std::uint32_t rights);

private:
    void drop();

    Hypervisor* hypervisor_ = nullptr;
    CapId cspace_;
    CapId id_;
};

} // namespace rm
