// SPDX-License-Identifier: BSD-3-Clause
// Calls with capabilities that are null, of the wrong type or with too few rights, and with
// reserved arguments that are not zero (public API document, "Capability Errors").
#include "calls/hypercall.hpp"
#include "check/tables.hpp"
#include "rm/rpc.hpp"

namespace test {

namespace {

void expect_error(const char* what, std::int64_t got, std::int64_t expected) {
    if (got != expected) {
        fail("{}: error {}, expected {}", what, got, expected);
    }
}

// Ids that nobody was given: zero, small numbers other than ours, all ones.
void null_capabilities() {
    const ResourceManagerNode& rm = resource_manager_node();
    const std::uint64_t ids[] = {0, 0x7ffe, 0xffff, 0x1234'0000'0001, GH_CAPID_INVALID};
    for (const std::uint64_t id : ids) {
        if (id == rm.send_cap || id == rm.receive_cap) {
            continue;
        }
        expect_error("doorbell_send", hypercall(GH_DOORBELL_SEND, id, 1).error,
                     GH_ERROR_CSPACE_CAP_NULL);
        expect_error("msgqueue_flush", hypercall(GH_MSGQUEUE_FLUSH, id).error,
                     GH_ERROR_CSPACE_CAP_NULL);
        expect_error("vcpu_run", hypercall(GH_VCPU_RUN, id).error, GH_ERROR_CSPACE_CAP_NULL);
        expect_error("hvc #0x6012", hypercall_by_immediate<GH_DOORBELL_SEND>(id, 1).error,
                     GH_ERROR_CSPACE_CAP_NULL);
    }
}

void wrong_type() {
    const std::uint64_t cap = resource_manager_node().send_cap;
    expect_error("doorbell_send", hypercall(GH_DOORBELL_SEND, cap, 1).error,
                 GH_ERROR_CSPACE_WRONG_OBJ_TYPE);
    expect_error("doorbell_mask", hypercall(GH_DOORBELL_MASK, cap, 1, 1).error,
                 GH_ERROR_CSPACE_WRONG_OBJ_TYPE);
    expect_error("vcpu_run", hypercall(GH_VCPU_RUN, cap).error, GH_ERROR_CSPACE_WRONG_OBJ_TYPE);
    expect_error("vcpu_poweron", hypercall(GH_VCPU_POWERON, cap, 0, 0, 0).error,
                 GH_ERROR_CSPACE_WRONG_OBJ_TYPE);
    expect_error("addrspace_map", hypercall(GH_ADDRSPACE_MAP, cap, cap).error,
                 GH_ERROR_CSPACE_WRONG_OBJ_TYPE);
}

// The queue to the Resource Manager is only sent to, the other one only received from.
void too_few_rights() {
    const ResourceManagerNode& rm = resource_manager_node();
    std::byte buffer[GH_MSGQUEUE_MAX_MESSAGE_SIZE]{};
    const auto address = reinterpret_cast<std::uint64_t>(buffer);
    expect_error("receive from the send queue",
                 hypercall(GH_MSGQUEUE_RECEIVE, rm.send_cap, address, sizeof buffer).error,
                 GH_ERROR_CSPACE_INSUF_RIGHTS);
    expect_error("send to the receive queue",
                 hypercall(GH_MSGQUEUE_SEND, rm.receive_cap, 8, address, 0).error,
                 GH_ERROR_CSPACE_INSUF_RIGHTS);
    expect_error("unbind the sender's interrupt",
                 hypercall(GH_MSGQUEUE_UNBIND_SEND_VIRQ, rm.send_cap).error,
                 GH_ERROR_CSPACE_INSUF_RIGHTS);
}

void reserved_arguments() {
    const ResourceManagerNode& rm = resource_manager_node();
    std::byte buffer[GH_MSGQUEUE_MAX_MESSAGE_SIZE]{};
    const auto address = reinterpret_cast<std::uint64_t>(buffer);
    expect_error("doorbell_send", hypercall(GH_DOORBELL_SEND, 0, 1, 1).error, GH_ERROR_ARG_INVAL);
    expect_error("doorbell_mask", hypercall(GH_DOORBELL_MASK, 0, 1, 1, 1).error,
                 GH_ERROR_ARG_INVAL);
    expect_error("msgqueue_send", hypercall(GH_MSGQUEUE_SEND, rm.send_cap, 8, address, 0, 1).error,
                 GH_ERROR_ARG_INVAL);
    expect_error("msgqueue_send, unknown flag",
                 hypercall(GH_MSGQUEUE_SEND, rm.send_cap, 8, address, 2, 0).error,
                 GH_ERROR_ARG_INVAL);
    expect_error("msgqueue_receive",
                 hypercall(GH_MSGQUEUE_RECEIVE, rm.receive_cap, address, sizeof buffer, 1).error,
                 GH_ERROR_ARG_INVAL);
    expect_error("vcpu_run, resume data 2", hypercall(GH_VCPU_RUN, 0, 0, 1).error,
                 GH_ERROR_ARG_INVAL);
    expect_error("vcpu_run, resume data 3", hypercall(GH_VCPU_RUN, 0, 0, 0, 1).error,
                 GH_ERROR_ARG_INVAL);
    expect_error("vcpu_run, reserved", hypercall(GH_VCPU_RUN, 0, 0, 0, 0, 1).error,
                 GH_ERROR_ARG_INVAL);
}

constexpr Check checks[] = {
    {"capability.null", null_capabilities},
    {"capability.wrong_type", wrong_type},
    {"capability.too_few_rights", too_few_rights},
    {"capability.reserved_arguments", reserved_arguments},
};

} // namespace

std::span<const Check> capability_checks() {
    return checks;
}

} // namespace test
