// SPDX-License-Identifier: BSD-3-Clause
// Random lives of VMs, in the model and in the real Resource Manager: every reply, every
// notification and all memory must be as the model says, and nothing is left when all VMs are gone.
#include "sequences.hpp"
#include "vm_model.hpp"

#include "testing/lifecycle_fixture.hpp"

#include <algorithm>
#include <memory>

namespace {

using namespace model;
using rm::testing::operator+;
using rm::testing::Bytes;
using rm::testing::PrimaryLinux;
using rm::testing::Reply;
using rm::testing::wire;
using U8 = std::uint8_t;
using U16 = std::uint16_t;
using U32 = std::uint32_t;
using U64 = std::uint64_t;

constexpr U64 page = 0x1000;
constexpr U64 slot_size = 16 * page;
constexpr U64 tree_offset = 8 * page;
constexpr U64 tree_size = 2 * page;
constexpr Slot slots = 3;
constexpr unsigned vmids = 4;
constexpr std::size_t steps_between_comparisons = 25;

constexpr U64 address_of(Slot slot) {
    return rm::testing::guest_memory + slot * slot_size;
}

enum class Action : unsigned {
    allocate,
    allocate_any,
    give,
    config_image,
    initialise,
    start,
    stop,
    end_guest,
    reset,
    deallocate,
    reclaim,
    resources,
    end_all,
};
constexpr unsigned actions = 13;

class VmWorld {
public:
    VmWorld() : resting_(left()) {}

    /// Makes one request of the creator, or ends a guest. Something is wrong if that gives a text.
    std::optional<std::string> make(const Step& step);
    /// Compares whose all memory is.
    std::optional<std::string> compare();
    /// Takes down what there is; nothing may be left.
    std::optional<std::string> end();
    [[nodiscard]] const std::string& last() const { return last_; }

    static std::map<std::string, std::pair<std::size_t, std::size_t>>& tallies() {
        static std::map<std::string, std::pair<std::size_t, std::size_t>> all;
        return all;
    }

private:
    struct Left {
        std::size_t objects, capabilities, virqs;
        bool operator==(const Left&) const = default;
    };
    Left left() {
        return {linux_.model.objects(), linux_.model.capabilities(), linux_.virqs.used()};
    }

    /// The request, whose answer must be as the verdict says.
    std::optional<std::string> agree(const char* name, const Verdict& verdict, U32 id,
                                     const Bytes& payload);
    std::optional<std::string> allocate(Vmid wanted);
    std::optional<std::string> give(bool lend, Slot slot, Vmid vmid);
    std::optional<std::string> initialise(Vmid vmid);
    std::optional<std::string> stop(Vmid vmid);
    std::optional<std::string> reset(Vmid vmid);
    std::optional<std::string> reclaim(Handle handle);
    std::optional<std::string> expect_zeroed(Slot slot);
    std::optional<std::string> end_all();
    std::optional<std::string> end_guest(Vmid vmid);
    std::optional<std::string> expect_told(U32 id, const Bytes& payload);
    std::optional<std::string> expect_told_nothing();
    std::optional<std::string> compare_spaces();
    Handle some_handle(U32 number, Vmid vmid) const;
    [[nodiscard]] Action sensible(Vmid vmid) const;

