// SPDX-License-Identifier: BSD-3-Clause
// The requests of a VM's creator, one after the other.
#include "vm_model.hpp"

#include <algorithm>

namespace model {

std::optional<Verdict> VmModel::unless(Vmid vmid, const States& states) const {
    const auto vm = vms_.find(vmid);
    if (vm == vms_.end()) {
        return Verdict::error(GH_RM_ERROR_VMID_INVALID);
    }
    if (!states.contains(vm->second.state)) {
        return Verdict::error(GH_RM_ERROR_VM_STATE);
    }
    return std::nullopt;
}

const VmModel::Parcel* VmModel::lender_of(Slot slot) const {
    const auto found = std::find_if(parcels_.begin(), parcels_.end(), [&](const auto& each) {
        return each.second.lent && each.second.slot == slot;
    });
    return found == parcels_.end() ? nullptr : &found->second;
}

Verdict VmModel::allocate(Vmid wanted) {
    if (wanted == 0) {
        return Verdict::ok();
    }
    if (wanted < GH_VMID_FIRST_DYNAMIC || wanted == GH_VMID_RM) {
        return Verdict::error(GH_RM_ERROR_VMID_INVALID);
    }
    return vms_.try_emplace(wanted).second ? Verdict::ok() : Verdict::error(GH_RM_ERROR_IN_USE);
}

/// Memory is lent once, and only when no other VM has it in its address space: it has one owner.
Verdict VmModel::give(bool lend, Slot slot, Vmid vmid) {
    if (!vms_.contains(vmid)) {
        return Verdict::error(GH_RM_ERROR_VMID_INVALID);
    }
    const bool others_have_it =
        std::any_of(parcels_.begin(), parcels_.end(), [&](const auto& each) {
            return each.second.slot == slot && (each.second.lent || each.second.user != 0);
        });
    if (lend && others_have_it) {
        return Verdict::refused();
    }
    last_given_ = {lend, slot, vmid, 0};
    return Verdict::ok();
}

Verdict VmModel::config_image(Vmid vmid, Handle image) {
    if (const auto wrong = unless(vmid, {State::load, State::reset})) {
        return *wrong;
    }
    vms_[vmid] = {State::init, image};
    return Verdict::ok();
}

Verdict VmModel::usable_image(Vmid vmid, Handle image) const {
    const auto found = parcels_.find(image);
    if (found == parcels_.end()) {
        return Verdict::error(GH_RM_ERROR_HANDLE_INVALID);
    }
    const Parcel& parcel = found->second;
    if (parcel.user != 0) {
        return Verdict::error(GH_RM_ERROR_MEM_INUSE);
    }
    if (parcel.vmid != vmid) {
        return Verdict::error(GH_RM_ERROR_DENIED);
    }
    const Parcel* lender = lender_of(parcel.slot);
    if (lender != nullptr && lender != &parcel) {
        return Verdict::refused(); // shared by somebody who has lent it since
    }
    // Only its image has an address in a VM's configuration.
    const bool more = std::any_of(parcels_.begin(), parcels_.end(), [&](const auto& each) {
        return each.first != image && each.second.vmid == vmid && each.second.user == 0;
    });
    return more ? Verdict::error(GH_RM_ERROR_UNIMPLEMENTED) : Verdict::ok();
}

Verdict VmModel::initialise(Vmid vmid) {
    if (const auto wrong = unless(vmid, {State::init})) {
        return *wrong;
    }
    Vm& vm = vms_.at(vmid);
    const Verdict verdict = usable_image(vmid, vm.image);
    vm.state = verdict.succeeds() ? State::ready : State::init_failed;
    if (verdict.succeeds()) {
        parcels_.at(vm.image).user = vmid;
    }
    return verdict;
}

Verdict VmModel::start(Vmid vmid) {
    if (const auto wrong = unless(vmid, {State::ready})) {
        return *wrong;
    }
    vms_.at(vmid).state = State::running;
    return Verdict::ok();
}

Verdict VmModel::stop(Vmid vmid) {
    if (const auto wrong = unless(vmid, {State::running})) {
        return *wrong;
    }
    vms_.at(vmid).state = State::exited;
    return Verdict::ok();
}

bool VmModel::guest_ends(Vmid vmid) {
    const bool runs = !unless(vmid, {State::running});
    if (runs) {
        vms_.at(vmid).state = State::exited;
    }
    return runs;
}

Verdict VmModel::reset(Vmid vmid) {
    if (const auto wrong =
            unless(vmid, {State::init, State::ready, State::exited, State::init_failed})) {
        return *wrong;
    }
    vms_.at(vmid).state = State::reset;
    for (auto& [handle, parcel] : parcels_) {
        parcel.user = parcel.user == vmid ? Vmid{0} : parcel.user;
    }
    return Verdict::ok();
}

Verdict VmModel::deallocate(Vmid vmid) {
    if (const auto wrong = unless(vmid, {State::load, State::reset})) {
        return *wrong;
    }
    vms_.erase(vmid);
    return Verdict::ok();
}

Verdict VmModel::reclaim(Handle handle) {
    const auto found = parcels_.find(handle);
    if (found == parcels_.end()) {
        return Verdict::error(GH_RM_ERROR_HANDLE_INVALID);
    }
    if (found->second.user != 0) {
        return Verdict::error(GH_RM_ERROR_MEM_INUSE);
    }
    parcels_.erase(found);
    return Verdict::ok();
}

Verdict VmModel::end_all() {
    vms_.clear();
    parcels_.clear();
    return Verdict::ok();
}

Verdict VmModel::resources(Vmid vmid) const {
    return unless(vmid, {State::ready, State::running, State::exited}).value_or(Verdict::ok());
}

} // namespace model
