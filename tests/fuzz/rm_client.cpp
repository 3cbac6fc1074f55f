// SPDX-License-Identifier: BSD-3-Clause
// The protocol as the driver knows it (ABI: header of the RM RPC protocol), and the end of a run.
#include "rm_client.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace fuzz {

using namespace rm::testing;

namespace {

constexpr std::uint64_t some_ram = 0x5000'0000;
constexpr std::uint64_t page = 0x1000;

void require(bool good, const char* what) {
    if (!good) {
        std::fprintf(stderr, "Resource Manager: %s\n", what);
        std::abort();
    }
}

} // namespace

RmClient::RmClient() : before_(left()) {}

void RmClient::begin() {
    const std::uint16_t vmid = linux_vm.alloc();
    last_handle_ = linux_vm.share(vmid, some_ram, page);
    (void)linux_vm.call(GH_RM_MEM_RECLAIM, wire(last_handle_, U32{0}));
    (void)linux_vm.vm_call(GH_RM_VM_DEALLOC_VMID, vmid);
    require(left() == before_, "something is left of a parcel");
    linux_vm.answered.clear();
    linux_vm.notifications.clear();
    linux_vm.log.lines.clear();
    wanted_.clear();
    unfinished_.reset();
    vmids_.clear();
    parcels_ = vms_ = 0;
}

/// The primary VM's pages are listed in the model once they came back from a VM.
RmClient::Left RmClient::left() {
    return {linux_vm.model.objects(), linux_vm.model.capabilities(),
            linux_vm.model.mapped_pages() - linux_vm.space->pages.size(), linux_vm.virqs.used()};
}

void RmClient::send(const Bytes& message) {
    if (!message.empty() && linux_vm.model.peer_send(linux_vm.to_rm, message)) {
        note(message);
    }
}

/// What RM is to make of it: a start, a continuation of that, or nothing.
void RmClient::note(const Bytes& message) {
    rm::Reader reader(message);
    const std::uint8_t api = reader.u8();
    const std::uint8_t kind = reader.u8();
    const auto fragments = static_cast<std::uint8_t>(kind >> GH_RM_RPC_FRAGMENTS_SHIFT);
    const std::uint16_t sequence = reader.u16();
    const std::uint32_t id = reader.u32();
    const unsigned type = kind & GH_RM_RPC_TYPE_MASK;
    if (!reader.ok() || api != GH_RM_RPC_API || fragments > GH_RM_RPC_MAX_FRAGMENTS ||
        type > GH_RM_RPC_REQUEST) {
        return;
    }
    const Bytes payload(message.begin() + GH_RM_RPC_HEADER_SIZE, message.end());
    if (type == GH_RM_RPC_REQUEST) {
        unfinished_ = {fragments, sequence, id, fragments, payload};
    } else if (unfinished_) {
        if (unfinished_->fragments != fragments || unfinished_->sequence != sequence ||
            unfinished_->id != id) {
            unfinished_.reset();
            return;
        }
        unfinished_->payload = unfinished_->payload + payload;
        --unfinished_->missing;
    }
    if (unfinished_ && unfinished_->missing == 0) {
        complete();
    }
}

void RmClient::complete() {
    wanted_.emplace_back(unfinished_->sequence, unfinished_->id);
    rm::Reader payload(unfinished_->payload);
    switch (unfinished_->id) {
    case GH_RM_MEM_SHARE:
    case GH_RM_MEM_LEND:
        ++parcels_;
        break;
    case GH_RM_VM_ALLOC_VMID:
        vmids_.insert(payload.u16());
        ++vms_;
        break;
    default:
        break;
    }
    unfinished_.reset();
}

void RmClient::request(std::uint32_t id, const Bytes& payload) {
    const std::uint16_t sequence = sequence_++;
    const std::size_t more = payload.empty() ? 0 : (payload.size() - 1) / GH_RM_RPC_PAYLOAD_SIZE;
    for (std::size_t i = 0; i <= more; ++i) {
        const std::size_t begin = i * GH_RM_RPC_PAYLOAD_SIZE;
        const std::size_t end = std::min<std::size_t>(payload.size(), begin + 232);
        const auto kind = static_cast<std::uint8_t>((i == 0 ? GH_RM_RPC_REQUEST : 0) | more << 2);
        const auto first = payload.begin();
        send(wire(U8{GH_RM_RPC_API}, kind, sequence, id) +
             Bytes(first + static_cast<long>(begin), first + static_cast<long>(end)));
        if (i % 4 == 3) { // the queue has room for a few
            linux_vm.run();
        }
    }
}

void RmClient::finish() {
    linux_vm.run();
    linux_vm.receive();
    require(linux_vm.answered == wanted_, "a reply is missing, wrong, or out of order");
    const Reply me = linux_vm.call(GH_RM_VM_GET_VMID, {});
    require(me.error == 0 && me.payload == wire(U32{GH_VMID_PRIMARY}), "it does not answer");
    for (unsigned i = 0; i < vms_; ++i) {
        vmids_.insert(static_cast<std::uint16_t>(GH_VMID_FIRST_DYNAMIC + i));
    }
    for (const std::uint16_t vmid : vmids_) {
        (void)linux_vm.call(GH_RM_VM_STOP, wire(vmid, U8{GH_RM_VM_STOP_FORCE}, U8{0}, U32{0}));
        (void)linux_vm.vm_call(GH_RM_VM_RESET, vmid);
    }
    for (unsigned n = 1; n <= parcels_; ++n) {
        (void)linux_vm.call(GH_RM_MEM_RECLAIM, wire(parcel(n), U32{0}));
    }
    for (const std::uint16_t vmid : vmids_) {
        (void)linux_vm.vm_call(GH_RM_VM_DEALLOC_VMID, vmid);
    }
    auto counters = linux_vm.counters();
    require(counters["vms"] == 0, "a VM cannot be removed");
    require(counters["parcels"] == 0, "a parcel cannot be reclaimed");
    require(left() == before_, "something is left of VMs that are gone");
}

} // namespace fuzz
