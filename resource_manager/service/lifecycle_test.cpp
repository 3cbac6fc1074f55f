// SPDX-License-Identifier: BSD-3-Clause
// Whole lives of VMs through the RPC interface, on the model: what the driver sees, what exists
// in the hypervisor, and that nothing is left behind whatever goes wrong.
#include "testing/lifecycle_fixture.hpp"

namespace {

using namespace rm::testing;
using rm::Reader;

TEST_F(LifecycleTest, ThePrimaryVmIsAsItShouldBe) {
    const auto vcpu = linux_vm.guest_vcpu(GH_VMID_PRIMARY, 0);
    ASSERT_NE(vcpu, nullptr);
    EXPECT_TRUE(vcpu->powered);
    EXPECT_EQ(vcpu->entry, 0x48000000U);
    EXPECT_EQ(vcpu->options, GH_VCPU_OPTION_HLOS | GH_VCPU_OPTION_EXT_ALL);
    EXPECT_EQ(vcpu->affinity, 0U);
    const auto second = linux_vm.guest_vcpu(GH_VMID_PRIMARY, 1);
    EXPECT_EQ(second->affinity, 1U);
    EXPECT_FALSE(second->powered);
    // The tree is at x0, valid, and in RAM that neither kernel nor initrd uses.
    const std::uint64_t address = vcpu->context;
    EXPECT_EQ(address % 0x200000, 0U);
    std::vector<std::byte> tree;
    for (std::uint64_t i = 0; i < 0x10000; ++i) {
        tree.push_back(*linux_vm.model.physical(address + i));
    }
    EXPECT_EQ(fdt_check_full(tree.data(), tree.size()), 0);
    EXPECT_TRUE(linux_vm.model.cleaned.contains(address));
    EXPECT_TRUE(linux_vm.model.cleaned.contains(0x48000000));
    // Interrupt 33 is kept by the hypervisor; all others are bound to their own numbers.
    const auto vic = vcpu->thread_vic;
    EXPECT_TRUE(vic->bound.contains(32));
    EXPECT_FALSE(vic->bound.contains(33));
    EXPECT_TRUE(vic->bound.contains(287));
    EXPECT_TRUE(vic->bound.contains(288)) << "message queue";
    EXPECT_TRUE(vic->bound.contains(289)) << "message queue";
    // Its capabilities are the two queues, each with one right.
    const auto& slots = vcpu->thread_cspace->slots;
    ASSERT_EQ(slots.size(), 2U);
    std::set<std::uint64_t> rights;
    for (const auto& [id, slot] : slots) {
        rights.insert(slot.rights);
    }
    EXPECT_EQ(rights, (std::set<std::uint64_t>{GH_RIGHT_MSGQUEUE_SEND, GH_RIGHT_MSGQUEUE_RECEIVE}));
    EXPECT_NE(linux_vm.log.lines.find("[rm] starting the primary VM\n"), std::string::npos);
}

TEST_F(LifecycleTest, AGuestLivesAndLeavesNothing) {
    const Snapshot before = snapshot();
    const Guest guest = start();
    EXPECT_EQ(guest.vmid, 0x80);
    auto vcpu = linux_vm.guest_vcpu(guest.vmid, 0);
    ASSERT_NE(vcpu, nullptr);
    EXPECT_EQ(vcpu->entry, 0x80000000U);
    EXPECT_EQ(vcpu->context, 0x80000000U + dtb_offset);
    EXPECT_TRUE(vcpu->powered);
    EXPECT_EQ(vcpu->options, 0U);
    EXPECT_LT(vcpu->priority, unsigned{GH_VCPU_PRIORITY_DEFAULT});
    EXPECT_FALSE(linux_vm.guest_vcpu(guest.vmid, 1)->powered);
    const auto& pages = vcpu->thread_addrspace->pages;
    EXPECT_EQ(pages.size(), guest_size / 4096);
    EXPECT_EQ(pages.at(0x80000000).physical, guest_memory);
    EXPECT_EQ(pages.at(0x80000000).attributes, 0xf0077U);
    EXPECT_EQ(vcpu->thread_addrspace->vmmio.size(), 1U);
    EXPECT_EQ(vcpu->thread_addrspace->vdevices.at(0x3fff0000).first, 0U);
    EXPECT_EQ(vcpu->thread_addrspace->vdevices.at(0x3ffb0000).first, 1U);
    EXPECT_EQ(vcpu->thread_addrspace->vdevices.at(0x3ffd0000).first, 2U);
    EXPECT_NE(snapshot(), before);
    vcpu.reset(); // keeps it alive

    linux_vm.halt_vcpu(guest.vmid, 0, powered_off);
    linux_vm.halt_vcpu(guest.vmid, 1, powered_off);
    settle();
    EXPECT_EQ(exits(guest.vmid), std::vector<unsigned>{1}) << "exactly one VM_EXITED";
    tear_down(guest);
    EXPECT_EQ(snapshot(), before);
    EXPECT_EQ(linux_vm.notifications.back().id, GH_RM_NOTIF_VM_STATUS);
    EXPECT_EQ(linux_vm.notifications.back().payload,
              wire(guest.vmid, U16{0}, U8{GH_RM_VM_STATUS_RESET}, U8{0}, U16{0}));
}

TEST_F(LifecycleTest, ResourcesAreWhatTheDriverLooksFor) {
    const Guest guest = configure();
    EXPECT_EQ(linux_vm.vm_call(GH_RM_VM_GET_HYP_RESOURCES, guest.vmid).error, GH_RM_ERROR_VM_STATE);
    ASSERT_EQ(linux_vm.vm_call(GH_RM_VM_INIT, guest.vmid).error, 0U);
    const Reply reply = linux_vm.vm_call(GH_RM_VM_GET_HYP_RESOURCES, guest.vmid);
    ASSERT_EQ(reply.error, 0U);
    ASSERT_EQ(reply.payload.size(), 4 + 5 * std::size_t{GH_RM_RESOURCE_SIZE});
    Reader reader(reply.payload);
    EXPECT_EQ(reader.u32(), 5U);
    const auto& slots = linux_vm.guest_vcpu(GH_VMID_PRIMARY, 0)->thread_cspace->slots;
    std::set<std::uint32_t> virqs;
    std::map<unsigned, std::set<std::uint32_t>> labels;
    for (int i = 0; i < 5; ++i) {
        const unsigned type = reader.u8();
        EXPECT_EQ(reader.u8(), 0);
        EXPECT_EQ(reader.u16(), guest.vmid);
        reader.u32();
        const std::uint32_t label = reader.u32();
        const std::uint64_t cap = reader.u64();
        reader.u32();
        const std::uint32_t virq = reader.u32();
        reader.u64();
        reader.u64();
        labels[type].insert(label);
        ASSERT_TRUE(slots.contains(cap));
        if (type == GH_RM_RESOURCE_VCPU) {
            EXPECT_EQ(slots.at(cap).object, linux_vm.guest_vcpu(guest.vmid, label));
            EXPECT_EQ(slots.at(cap).rights, GH_RIGHT_THREAD_STATE);
            EXPECT_EQ(slots.at(cap).object->bindings.at(GH_VCPU_VIRQ_RUN_WAKEUP).second, virq);
            EXPECT_GT(virq, 289U);
            virqs.insert(virq);
        } else {
            EXPECT_EQ(virq, 0U);
            EXPECT_EQ(slots.at(cap).rights, GH_RIGHT_DOORBELL_SEND | GH_RIGHT_DOORBELL_RECEIVE);
        }
    }
    EXPECT_TRUE(reader.finished());
    EXPECT_EQ(virqs.size(), 2U);
    EXPECT_EQ(labels[GH_RM_RESOURCE_VCPU], (std::set<std::uint32_t>{0, 1}));
    EXPECT_EQ(labels[GH_RM_RESOURCE_BELL_TX], (std::set<std::uint32_t>{0, 1, 2}));
    tear_down(guest);
}

TEST_F(LifecycleTest, WatchdogIsTheVmsAndItsBiteIsReported) {
    const Snapshot before = snapshot();
    const Guest guest = start(guest_memory, {.bark = 9});
    auto first = linux_vm.guest_vcpu(guest.vmid, 0)->thread_watchdog;
    ASSERT_NE(first, nullptr);
    EXPECT_TRUE(first->active);
    EXPECT_EQ(linux_vm.guest_vcpu(guest.vmid, 1)->thread_watchdog, first);
    EXPECT_EQ(linux_vm.guest_vcpu(guest.vmid, 0)->thread_vic->bound.at(41), first.get());
    linux_vm.halt_vcpu(guest.vmid, 0, {GH_VCPU_STATE_FAULT, {GH_VCPU_FAULT_WATCHDOG_BITE}});
    settle();
    EXPECT_EQ(exits(guest.vmid), std::vector<unsigned>{GH_RM_EXIT_WATCHDOG_BITE});
    first.reset(); // kept it alive
    tear_down(guest);
    EXPECT_EQ(snapshot(), before);
}

TEST_F(LifecycleTest, StolenTimeIsInTheGuestsOwnMemory) {
    constexpr std::uint64_t at = 0x80000000 + guest_size - 0x10000;
    const Snapshot before = snapshot();
    const Guest guest = start(guest_memory, {.feature = "pv-time", .initrd_end = at});
    EXPECT_EQ(linux_vm.guest_vcpu(guest.vmid, 0)->stolen_time, at);
    EXPECT_EQ(linux_vm.guest_vcpu(guest.vmid, 1)->stolen_time, at + 64);
    std::vector<std::byte> tree(dtb_size);
    for (std::size_t i = 0; i < tree.size(); ++i) {
        tree[i] = *linux_vm.model.physical(guest_memory + dtb_offset + i);
    }
    const auto memory =
        rm::dt::property(tree.data(), fdt_path_offset(tree.data(), "/memory@80000000"), "reg");
    ASSERT_TRUE(memory.has_value());
    EXPECT_EQ(rm::dt::number(*memory, 2, 2), guest_size - 0x10000);
    stop(guest);
    tear_down(guest);
    EXPECT_EQ(snapshot(), before);
}

TEST_F(LifecycleTest, StolenTimeTakesNoMemoryInUse) {
    const std::uint64_t at = 0x80000000 + guest_size - 0x10000;
    const Guest guest = configure(guest_memory, {.feature = "pv-time", .initrd_end = at + 1});
    EXPECT_EQ(linux_vm.vm_call(GH_RM_VM_INIT, guest.vmid).error, GH_RM_ERROR_VALIDATE_FAILED);
    tear_down(guest);
}

TEST_F(LifecycleTest, TheGuestSeesRmsTree) {
    const Guest guest = start();
    std::vector<std::byte> tree(dtb_size);
    for (std::size_t i = 0; i < tree.size(); ++i) {
        tree[i] = *linux_vm.model.physical(guest_memory + dtb_offset + i);
    }
    ASSERT_EQ(fdt_check_full(tree.data(), tree.size()), 0);
    EXPECT_GE(fdt_path_offset(tree.data(), "/hypervisor/qcom,gunyah-vm"), 0);
    EXPECT_GE(fdt_path_offset(tree.data(), "/memory@80000000"), 0);
    EXPECT_TRUE(linux_vm.model.cleaned.contains(guest_memory + dtb_offset));
    EXPECT_TRUE(linux_vm.model.cleaned.contains(guest_memory)) << "no Image: all of it";
    EXPECT_EQ(linux_vm.vm_call(GH_RM_VM_RESET, guest.vmid).error, GH_RM_ERROR_VM_STATE);
    stop(guest);
    tear_down(guest);
}

TEST_F(LifecycleTest, EveryWayToEndHasItsType) {
    struct {
        rm::VcpuState state;
        unsigned type;
    } const cases[] = {
        {powered_off, 1},
        {{GH_VCPU_STATE_PSCI_SYSTEM_RESET, {std::uint64_t{1} << 63}}, 2},
        {{GH_VCPU_STATE_PSCI_SYSTEM_RESET, {5, 6}}, 3},
        {{GH_VCPU_STATE_FAULT, {}}, 5},
    };
    for (const auto& each : cases) {
        const Guest guest = start();
        linux_vm.notifications.clear();
        // One CPU that switches itself off is no end, and a sleeping one neither.
        linux_vm.halt_vcpu(guest.vmid, 1,
                           {GH_VCPU_STATE_POWERED_OFF, {GH_VCPU_POWEROFF_RECOVERABLE}});
        settle();
        linux_vm.halt_vcpu(guest.vmid, 1, {GH_VCPU_STATE_EXPECTS_WAKEUP, {}});
        settle();
        EXPECT_TRUE(exits(guest.vmid).empty());
        linux_vm.halt_vcpu(guest.vmid, 1, each.state);
        settle();
        EXPECT_EQ(exits(guest.vmid), std::vector<unsigned>{each.type});
        tear_down(guest);
    }
}

TEST_F(LifecycleTest, AForcedStopEndsTheVm) {
    const Guest guest = start();
    const auto vcpu = linux_vm.guest_vcpu(guest.vmid, 0);
    EXPECT_EQ(linux_vm.call(GH_RM_VM_STOP, wire(guest.vmid, U8{0}, U8{0}, U32{0})).error,
              GH_RM_ERROR_UNIMPLEMENTED);
    EXPECT_FALSE(vcpu->killed);
    EXPECT_EQ(linux_vm.call(GH_RM_VM_STOP, wire(guest.vmid, U8{1}, U8{0}, U32{3})).error, 0U);
    EXPECT_TRUE(vcpu->killed);
    EXPECT_EQ(exits(guest.vmid), std::vector<unsigned>{7});
    EXPECT_EQ(linux_vm.call(GH_RM_VM_STOP, wire(guest.vmid, U8{1}, U8{0}, U32{3})).error,
              GH_RM_ERROR_VM_STATE);
    tear_down(guest);
}

TEST_F(LifecycleTest, ResetFromLoadIsRefusedAndBreaksNothing) {
    const Snapshot before = snapshot();
    const std::uint16_t vmid = linux_vm.alloc();
    EXPECT_EQ(linux_vm.vm_call(GH_RM_VM_RESET, vmid).error, GH_RM_ERROR_VM_STATE);
    EXPECT_EQ(linux_vm.vm_call(GH_RM_VM_START, vmid).error, GH_RM_ERROR_VM_STATE);
    EXPECT_EQ(linux_vm.vm_call(GH_RM_VM_INIT, vmid).error, GH_RM_ERROR_VM_STATE);
    EXPECT_EQ(linux_vm.vm_call(GH_RM_VM_DEALLOC_VMID, vmid).error, 0U);
    EXPECT_EQ(linux_vm.vm_call(GH_RM_VM_DEALLOC_VMID, vmid).error, GH_RM_ERROR_VMID_INVALID);
    EXPECT_EQ(snapshot(), before);
    const Guest guest = start();
    stop(guest);
    tear_down(guest);
    EXPECT_EQ(snapshot(), before);
}

TEST_F(LifecycleTest, AVmidCanLiveTwice) {
    const Snapshot before = snapshot();
    const Guest guest = start();
    linux_vm.halt_vcpu(guest.vmid, 0, powered_off);
    settle();
    ASSERT_EQ(linux_vm.vm_call(GH_RM_VM_RESET, guest.vmid).error, 0U);
    linux_vm.place_guest(guest_memory, dtb_offset);
    ASSERT_EQ(linux_vm.config_image(guest.vmid, guest.parcel, dtb_offset, dtb_size).error, 0U);
    ASSERT_EQ(linux_vm.vm_call(GH_RM_VM_INIT, guest.vmid).error, 0U);
    ASSERT_EQ(linux_vm.vm_call(GH_RM_VM_START, guest.vmid).error, 0U);
    linux_vm.halt_vcpu(guest.vmid, 0, powered_off);
    settle();
    EXPECT_EQ(exits(guest.vmid), (std::vector<unsigned>{1, 1}));
    tear_down(guest);
    EXPECT_EQ(snapshot(), before);
}

TEST_F(LifecycleTest, MemoryInUseCannotBeReclaimed) {
    const Guest guest = start();
    EXPECT_EQ(reclaim(guest.parcel).error, GH_RM_ERROR_MEM_INUSE);
    EXPECT_EQ(reclaim(guest.parcel + 100).error, GH_RM_ERROR_HANDLE_INVALID);
    linux_vm.halt_vcpu(guest.vmid, 0, powered_off);
    settle();
    EXPECT_EQ(reclaim(guest.parcel).error, GH_RM_ERROR_MEM_INUSE) << "until the reset";
    tear_down(guest);
    EXPECT_EQ(reclaim(guest.parcel).error, GH_RM_ERROR_HANDLE_INVALID);
}

TEST_F(LifecycleTest, ACreatorThatStartsAnewFindsNothing) {
    const Snapshot before = snapshot();
    start();
    start(guest_memory + guest_size);
    EXPECT_EQ(linux_vm.call(GH_RM_END_ALL, wire(U32{0})).error, GH_RM_ERROR_ARGUMENT_INVALID);
    EXPECT_EQ(linux_vm.counters().at("vms"), 2U);
    EXPECT_EQ(linux_vm.call(GH_RM_END_ALL, {}).error, GH_RM_ERROR_OK);
    EXPECT_TRUE(linux_vm.notifications.empty()) << "who would be told knows of no VM";
    EXPECT_EQ(snapshot(), before);
}

TEST_F(LifecycleTest, TwentyGuestsAtOnceAllEndTogether) {
    const Snapshot before = snapshot();
    std::vector<Guest> guests;
    for (unsigned i = 0; i < 20; ++i) {
        guests.push_back(start(guest_memory + i * guest_size));
    }
    // All end while the driver reads nothing: every VM_EXITED arrives all the same.
    for (const Guest& guest : guests) {
        for (unsigned vcpu = 0; vcpu < 2; ++vcpu) {
            linux_vm.halt_vcpu(guest.vmid, vcpu, powered_off);
        }
    }
    linux_vm.run();
    std::uint16_t sequence = 0x8000;
    for (const Guest& guest : guests) {
        while (!linux_vm.send(GH_RM_VM_RESET, sequence, wire(guest.vmid, U16{0}))) {
            linux_vm.run();
            linux_vm.receive();
        }
        ++sequence;
    }
    settle();
    EXPECT_EQ(linux_vm.replies.size(), guests.size());
    for (const Guest& guest : guests) {
        EXPECT_EQ(exits(guest.vmid).size(), 1U);
        EXPECT_EQ(reclaim(guest.parcel).error, 0U);
        EXPECT_EQ(linux_vm.vm_call(GH_RM_VM_DEALLOC_VMID, guest.vmid).error, 0U);
    }
    linux_vm.replies.clear();
    EXPECT_EQ(snapshot(), before);
}

/// Fails every hypercall of VM_INIT and VM_START once, one after the other.
TEST_F(LifecycleTest, WhateverFailsNothingIsLeft) {
    const Snapshot before = snapshot();
    std::size_t failures = 0;
    for (std::size_t n = 0;; ++n) {
        const Guest guest = configure();
        linux_vm.log.lines.clear();
        linux_vm.model.fail_call(n);
        const Reply init = linux_vm.vm_call(GH_RM_VM_INIT, guest.vmid);
        const Reply started = linux_vm.vm_call(GH_RM_VM_START, guest.vmid);
        const bool done = linux_vm.model.fault_pending();
        linux_vm.model.fail_call(~std::size_t{0});
        if (init.error != 0 || started.error != 0) {
            ++failures;
            EXPECT_NE(linux_vm.log.lines.find("VM 0x80: VM_"), std::string::npos)
                << "no sentence for the failure of hypercall " << n;
        } else {
            linux_vm.halt_vcpu(guest.vmid, 0, powered_off);
            settle();
        }
        tear_down(guest);
        ASSERT_EQ(snapshot(), before) << "after the failure of hypercall " << n;
        if (done) {
            break;
        }
    }
    EXPECT_GT(failures, 40U);
}

TEST_F(LifecycleTest, LentMemoryLeavesAndComesBackZeroed) {
    const Snapshot before = snapshot();
    linux_vm.place_guest(guest_memory, dtb_offset);
    const std::uint16_t vmid = linux_vm.alloc();
    const Bytes head = wire(U32{0}, U32{7}, U32{1}, vmid, U8{7}, U8{0});
    const Bytes memory = wire(U16{1}, U16{0}, guest_memory, guest_size, U32{0});
    const Reply reply = linux_vm.call(GH_RM_MEM_LEND, head + memory);
    ASSERT_EQ(reply.error, 0U) << linux_vm.log.lines;
    const std::uint32_t parcel = Reader(reply.payload).u32();
    // The owner no longer has it, so it cannot lend it again, and nobody can be given it.
    EXPECT_EQ(linux_vm.call(GH_RM_MEM_LEND, head + memory).error, GH_RM_ERROR_MEM_INVALID);
    ASSERT_EQ(linux_vm.config_image(vmid, parcel, dtb_offset, dtb_size).error, 0U);
    ASSERT_EQ(linux_vm.vm_call(GH_RM_VM_INIT, vmid).error, 0U) << linux_vm.log.lines;
    ASSERT_EQ(linux_vm.vm_call(GH_RM_VM_START, vmid).error, 0U);
    EXPECT_EQ(reclaim(parcel).error, GH_RM_ERROR_MEM_INUSE);
    linux_vm.halt_vcpu(vmid, 0, powered_off);
    settle();
    tear_down({vmid, parcel});
    EXPECT_EQ(*linux_vm.model.physical(guest_memory), std::byte{0});
    // The owner's mapping came back page by page; the model lists it now.
    EXPECT_EQ(linux_vm.space->pages.size(), guest_size / 4096);
    linux_vm.space->pages.clear();
    EXPECT_EQ(snapshot(), before);
}

TEST_F(LifecycleTest, AppendedMemoryBecomesOneParcel) {
    const std::uint16_t vmid = linux_vm.alloc();
    linux_vm.place_guest(guest_memory, dtb_offset);
    // 4 MiB in pages, of which only the first half comes with the request.
    const auto pages = [](std::uint64_t first, std::uint16_t count) {
        Bytes list = wire(count, U16{0});
        for (std::uint64_t i = first; i < first + count; ++i) {
            list = list + wire(guest_memory + i * 4096, U64{4096});
        }
        return list;
    };
    const Bytes acl = wire(U32{2}, vmid, U8{7}, U8{0}, U16{3}, U8{7}, U8{0});
    const Reply reply = linux_vm.call(GH_RM_MEM_SHARE,
                                      wire(U8{0}, U8{0}, U8{GH_RM_MEM_FLAG_APPEND}, U8{0}, U32{0}) +
                                          acl + pages(0, 512) + wire(U32{0}));
    ASSERT_EQ(reply.error, 0U) << linux_vm.log.lines;
    const std::uint32_t parcel = Reader(reply.payload).u32();
    ASSERT_EQ(linux_vm.config_image(vmid, parcel, dtb_offset, dtb_size).error, 0U);
    ASSERT_EQ(linux_vm.vm_call(GH_RM_VM_INIT, vmid).error, GH_RM_ERROR_MEM_INVALID) << "incomplete";
    ASSERT_EQ(linux_vm.vm_call(GH_RM_VM_RESET, vmid).error, 0U);
    EXPECT_EQ(
        linux_vm.call(GH_RM_MEM_APPEND, wire(parcel, U8{1}, U8{0}, U16{0}) + pages(512, 512)).error,
        0U);
    EXPECT_EQ(
        linux_vm.call(GH_RM_MEM_APPEND, wire(parcel, U8{1}, U8{0}, U16{0}) + pages(0, 1)).error,
        GH_RM_ERROR_MEM_INVALID);
    ASSERT_EQ(linux_vm.config_image(vmid, parcel, dtb_offset, dtb_size).error, 0U);
    linux_vm.model.calls_by_number.clear();
    ASSERT_EQ(linux_vm.vm_call(GH_RM_VM_INIT, vmid).error, 0U) << linux_vm.log.lines;
    EXPECT_LT(linux_vm.model.calls_by_number[GH_ADDRSPACE_MAP], 10U) << "neighbours are merged";
    tear_down({vmid, parcel});
}

TEST_F(LifecycleTest, NoCallMapsOrUnmapsMuchAtOnce) {
    constexpr std::uint64_t size = 40U << 20;
    constexpr std::uint64_t start = guest_memory + 0x3000; // blocks are counted from zero on
    for (const bool lend : {false, true}) {
        linux_vm.place_guest(start, dtb_offset);
        const std::uint16_t vmid = linux_vm.alloc();
        linux_vm.model.longest_change = 0;
        const Bytes list =
            wire(U32{0}, U32{7}, U32{1}, vmid, U8{7}, U8{0}, U16{1}, U16{0}, start, size, U32{0});
        const Reply reply = linux_vm.call(lend ? GH_RM_MEM_LEND : GH_RM_MEM_SHARE, list);
        ASSERT_EQ(reply.error, 0U) << linux_vm.log.lines;
        const std::uint32_t parcel = Reader(reply.payload).u32();
        ASSERT_EQ(linux_vm.config_image(vmid, parcel, dtb_offset, dtb_size).error, 0U);
        ASSERT_EQ(linux_vm.vm_call(GH_RM_VM_INIT, vmid).error, 0U) << linux_vm.log.lines;
        tear_down({vmid, parcel});
        EXPECT_EQ(linux_vm.model.longest_change, rm::Parcel::piece_size_max);
    }
}

TEST_F(LifecycleTest, HostileMemoryRequestsAreRefused) {
    const std::uint16_t vmid = linux_vm.alloc();
    const Bytes acl = wire(U32{1}, vmid, U8{7}, U8{0});
    const auto share = [&](const Bytes& payload) {
        return linux_vm.call(GH_RM_MEM_SHARE, payload).error;
    };
    const auto with_range = [&](std::uint64_t base, std::uint64_t size) {
        return share(wire(U64{0}) + acl + wire(U16{1}, U16{0}, base, size, U32{0}));
    };
    EXPECT_EQ(share({}), GH_RM_ERROR_ARGUMENT_INVALID);
    EXPECT_EQ(share(wire(U64{0})), GH_RM_ERROR_ARGUMENT_INVALID);
    EXPECT_EQ(share(wire(U32{1}, U32{0}) + acl), GH_RM_ERROR_MEM_INVALID) << "I/O memory";
    EXPECT_EQ(share(wire(U64{0}, U32{0xffffffff})), GH_RM_ERROR_ARGUMENT_INVALID);
    EXPECT_EQ(share(wire(U64{0}) + wire(U32{1}, vmid, U8{8}, U8{0})), GH_RM_ERROR_ARGUMENT_INVALID);
    EXPECT_EQ(share(wire(U64{0}) + wire(U32{1}, U16{0x99}, U8{7}, U8{0})),
              GH_RM_ERROR_VMID_INVALID);
    EXPECT_EQ(share(wire(U64{0}) + acl + wire(U16{513}, U16{0})), GH_RM_ERROR_ARGUMENT_INVALID);
    EXPECT_EQ(share(wire(U64{0}) + acl + wire(U16{2}, U16{0}, guest_memory, U64{4096})),
              GH_RM_ERROR_ARGUMENT_INVALID);
    EXPECT_EQ(share(wire(U64{0}) + acl + wire(U16{0}, U16{0}, U32{0})), GH_RM_ERROR_MEM_INVALID);
    EXPECT_EQ(with_range(guest_memory, 0), GH_RM_ERROR_MEM_INVALID);
    EXPECT_EQ(with_range(guest_memory + 1, 4096), GH_RM_ERROR_MEM_INVALID);
    EXPECT_EQ(with_range(guest_memory, 4095), GH_RM_ERROR_MEM_INVALID);
    EXPECT_EQ(with_range(0x9000000, 4096), GH_RM_ERROR_MEM_INVALID) << "a device";
    EXPECT_EQ(with_range(0xbbfff000, 8192), GH_RM_ERROR_MEM_INVALID) << "past the end of RAM";
    EXPECT_EQ(with_range(0x7ffff000, 8192), 0U) << "across two extents";
    EXPECT_EQ(with_range(guest_memory, 0xffff'ffff'ffff'f000), GH_RM_ERROR_MEM_INVALID);
    EXPECT_EQ(linux_vm.counters().at("parcels"), 1U);
}

TEST_F(LifecycleTest, BadImagesAreRefusedAndTheVmCanBeRemoved) {
    const Snapshot before = snapshot();
    struct {
        const char* what;
        std::uint64_t offset;
        std::uint64_t size;
        std::uint32_t error;
    } const cases[] = {
        {"behind the parcel", guest_size, 4096, GH_RM_ERROR_ARGUMENT_INVALID},
        {"wraps", 0xffff'ffff'ffff'f000, 0x2000, GH_RM_ERROR_ARGUMENT_INVALID},
        {"too large", 0, 0x200001, GH_RM_ERROR_ARGUMENT_INVALID},
        {"too small", dtb_offset, 8, GH_RM_ERROR_ARGUMENT_INVALID},
        {"unaligned", dtb_offset + 4, 4096, GH_RM_ERROR_ARGUMENT_INVALID},
        {"no tree", 0, 4096, GH_RM_ERROR_VALIDATE_FAILED},
        {"cut off", dtb_offset, 1024, GH_RM_ERROR_VALIDATE_FAILED},
        {"no slack for RM's nodes", dtb_offset, 2000, GH_RM_ERROR_VALIDATE_FAILED},
    };
    for (const auto& each : cases) {
        linux_vm.place_guest(guest_memory, dtb_offset);
        const std::uint16_t vmid = linux_vm.alloc();
        const std::uint32_t parcel = linux_vm.share(vmid, guest_memory, guest_size);
        ASSERT_EQ(linux_vm.config_image(vmid, parcel, each.offset, each.size).error, 0U);
        EXPECT_EQ(linux_vm.vm_call(GH_RM_VM_INIT, vmid).error, each.error) << each.what;
        EXPECT_EQ(linux_vm.vm_call(GH_RM_VM_INIT, vmid).error, GH_RM_ERROR_VM_STATE);
        tear_down({vmid, parcel});
        EXPECT_EQ(snapshot(), before) << each.what;
    }
}

TEST_F(LifecycleTest, ASecondParcelIsRefusedClearly) {
    const Guest guest = configure();
    const std::uint32_t second = linux_vm.share(guest.vmid, guest_memory + guest_size, 4096);
    EXPECT_EQ(linux_vm.vm_call(GH_RM_VM_INIT, guest.vmid).error, GH_RM_ERROR_UNIMPLEMENTED);
    EXPECT_NE(linux_vm.log.lines.find("only those of the image"), std::string::npos);
    EXPECT_EQ(reclaim(second).error, 0U);
    tear_down(guest);
}

TEST_F(LifecycleTest, AccessFollowsTheList) {
    const std::uint16_t vmid = linux_vm.alloc();
    const std::uint16_t other = linux_vm.alloc();
    linux_vm.place_guest(guest_memory, dtb_offset);
    const std::uint32_t parcel = linux_vm.share(other, guest_memory, guest_size);
    ASSERT_EQ(linux_vm.config_image(vmid, parcel, dtb_offset, dtb_size).error, 0U);
    EXPECT_EQ(linux_vm.vm_call(GH_RM_VM_INIT, vmid).error, GH_RM_ERROR_DENIED);
}

TEST_F(LifecycleTest, AHypervisorScheduledGuestNeedsNoProxy) {
    const Guest guest = start(guest_memory, {.cpus = 2, .bells = 0, .affinity = "static"});
    const auto vcpu = linux_vm.guest_vcpu(guest.vmid, 1);
    EXPECT_EQ(vcpu->affinity, 1U);
    EXPECT_FALSE(vcpu->bindings.contains(GH_VCPU_VIRQ_RUN_WAKEUP));
    const Reply reply = linux_vm.vm_call(GH_RM_VM_GET_HYP_RESOURCES, guest.vmid);
    EXPECT_EQ(reply.payload, wire(U32{0}));
    linux_vm.halt_vcpu(guest.vmid, 0, powered_off);
    settle();
    EXPECT_EQ(exits(guest.vmid).size(), 1U);
    tear_down(guest);
}

TEST_F(LifecycleTest, FixedVmidsAndUnknownRequests) {
    EXPECT_EQ(linux_vm.call(GH_RM_VM_ALLOC_VMID, wire(U16{0x90}, U16{0})).payload.size(), 0U);
    EXPECT_EQ(linux_vm.call(GH_RM_VM_ALLOC_VMID, wire(U16{0x90}, U16{0})).error,
              GH_RM_ERROR_IN_USE);
    for (const std::uint16_t vmid : {U16{3}, U16{0xff}, U16{0x8000}}) {
        EXPECT_EQ(linux_vm.call(GH_RM_VM_ALLOC_VMID, wire(vmid, U16{0})).error,
                  GH_RM_ERROR_VMID_INVALID);
    }
    EXPECT_EQ(linux_vm.vm_call(GH_RM_VM_DEALLOC_VMID, 0x90).error, 0U);
    EXPECT_EQ(linux_vm.call(GH_RM_VM_GET_VMID, {}).payload, wire(U32{3}));
    EXPECT_EQ(linux_vm.call(0x56000099, {}).error, GH_RM_ERROR_UNIMPLEMENTED);
    for (const std::uint32_t id :
         {GH_RM_VM_START, GH_RM_VM_INIT, GH_RM_VM_RESET, GH_RM_VM_STOP, GH_RM_VM_CONFIG_IMAGE,
          GH_RM_VM_GET_HYP_RESOURCES, GH_RM_VM_DEALLOC_VMID, GH_RM_VM_ALLOC_VMID, GH_RM_MEM_RECLAIM,
          GH_RM_MEM_APPEND, GH_RM_MEM_LEND}) {
        EXPECT_NE(linux_vm.call(id, {}).error, 0U) << std::hex << id;
    }
}

} // namespace
