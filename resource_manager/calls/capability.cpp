// SPDX-License-Identifier: BSD-3-Clause
// Creation, copying and deletion of owned capabilities.
#include "calls/capability.hpp"

#include "log/log.hpp"

namespace rm {

rt::Result<Capability> Capability::create(const Root& root, ObjectType type) {
    const auto id = root.hypervisor.create(type, root.partition, root.cspace);
    if (!id) {
        return rt::fail(id.error());
    }
    return Capability(root.hypervisor, root.cspace, *id);
}

rt::Result<Capability> Capability::copy(const Root& root, CapId source, CapId to_cspace,
                                        std::uint32_t rights) {
    const auto id = root.hypervisor.copy_cap(root.cspace, source, to_cspace, rights);
    if (!id) {
        return rt::fail(id.error());
    }
    return Capability(root.hypervisor, to_cspace, *id);
}

void Capability::drop() {
    if (hypervisor_ == nullptr) {
        return;
    }
    const auto result = hypervisor_->delete_cap(cspace_, id_);
    if (!result) {
        log("deleting capability {x} failed: {}; it leaks", id_.value, result.error());
    }
    hypervisor_ = nullptr;
    id_ = CapId{};
}

} // namespace rm
