// SPDX-License-Identifier: BSD-3-Clause
// What the Resource Manager's protocol says of VMs and parcels of one creator: which request is
// possible when, and whose each piece of memory is. Written from the protocol (RM RPC of the v11
// series, docs/interfaces.md), not from the Resource Manager.
#pragma once

#include <abi/rm_rpc.h>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace model {

using Vmid = std::uint16_t;
using Handle = std::uint32_t;
using Slot = unsigned; // a piece of the creator's memory, as large as one VM needs

/// What a request is answered with.
struct Verdict {
    static Verdict ok() { return {GH_RM_ERROR_OK, false}; }
    static Verdict error(std::uint32_t error) { return {error, false}; }
    /// An error, but the protocol does not say which.
    static Verdict refused() { return {0, true}; }

    std::uint32_t code;
    bool any_error;

    [[nodiscard]] bool allows(std::uint32_t answer) const {
        return any_error ? answer != GH_RM_ERROR_OK : answer == code;
    }
    [[nodiscard]] bool succeeds() const { return !any_error && code == GH_RM_ERROR_OK; }
};

class VmModel {
public:
    enum class State { load, init, ready, running, exited, init_failed, reset };
    struct Vm {
        State state = State::load;
        Handle image = 0;
    };
    struct Parcel {
        bool lent;
        Slot slot;
        Vmid vmid;
        Vmid user; // has it in its address space; 0: none
    };

    // Each says how the request is to be answered, and, if that succeeds, is it.
    Verdict allocate(Vmid wanted);
    Verdict give(bool lend, Slot slot, Vmid vmid); // MEM_SHARE, MEM_LEND; then given()
    Verdict config_image(Vmid vmid, Handle image);
    Verdict initialise(Vmid vmid);
    Verdict start(Vmid vmid);
    Verdict stop(Vmid vmid);
    Verdict reset(Vmid vmid);
    Verdict deallocate(Vmid vmid);
    Verdict reclaim(Handle handle);
    Verdict end_all(); // a creator that starts anew
    [[nodiscard]] Verdict resources(Vmid vmid) const;
    /// The guest ends by itself. True: its creator is told.
    bool guest_ends(Vmid vmid);

    /// The VMID that was chosen for allocate(0). False: it is taken.
    bool allocated(Vmid vmid) { return vms_.try_emplace(vmid).second; }
    /// The handle of what was just given. False: it is taken.
    bool given(Handle handle) { return parcels_.try_emplace(handle, last_given_).second; }

    [[nodiscard]] const std::map<Vmid, Vm>& vms() const { return vms_; }
    [[nodiscard]] const std::map<Handle, Parcel>& parcels() const { return parcels_; }
    /// Whether the creator can reach it.
    [[nodiscard]] bool is_creators(Slot slot) const { return lender_of(slot) == nullptr; }

private:
    using States = std::set<State>;
    /// Answers VMID_INVALID or VM_STATE, where the VM is not in one of these states.
    [[nodiscard]] std::optional<Verdict> unless(Vmid vmid, const States& states) const;
    [[nodiscard]] Verdict usable_image(Vmid vmid, Handle image) const;
    [[nodiscard]] const Parcel* lender_of(Slot slot) const;

    std::map<Vmid, Vm> vms_;
    std::map<Handle, Parcel> parcels_;
    Parcel last_given_{};
};

} // namespace model
