// SPDX-License-Identifier: BSD-3-Clause
// The Resource Manager's protocol: round trips, fragments, and senders that do not keep to it.
#include "rm/rpc.hpp"

#include "calls/hypercall.hpp"
#include "check/tables.hpp"

namespace test {

namespace {

void expect_alive() {
    PayloadReader reply = rpc().must(GH_RM_VM_GET_VMID);
    expect_equal("own VMID", reply.u32(), GH_VMID_PRIMARY);
    expect(reply.finished(), "the reply to VM_GET_VMID has four bytes");
}

void get_vmid() {
    rpc().begin();
    for (int i = 0; i < 100; ++i) {
        expect_alive();
    }
}

void unknown_request() {
    rpc().begin();
    for (const std::uint32_t id : {0x56000fffu, 0x51000fffu, 0u, 0xffffffffu, 0x56100001u}) {
        const RpcReply reply = rpc().call(id);
        expect_equal("error of an unknown request", reply.error, GH_RM_ERROR_UNIMPLEMENTED);
        expect(reply.payload.empty(), "an error has no payload");
    }
    expect_alive();
}

void counters_are_named() {
    rpc().begin();
    PayloadReader reply = rpc().must(GH_RM_GET_COUNTERS);
    const std::uint32_t count = reply.u32();
    expect(count >= 6 && count <= 64, "there are 6 to 64 counters");
    for (std::uint32_t i = 0; i < count; ++i) {
        const std::uint8_t first = reply.u8();
        expect(first >= 'a' && first <= 'z', "a counter's name begins with a letter");
        for (unsigned n = 1; n < GH_RM_COUNTER_NAME_SIZE; ++n) {
            (void)reply.u8();
        }
        (void)reply.u64();
    }
    expect(reply.finished(), "the counters end where their number says");
}

// More than 232 bytes of payload come in several messages.
void fragmented_reply() {
    rpc().begin();
    const RpcReply reply = rpc().call(GH_RM_GET_COUNTERS);
    expect_equal("error", reply.error, GH_RM_ERROR_OK);
    const std::size_t with_error = reply.payload.size() + sizeof(std::uint32_t);
    if (with_error <= GH_RM_RPC_PAYLOAD_SIZE) {
        skip("no reply of this Resource Manager is that long");
    }
    expect_equal("messages", rpc().last_reply_messages(),
                 (with_error - 1) / GH_RM_RPC_PAYLOAD_SIZE + 1);
}

/// Sends one raw message; a reply to it, if any comes, is not ours and is ignored.
void send_raw(std::uint8_t api, unsigned type, unsigned fragments, std::uint16_t sequence,
              std::uint32_t id, std::size_t payload_size = 0) {
    PayloadWriter message;
    message.u8(api)
        .u8(static_cast<std::uint8_t>(type | fragments << GH_RM_RPC_FRAGMENTS_SHIFT))
        .u16(sequence)
        .u32(id);
    for (std::size_t i = 0; i < payload_size; ++i) {
        message.u8(0xff);
    }
    rpc().send_message(message.bytes());
}

void wrong_api_byte() {
    rpc().begin();
    for (unsigned api = 0; api < 256; ++api) {
        if (api != GH_RM_RPC_API) {
            send_raw(static_cast<std::uint8_t>(api), GH_RM_RPC_REQUEST, 0, 0x7000,
                     GH_RM_VM_GET_VMID);
        }
    }
    expect_alive();
}

void short_messages() {
    rpc().begin();
    const std::byte bytes[GH_RM_RPC_HEADER_SIZE] = {std::byte{GH_RM_RPC_API},
                                                    std::byte{GH_RM_RPC_REQUEST}};
    for (std::size_t size = 1; size < sizeof bytes; ++size) {
        rpc().send_message(std::span(bytes).first(size));
    }
    expect_alive();
}

void wrong_types() {
    rpc().begin();
    send_raw(GH_RM_RPC_API, GH_RM_RPC_REPLY, 0, 0x7001, GH_RM_VM_GET_VMID, 4);
    send_raw(GH_RM_RPC_API, GH_RM_RPC_NOTIFICATION, 0, 0x7002, GH_RM_NOTIF_VM_EXITED, 16);
    send_raw(GH_RM_RPC_API, GH_RM_RPC_CONTINUATION, 1, 0x7003, GH_RM_VM_GET_VMID, 232);
    send_raw(GH_RM_RPC_API, GH_RM_RPC_CONTINUATION, 0, 0x7003, GH_RM_VM_GET_VMID, 232);
    expect_alive();
}

void too_many_fragments() {
    rpc().begin();
    send_raw(GH_RM_RPC_API, GH_RM_RPC_REQUEST, 63, 0x7004, GH_RM_MEM_SHARE, 232);
    for (unsigned i = 0; i < 70; ++i) {
        send_raw(GH_RM_RPC_API, GH_RM_RPC_CONTINUATION, 63, 0x7004, GH_RM_MEM_SHARE, 232);
    }
    expect_alive();
    send_raw(GH_RM_RPC_API, GH_RM_RPC_REQUEST, 62, 0x7005, GH_RM_MEM_SHARE, 232);
    for (unsigned i = 0; i < 70; ++i) {
        send_raw(GH_RM_RPC_API, GH_RM_RPC_CONTINUATION, 62, 0x7005, GH_RM_MEM_SHARE, 232);
    }
    expect_alive();
}

void mixed_fragments() {
    rpc().begin();
    send_raw(GH_RM_RPC_API, GH_RM_RPC_REQUEST, 2, 0x7006, GH_RM_MEM_SHARE, 232);
    send_raw(GH_RM_RPC_API, GH_RM_RPC_CONTINUATION, 2, 0x7007, GH_RM_MEM_SHARE, 232);
    send_raw(GH_RM_RPC_API, GH_RM_RPC_CONTINUATION, 2, 0x7006, GH_RM_VM_INIT, 232);
    send_raw(GH_RM_RPC_API, GH_RM_RPC_REQUEST, 3, 0x7008, GH_RM_MEM_SHARE, 100);
    send_raw(GH_RM_RPC_API, GH_RM_RPC_REQUEST, 1, 0x7009, GH_RM_MEM_LEND, 1);
    expect_alive(); // a new request ends an unfinished one
}

// Every request with payloads of lengths it cannot have.
void wrong_lengths() {
    rpc().begin();
    PayloadWriter payload;
    for (const std::uint32_t id :
         {GH_RM_VM_ALLOC_VMID, GH_RM_VM_DEALLOC_VMID, GH_RM_VM_START, GH_RM_VM_STOP, GH_RM_VM_RESET,
          GH_RM_VM_CONFIG_IMAGE, GH_RM_VM_INIT, GH_RM_VM_GET_HYP_RESOURCES, GH_RM_MEM_SHARE,
          GH_RM_MEM_LEND, GH_RM_MEM_RECLAIM, GH_RM_MEM_APPEND}) {
        for (const unsigned length : {0u, 1u, 3u, 5u, 233u}) {
            payload.clear();
            for (unsigned i = 0; i < length; ++i) {
                payload.u8(0xff);
            }
            if (const RpcReply reply = rpc().call(id, payload.bytes());
                reply.error == GH_RM_ERROR_OK) {
                fail("request {x} with {} bytes was accepted", id, length);
            }
        }
    }
    expect_alive();
}

// VMIDs that are not this VM's to command: none, its own, the Resource Manager's.
void foreign_vms() {
    rpc().begin();
    PayloadWriter payload;
    for (const std::uint32_t id :
         {GH_RM_VM_DEALLOC_VMID, GH_RM_VM_START, GH_RM_VM_RESET, GH_RM_VM_INIT}) {
        for (const unsigned vmid : {0u, 1u, GH_VMID_PRIMARY, GH_VMID_RM, 0x80u, 0xffffu}) {
            payload.clear();
            payload.u16(static_cast<std::uint16_t>(vmid)).u16(0);
            if (const RpcReply reply = rpc().call(id, payload.bytes());
                reply.error == GH_RM_ERROR_OK) {
                fail("request {x} for VMID {x} was accepted", id, vmid);
            }
        }
    }
    expect_alive();
}

void flood() {
    rpc().begin();
    for (unsigned i = 0; i < 500; ++i) {
        send_raw(GH_RM_RPC_API, GH_RM_RPC_REQUEST, 0, static_cast<std::uint16_t>(0x8000 + i),
                 GH_RM_VM_GET_VMID);
        while (i % 4 == 3 && !rpc().no_notification()) {
        }
    }
    expect_alive();
}

// Nobody takes replies for a while: the Resource Manager must wait with them, not lose or break.
void unread_replies() {
    rpc().begin();
    PayloadWriter request;
    request.u8(GH_RM_RPC_API).u8(GH_RM_RPC_REQUEST).u16(0x9000).u32(GH_RM_VM_GET_VMID);
    unsigned accepted = 0;
    for (unsigned i = 0; i < 300; ++i) {
        const auto error =
            hypercall(GH_MSGQUEUE_SEND, resource_manager_node().send_cap, request.bytes().size(),
                      reinterpret_cast<std::uint64_t>(request.bytes().data()), 1)
                .error;
        if (error == GH_ERROR_OK) {
            ++accepted;
        } else {
            expect(error == GH_ERROR_MSGQUEUE_FULL, "a send is taken or the queue is full");
        }
    }
    expect(accepted > 0, "at least one request was accepted");
    expect_alive();
}

void share_and_reclaim_nothing_wrong() {
    rpc().begin();
    const auto handles = [](std::uint32_t handle) {
        PayloadWriter payload;
        payload.u32(handle).u32(0);
        return rpc().call(GH_RM_MEM_RECLAIM, payload.bytes()).error;
    };
    for (const std::uint32_t handle : {0u, 0x7fffffffu, 0xffffffffu}) {
        expect(handles(handle) != GH_RM_ERROR_OK, "an unknown parcel cannot be reclaimed");
    }
    expect_alive();
}

constexpr Check checks[] = {
    {"rpc.get_vmid", get_vmid},
    {"rpc.unknown_request", unknown_request},
    {"rpc.counters_are_named", counters_are_named},
    {"rpc.fragmented_reply", fragmented_reply},
    {"rpc.wrong_api_byte", wrong_api_byte},
    {"rpc.short_messages", short_messages},
    {"rpc.wrong_types", wrong_types},
    {"rpc.too_many_fragments", too_many_fragments},
    {"rpc.mixed_fragments", mixed_fragments},
    {"rpc.wrong_lengths", wrong_lengths},
    {"rpc.foreign_vms", foreign_vms},
    {"rpc.flood", flood, Needs::hypervisor, 30'000},
    {"rpc.unread_replies", unread_replies, Needs::hypervisor, 30'000},
    {"rpc.unknown_parcels", share_and_reclaim_nothing_wrong},
};

} // namespace

std::span<const Check> rpc_checks() {
    return checks;
}

} // namespace test