    PrimaryLinux linux_;
    Left resting_;
    VmModel model_;
    Bytes answer_;
    std::string last_;
};

Bytes vm_request(Vmid vmid) {
    return wire(vmid, U16{0});
}

std::optional<std::string> VmWorld::agree(const char* name, const Verdict& verdict, U32 id,
                                          const Bytes& payload) {
    linux_.log.lines.clear();
    const Reply reply = linux_.call(id, payload);
    answer_ = reply.payload;
    last_ = fmt::format("{}: {:#x}", last_, reply.error);
    auto& [made, succeeded] = tallies()[name];
    ++made;
    succeeded += reply.error == GH_RM_ERROR_OK ? 1 : 0;
    if (verdict.allows(reply.error)) {
        return std::nullopt;
    }
    return fmt::format("{} answers {:#x}, and should {}; {}", name, reply.error,
                       verdict.any_error ? "fail" : fmt::format("{:#x}", verdict.code),
                       linux_.log.lines);
}

std::optional<std::string> VmWorld::expect_told_nothing() {
    return linux_.notifications.empty()
               ? std::nullopt
               : std::optional(
                     fmt::format("{} notifications, and none is due", linux_.notifications.size()));
}

std::optional<std::string> VmWorld::expect_told(U32 id, const Bytes& payload) {
    const auto told = std::exchange(linux_.notifications, {});
    const bool right = told.size() == 1 && told[0].id == id && told[0].payload == payload;
    return right ? std::nullopt
                 : std::optional(
                       fmt::format("{} notifications, and one {:#x} is due", told.size(), id));
}

Bytes exit_notice(Vmid vmid, unsigned type) {
    return wire(vmid, static_cast<U16>(type), U32{4}, U32{0});
}

std::optional<std::string> VmWorld::allocate(Vmid wanted) {
    const Verdict verdict = model_.allocate(wanted);
    auto wrong = agree("VM_ALLOC_VMID", verdict, GH_RM_VM_ALLOC_VMID, wire(wanted, U16{0}));
    if (!wrong && wanted == 0) {
        const bool fresh = answer_.size() == 4 && model_.allocated(rm::Reader(answer_).u16());
        wrong = fresh ? wrong : std::optional<std::string>("a VMID that is taken");
    }
    return wrong;
}

std::optional<std::string> VmWorld::give(bool lend, Slot slot, Vmid vmid) {
    const Bytes own = lend ? Bytes() : wire(U16{GH_VMID_PRIMARY}, U8{7}, U8{0});
    const Verdict verdict = model_.give(lend, slot, vmid);
    auto wrong =
        agree(lend ? "MEM_LEND" : "MEM_SHARE", verdict, lend ? GH_RM_MEM_LEND : GH_RM_MEM_SHARE,
              wire(U32{0}, U32{0}, U32{lend ? 1U : 2U}, vmid, U8{7}, U8{0}) + own +
                  wire(U16{1}, U16{0}, address_of(slot), slot_size, U32{0}));
    if (!wrong && verdict.succeeds()) {
        const bool fresh = answer_.size() == 4 && model_.given(rm::Reader(answer_).u32());
        wrong = fresh ? wrong : std::optional<std::string>("a handle that is taken");
    }
    return wrong;
}

std::optional<std::string> VmWorld::initialise(Vmid vmid) {
    // The image and its tree: a VMM would have put them there before it gave the memory.
    const auto vm = model_.vms().find(vmid);
    const auto image =
        vm == model_.vms().end() ? model_.parcels().end() : model_.parcels().find(vm->second.image);
    if (image != model_.parcels().end()) {
        linux_.place_guest(address_of(image->second.slot), tree_offset, {.cpus = 1, .bells = 1});
    }
    return agree("VM_INIT", model_.initialise(vmid), GH_RM_VM_INIT, vm_request(vmid));
}

std::optional<std::string> VmWorld::stop(Vmid vmid) {
    const Verdict verdict = model_.stop(vmid);
    auto wrong = agree("VM_STOP", verdict, GH_RM_VM_STOP,
                       wire(vmid, U8{GH_RM_VM_STOP_FORCE}, U8{0}, U32{3}));
    if (!wrong && verdict.succeeds()) {
        wrong = expect_told(GH_RM_NOTIF_VM_EXITED, exit_notice(vmid, GH_RM_EXIT_STOP_FORCED));
    }
    return wrong;
}

std::optional<std::string> VmWorld::reset(Vmid vmid) {
    const Verdict verdict = model_.reset(vmid);
    auto wrong = agree("VM_RESET", verdict, GH_RM_VM_RESET, vm_request(vmid));
    if (!wrong && verdict.succeeds()) {
        wrong = expect_told(GH_RM_NOTIF_VM_STATUS,
                            wire(vmid, U16{0}, U8{GH_RM_VM_STATUS_RESET}, U8{0}, U16{0}));
    }
    return wrong;
}

std::optional<std::string> VmWorld::reclaim(Handle handle) {
    const auto found = model_.parcels().find(handle);
    const auto parcel =
        found == model_.parcels().end() ? std::nullopt : std::optional(found->second);
    const Verdict verdict = model_.reclaim(handle);
    auto wrong = agree("MEM_RECLAIM", verdict, GH_RM_MEM_RECLAIM, wire(handle, U32{0}));
    return !wrong && verdict.succeeds() && parcel->lent ? expect_zeroed(parcel->slot) : wrong;
}

std::optional<std::string> VmWorld::expect_zeroed(Slot slot) {
    for (U64 at = 0; at < slot_size; at += page) {
        const std::byte* bytes = linux_.model.physical(address_of(slot) + at);
        if (std::any_of(bytes, bytes + page, [](std::byte each) { return each != std::byte{}; })) {
            return "lent memory comes back with what its VM had in it";
        }
    }
    return std::nullopt;
}

std::optional<std::string> VmWorld::end_all() {
    const auto parcels = model_.parcels();
    auto wrong = agree("END_ALL", model_.end_all(), GH_RM_END_ALL, {});
    for (const auto& [handle, parcel] : parcels) {
        wrong = wrong || !parcel.lent ? wrong : expect_zeroed(parcel.slot);
    }
    return wrong ? wrong : compare();
}

std::optional<std::string> VmWorld::end_guest(Vmid vmid) {
    if (!model_.guest_ends(vmid)) {
        return std::nullopt;
    }
    linux_.halt_vcpu(vmid, 0, rm::testing::powered_off);
    linux_.run();
    linux_.receive();
    return expect_told(GH_RM_NOTIF_VM_EXITED, exit_notice(vmid, GH_RM_EXIT_PLATFORM_OFF));
}

/// Mostly the VM's own one, or any that there is.
Handle VmWorld::some_handle(U32 number, Vmid vmid) const {
    const auto& all = model_.parcels();
    if (all.empty() || number % 16 == 0) {
        return number / 16 % 64;
    }
    const auto own = std::find_if(all.begin(), all.end(),
                                  [&](const auto& each) { return each.second.vmid == vmid; });
    return own != all.end() && number % 16 < 12
               ? own->first
               : std::next(all.begin(), static_cast<long>(number / 16 % all.size()))->first;
}

/// What a creator would do next with the VM.
Action VmWorld::sensible(Vmid vmid) const {
    const auto vm = model_.vms().find(vmid);
    if (vm == model_.vms().end()) {
        return Action::allocate;
    }
    const bool has_memory = std::any_of(model_.parcels().begin(), model_.parcels().end(),
                                        [&](const auto& each) { return each.second.vmid == vmid; });
    switch (vm->second.state) {
    case VmModel::State::load:
    case VmModel::State::reset:
        return has_memory ? Action::config_image : Action::give;
    case VmModel::State::init:
        return Action::initialise;
    case VmModel::State::ready:
        return Action::start;
    case VmModel::State::running:
        return Action::end_guest;
    default:
        return Action::reset;
    }
}

std::optional<std::string> VmWorld::make(const Step& step) {
    const auto vmid = static_cast<Vmid>(GH_VMID_FIRST_DYNAMIC + step[1] % vmids);
    const Slot slot = step[2] % slots;
    const Handle handle = some_handle(step[3], vmid);
    auto action = step[5] % 2 == 0 ? sensible(vmid) : static_cast<Action>(step[0] % actions);
    if (action == Action::end_all && step[4] % 8 != 0) {
        action = Action::reclaim; // else no VM would get far
    }
    last_ = fmt::format("action {}, VM {:#x}, slot {}, parcel {:#x}", static_cast<unsigned>(action),
                        vmid, slot, handle);
    const auto wrong = [&]() -> std::optional<std::string> {
        switch (action) {
        case Action::allocate:
            return allocate(step[4] % 2 == 0 ? Vmid{0} : vmid);
        case Action::allocate_any:
            return allocate(static_cast<Vmid>(step[4] % 0x100));
        case Action::give:
            return give(step[4] % 2 == 0, slot, vmid);
        case Action::config_image:
            return agree("VM_CONFIG_IMAGE", model_.config_image(vmid, handle),
                         GH_RM_VM_CONFIG_IMAGE,
                         wire(vmid, U16{0}, handle, U64{0}, U64{0}, tree_offset, tree_size));
        case Action::initialise:
            return initialise(vmid);
        case Action::start:
            return agree("VM_START", model_.start(vmid), GH_RM_VM_START, vm_request(vmid));
        case Action::stop:
            return stop(vmid);
        case Action::end_guest:
            return end_guest(vmid);
        case Action::reset:
            return reset(vmid);
        case Action::deallocate:
            return agree("VM_DEALLOC_VMID", model_.deallocate(vmid), GH_RM_VM_DEALLOC_VMID,
                         vm_request(vmid));
        case Action::reclaim:
            return reclaim(handle);
        case Action::resources:
            return agree("VM_GET_HYP_RESOURCES", model_.resources(vmid), GH_RM_VM_GET_HYP_RESOURCES,
                         vm_request(vmid));
        case Action::end_all:
            return end_all();
        }
        return "no such action";
    }();
    return wrong ? wrong : expect_told_nothing();
}

/// Each VM has its image in its address space from VM_INIT to VM_RESET, and nothing else.
std::optional<std::string> VmWorld::compare_spaces() {
    std::map<Vmid, std::set<U64>> wanted;
    for (const auto& [handle, parcel] : model_.parcels()) {
        for (U64 at = 0; parcel.user != 0 && at < slot_size; at += page) {
            wanted[parcel.user].insert(address_of(parcel.slot) + at);
        }
    }
    std::map<Vmid, std::set<U64>> found;
    for (const auto& space : linux_.model.all(rm::ObjectType::addrspace)) {
        for (const auto& [ipa, mapping] : space->pages) {
            if (space->vmid >= GH_VMID_FIRST_DYNAMIC && space->vmid != GH_VMID_RM) {
                found[static_cast<Vmid>(space->vmid)].insert(mapping.physical);
            }
        }
    }
    return wanted == found ? std::nullopt
                           : std::optional<std::string>("VMs have other memory than they should");
}

std::optional<std::string> VmWorld::compare() {
    if (auto wrong = compare_spaces()) {
        return wrong;
    }
    for (Slot slot = 0; slot < slots; ++slot) {
        if (linux_.space->pages.contains(address_of(slot)) && !model_.is_creators(slot)) {
            return fmt::format("the creator still has slot {}", slot);
        }
    }
    const auto counters = linux_.counters();
    if (counters.at("vms") != model_.vms().size() ||
        counters.at("parcels") != model_.parcels().size()) {
        return fmt::format("{} VMs and {} parcels instead of {} and {}", counters.at("vms"),
                           counters.at("parcels"), model_.vms().size(), model_.parcels().size());
    }
    return std::nullopt;
}

std::optional<std::string> VmWorld::end() {
    std::set<Vmid> all;
    for (const auto& [vmid, vm] : model_.vms()) {
        all.insert(vmid);
    }
    std::optional<std::string> wrong;
    for (const Vmid vmid : all) {
        wrong = wrong ? wrong : stop(vmid);
        wrong = wrong ? wrong : reset(vmid);
        wrong = wrong ? wrong
                      : agree("VM_DEALLOC_VMID", model_.deallocate(vmid), GH_RM_VM_DEALLOC_VMID,
                              vm_request(vmid));
    }
    while (!wrong && !model_.parcels().empty()) {
        wrong = reclaim(model_.parcels().begin()->first);
    }
    wrong = wrong ? wrong : compare();
    if (!wrong && !(left() == resting_)) {
        wrong = fmt::format("{} objects, {} capabilities, {} interrupts instead of {}, {}, {}",
                            left().objects, left().capabilities, left().virqs, resting_.objects,
                            resting_.capabilities, resting_.virqs);
    }
    return wrong;
}

std::optional<Failure> run(const Steps& steps, std::string* told) {
    VmWorld world;
    for (std::size_t i = 0; i < steps.size(); ++i) {
        auto wrong = world.make(steps[i]);
        if (told != nullptr) {
            *told += world.last() + "\n";
        }
        if (!wrong && (i + 1) % steps_between_comparisons == 0) {
            wrong = world.compare();
        }
        if (wrong) {
            return Failure{*wrong, i + 1};
        }
    }
    const auto wrong = world.end();
    return wrong ? std::optional(Failure{*wrong, steps.size()}) : std::nullopt;
}

TEST(VmLockStep, ResourceManagerAndModelAgree) {
    // A request is a dozen hypercalls and more.
    ASSERT_EQ(run_sequences(wanted_steps() / 10, first_seed(), run), "");
    for (const auto& [request, tally] : VmWorld::tallies()) {
        std::printf("%8zu of %8zu succeeded: %s\n", tally.second, tally.first, request.c_str());
        EXPECT_GE(tally.second * 100, tally.first) << request << " shows little";
    }
}

} // namespace
