// SPDX-License-Identifier: BSD-3-Clause
// RmClient: a primary VM whose driver sends whatever the fuzzer wants, and knows which replies it
// must get for that.
#pragma once

#include "testing/primary_linux.hpp"

#include <array>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace fuzz {

/// All requests that RM serves, and others.
inline constexpr std::array request_ids{GH_RM_MEM_LEND,
                                        GH_RM_MEM_SHARE,
                                        GH_RM_MEM_RECLAIM,
                                        GH_RM_MEM_APPEND,
                                        GH_RM_VM_ALLOC_VMID,
                                        GH_RM_VM_DEALLOC_VMID,
                                        GH_RM_VM_START,
                                        GH_RM_VM_STOP,
                                        GH_RM_VM_RESET,
                                        GH_RM_VM_INIT,
                                        GH_RM_VM_GET_HYP_RESOURCES,
                                        GH_RM_VM_GET_VMID,
                                        GH_RM_GET_COUNTERS,
                                        GH_RM_END_ALL,
                                        GH_RM_VM_CONFIG_IMAGE,
                                        GH_RM_VM_SET_FIRMWARE_MEM,
                                        GH_RM_MEM_DONATE,
                                        GH_RM_MEM_ACCEPT,
                                        GH_RM_MEM_RELEASE,
                                        GH_RM_NOTIF_VM_EXITED};

class RmClient {
public:
    RmClient();
    /// Before each input. One client serves many: booting the Resource Manager takes longer.
    void begin();

    /// One message as it is, if the queue has room.
    void send(const rm::testing::Bytes& message);
    /// A request in as many messages as it needs. Where the queue is full, RM works first.
    void request(std::uint32_t id, const rm::testing::Bytes& payload);
    /// Takes messages of RM; the queue of its answers may be full before.
    void receive() { linux_vm.receive(); }

    /// Ends all VMs and parcels. Aborts if RM does not answer any more, has not answered each
    /// complete request, in their order, or does not have what it had at first.
    void finish();

    /// The handle that the n-th parcel of this input has if RM makes it (from 1).
    [[nodiscard]] std::uint32_t parcel(unsigned n) const { return last_handle_ + n; }

    rm::testing::PrimaryLinux linux_vm;

private:
    struct Left {
        std::size_t objects, capabilities, pages, virqs;
        bool operator==(const Left&) const = default;
    };
    using Answered = std::vector<std::pair<std::uint16_t, std::uint32_t>>; // sequence, id

    Left left();
    void note(const rm::testing::Bytes& message);
    void complete();

    Left before_;
    Answered wanted_;
    std::uint32_t last_handle_ = 0; // of a parcel, before this input
    // The request that is being sent, as the protocol has it.
    struct Unfinished {
        std::uint8_t fragments;
        std::uint16_t sequence;
        std::uint32_t id;
        unsigned missing;
        rm::testing::Bytes payload;
    };
    std::optional<Unfinished> unfinished_;
    std::uint16_t sequence_ = 0x4000;
    unsigned parcels_ = 0, vms_ = 0; // at most so many were made
    std::set<std::uint16_t> vmids_;  // that requests named
};

} // namespace fuzz
