// SPDX-License-Identifier: BSD-3-Clause
// Fuzz target: messages of the primary VM to the Resource Manager, good and bad, whole and in
// pieces, in any order, while VMs live and end. Each complete request is answered, in order, and
// in the end everything can be taken down (RmClient).
#include "rm_client.hpp"

#include <vmm/fuzz/fuzz_input.hpp>

namespace {

using namespace rm::testing;
using Input = vmm::fuzz::FuzzInput;

constexpr std::uint64_t memory = 0x5000'0000;
constexpr std::uint64_t guest_size = 0x1'0000;
constexpr std::uint64_t tree_offset = 0x8000;

std::uint32_t known_id(Input& input) {
    return fuzz::request_ids[input.take<std::uint8_t>() % fuzz::request_ids.size()];
}
Bytes some_bytes(Input& input, std::size_t most) {
    const auto bytes = input.take_bytes(std::min<std::size_t>(most, input.take<std::uint8_t>()));
    return {bytes.begin(), bytes.end()};
}
U16 some_vmid(Input& input) {
    return static_cast<U16>(GH_VMID_FIRST_DYNAMIC + input.take<std::uint8_t>() % 4);
}

/// Requests that may succeed: few VMs, few parcels, memory in units of a page.
void likely_request(fuzz::RmClient& client, Input& input) {
    const std::uint32_t id = known_id(input);
    const U16 vmid = some_vmid(input);
    const unsigned choice = input.take<std::uint8_t>() % 8U;
    const U32 parcel = client.parcel(choice);
    switch (id) {
    case GH_RM_MEM_LEND:
    case GH_RM_MEM_SHARE: {
        const U64 address = memory + input.take<std::uint8_t>() * U64{0x1000};
        const U64 size = input.take<std::uint8_t>() % 32 * U64{0x1000};
        const bool whole = (choice & 1) == 0;
        const auto flags = static_cast<U8>(choice == 7 ? GH_RM_MEM_FLAG_APPEND : 0);
        const auto access = static_cast<U8>(choice == 5 ? 5 : 7);
        const Bytes own =
            id == GH_RM_MEM_SHARE ? wire(U16{GH_VMID_PRIMARY}, access, U8{0}) : Bytes();
        client.request(id, wire(U8{0}, U8{0}, flags, U8{0}, U32{0}, U32{own.empty() ? 1U : 2U},
                                vmid, U8{7}, U8{0}) +
                               own +
                               wire(U16{1}, U16{0}, whole ? memory : address,
                                    whole ? guest_size : size, U32{0}));
        break;
    }
    case GH_RM_MEM_RECLAIM:
        client.request(id, wire(parcel, U32{0}));
        break;
    case GH_RM_MEM_APPEND:
        client.request(id, wire(parcel, U8{GH_RM_MEM_APPEND_END}, U8{0}, U16{0}, U16{1}, U16{0},
                                memory + 0x10'0000 + choice * U64{0x1000}, U64{0x1000}));
        break;
    case GH_RM_VM_ALLOC_VMID:
        client.request(id, wire((choice & 1) == 0 ? U16{0} : vmid, U16{0}));
        break;
    case GH_RM_VM_STOP:
        client.request(id, wire(vmid, U8{GH_RM_VM_STOP_FORCE}, U8{0}, U32{0}));
        break;
    case GH_RM_VM_CONFIG_IMAGE:
        client.request(id, wire(vmid, static_cast<U16>(input.take<std::uint8_t>() % 4), parcel,
                                U64{0}, U64{0x4000}, tree_offset, guest_size - tree_offset));
        break;
    case GH_RM_VM_SET_FIRMWARE_MEM:
        client.request(id, wire(vmid, U16{0}, parcel, U64{0x1000}, U64{0x1000}));
        break;
    default:
        client.request(id, wire(vmid, U16{0}));
    }
}

void step(fuzz::RmClient& client, Input& input) {
    switch (input.take<std::uint8_t>() % 12) {
    case 0: // any bytes
        client.send(some_bytes(input, GH_RM_RPC_MESSAGE_SIZE));
        break;
    case 1: // a header that fits, in whichever place
        client.send(
            wire(U8{GH_RM_RPC_API}, input.take<U8>(), U16{input.take<U8>()}, known_id(input)) +
            some_bytes(input, GH_RM_RPC_PAYLOAD_SIZE));
        break;
    case 2: // a request of any size
        client.request(known_id(input),
                       Bytes(input.take<U16>() % 14'617U, input.take<std::byte>()));
        break;
    case 3:
        client.request(known_id(input), some_bytes(input, 255));
        break;
    case 4:
        client.linux_vm.run();
        break;
    case 5:
        client.receive();
        break;
    case 6: { // a vCPU of a guest stops
        const U16 vmid = some_vmid(input);
        const unsigned index = input.take<U8>() % 2;
        const rm::VcpuState state{input.take<U16>() % 0x102U, {input.take<U8>()}};
        const auto vcpu = client.linux_vm.guest_vcpu(vmid, index);
        if (vcpu && vcpu->active && vcpu->bindings.contains(GH_VCPU_VIRQ_HALT)) {
            client.linux_vm.halt_vcpu(vmid, index, state);
        }
        break;
    }
    default:
        likely_request(client, input);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Input input{data, size};
    static fuzz::RmClient client;
    client.begin();
    const auto choice = input.take<std::uint8_t>();
    client.linux_vm.place_guest(memory, tree_offset,
                                {.cpus = 1U + choice % 2,
                                 .bells = choice / 2 % 4U,
                                 .firmware_address = (choice & 8) != 0 ? 0x8000'1000U : 0U});
    while (!input.empty()) {
        step(client, input);
    }
    client.finish();
    return 0;
}
