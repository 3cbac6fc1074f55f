// SPDX-License-Identifier: BSD-3-Clause
// Dispatch of RPC requests by message id.
#include "service/request_service.hpp"

#include "service/counters.hpp"

namespace rm {

RmResult<> RequestService::handle(std::uint32_t from, const Request& request, Answer& answer) {
    const Stage stage{from, "a request"};
    if (from != primary_) {
        return refuse(stage, RmError::denied, "only the primary VM may send request {x}",
                      request.id);
    }
    switch (request.id) {
    case GH_RM_MEM_LEND:
    case GH_RM_MEM_SHARE:
    case GH_RM_MEM_RECLAIM:
    case GH_RM_MEM_APPEND:
        return handle_memory(from, request, answer);
    case GH_RM_VM_GET_VMID:
        answer.payload().u32(from);
        return {};
    case GH_RM_GET_COUNTERS:
        write_counters(root_, vms_.count(), parcels_.count(), answer.payload());
        return {};
    case GH_RM_END_ALL:
        return end_all(from, request);
    default:
        return handle_vm(from, request, answer);
    }
}

RmResult<> RequestService::end_all(std::uint32_t from, const Request& request) {
    const Stage stage{from, "END_ALL"};
    if (!request.payload.empty()) {
        return refuse(stage, RmError::argument_invalid, "malformed request");
    }
    vms_.end_all(from);
    return parcels_.reclaim_all(stage, from);
}

RmResult<> RequestService::handle_vm(std::uint32_t from, const Request& request, Answer& answer) {
    const Reader payload(request.payload);
    switch (request.id) {
    case GH_RM_VM_ALLOC_VMID:
        return vms_.allocate(from, payload, answer.payload());
    case GH_RM_VM_DEALLOC_VMID:
        return vms_.deallocate(from, payload);
    case GH_RM_VM_CONFIG_IMAGE:
        return vms_.config_image(from, payload);
    case GH_RM_VM_SET_FIRMWARE_MEM:
        return vms_.set_firmware(from, payload);
    case GH_RM_VM_INIT:
        return vms_.initialise(from, payload);
    case GH_RM_VM_GET_HYP_RESOURCES:
        return vms_.hyp_resources(from, payload, answer.payload());
    case GH_RM_VM_START:
        return vms_.start(from, payload);
    case GH_RM_VM_STOP:
        return vms_.stop(from, payload, answer);
    case GH_RM_VM_RESET:
        return vms_.reset(from, payload, answer);
    default:
        return refuse(Stage{from, "a request"}, RmError::unimplemented,
                      "request {x} is not known here", request.id);
    }
}

RmResult<> RequestService::handle_memory(std::uint32_t from, const Request& request,
                                         Answer& answer) {
    const Reader payload(request.payload);
    switch (request.id) {
    case GH_RM_MEM_RECLAIM:
        return parcels_.reclaim(Stage{from, "MEM_RECLAIM"}, from, payload);
    case GH_RM_MEM_APPEND:
        return parcels_.append(Stage{from, "MEM_APPEND"}, from, payload);
    default:
        break;
    }
    const bool lend = request.id == GH_RM_MEM_LEND;
    const auto handle =
        parcels_.create(Stage{from, lend ? "MEM_LEND" : "MEM_SHARE"},
                        lend ? Parcel::Kind::lend : Parcel::Kind::share, from, payload);
    if (!handle) {
        return std::unexpected(handle.error());
    }
    answer.payload().u32(*handle);
    return {};
}

} // namespace rm
