// SPDX-License-Identifier: BSD-3-Clause
// Which request goes to whom.
#pragma once

#include "memory/parcel_store.hpp"
#include "vm/vm_manager.hpp"

namespace rm {

/// Every request that RM knows is for the primary VM; others get DENIED.
class RequestService final : public RequestHandler {
public:
    RequestService(const Root& root, VmManager& vms, ParcelStore& parcels, std::uint32_t primary)
        : root_(root), vms_(vms), parcels_(parcels), primary_(primary) {}

    RmResult<> handle(std::uint32_t from, const Request& request, Answer& answer) override;

private:
    RmResult<> end_all(std::uint32_t from, const Request& request);
    RmResult<> handle_vm(std::uint32_t from, const Request& request, Answer& answer);
    RmResult<> handle_memory(std::uint32_t from, const Request& request, Answer& answer);

    const Root& root_;
    VmManager& vms_;
    ParcelStore& parcels_;
    std::uint32_t primary_;
};

} // namespace rm
