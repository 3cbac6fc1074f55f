// SPDX-License-Identifier: BSD-3-Clause
// What tests of whole lives of VMs share: the driver's steps, and what exists before and after
// them.
#pragma once

#include "testing/primary_linux.hpp"

#include <gtest/gtest.h>

namespace rm::testing {

inline constexpr std::uint64_t guest_memory = 0x5000'0000;
inline constexpr std::uint64_t guest_size = 0x40'0000;
inline constexpr std::uint64_t dtb_offset = 0x30'0000;
inline constexpr std::uint64_t dtb_size = 0x2000;
inline constexpr VcpuState powered_off{GH_VCPU_STATE_POWERED_OFF, {GH_VCPU_POWEROFF_TERMINATED}};

struct LifecycleTest : ::testing::Test {
    struct Snapshot {
        std::size_t objects, capabilities, pages, local_virqs;
        std::map<std::string, std::uint64_t> counters;
        bool operator==(const Snapshot&) const = default;
    };
    Snapshot snapshot() {
        return {linux_vm.model.objects(), linux_vm.model.capabilities(),
                linux_vm.model.mapped_pages(), linux_vm.virqs.used(), linux_vm.counters()};
    }

    struct Guest {
        std::uint16_t vmid;
        std::uint32_t parcel;
    };
    /// Up to CONFIG_IMAGE, as the driver does it.
    Guest configure(std::uint64_t ipa = guest_memory, const GuestTreeOptions& options = {}) {
        linux_vm.place_guest(ipa, dtb_offset, options);
        Guest guest{};
        guest.vmid = linux_vm.alloc();
        guest.parcel = linux_vm.share(guest.vmid, ipa, guest_size);
        EXPECT_EQ(linux_vm.config_image(guest.vmid, guest.parcel, dtb_offset, dtb_size).error, 0U);
        return guest;
    }
    Guest start(std::uint64_t ipa = guest_memory, const GuestTreeOptions& options = {}) {
        const Guest guest = configure(ipa, options);
        EXPECT_EQ(linux_vm.vm_call(GH_RM_VM_INIT, guest.vmid).error, 0U) << linux_vm.log.lines;
        EXPECT_EQ(linux_vm.vm_call(GH_RM_VM_START, guest.vmid).error, 0U) << linux_vm.log.lines;
        return guest;
    }
    Reply reclaim(std::uint32_t parcel) {
        return linux_vm.call(GH_RM_MEM_RECLAIM, wire(parcel, U32{0}));
    }
    void tear_down(const Guest& guest) {
        EXPECT_EQ(linux_vm.vm_call(GH_RM_VM_RESET, guest.vmid).error, 0U) << linux_vm.log.lines;
        EXPECT_EQ(reclaim(guest.parcel).error, 0U) << linux_vm.log.lines;
        EXPECT_EQ(linux_vm.vm_call(GH_RM_VM_DEALLOC_VMID, guest.vmid).error, 0U);
    }
    void stop(const Guest& guest) {
        EXPECT_EQ(linux_vm.call(GH_RM_VM_STOP, wire(guest.vmid, U8{1}, U8{0}, U32{3})).error, 0U);
    }
    /// Types of the VM_EXITED notifications for a VM.
    std::vector<unsigned> exits(std::uint16_t vmid) {
        std::vector<unsigned> types;
        for (const Notification& each : linux_vm.notifications) {
            Reader reader(each.payload);
            if (each.id == GH_RM_NOTIF_VM_EXITED && reader.u16() == vmid) {
                types.push_back(reader.u16());
                EXPECT_EQ(reader.u32(), 4U);
                EXPECT_EQ(reader.u32(), 0U);
                EXPECT_TRUE(reader.finished());
            }
        }
        return types;
    }
    void settle() {
        linux_vm.run();
        linux_vm.receive();
    }

    PrimaryLinux linux_vm;
};

} // namespace rm::testing
