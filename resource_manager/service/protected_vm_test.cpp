// SPDX-License-Identifier: BSD-3-Clause
// Protected VMs: they start at their firmware, which lies in lent memory, or not at all.
#include "testing/lifecycle_fixture.hpp"

namespace {

using namespace rm::testing;
using rm::Reader;

struct ProtectedVmTest : LifecycleTest {
    static constexpr std::uint64_t firmware_memory = guest_memory + 2 * guest_size;
    static constexpr std::uint64_t firmware_size = 0x20'0000;
    static constexpr std::uint64_t firmware_address = 0x7fc0'0000;

    std::uint32_t give(std::uint32_t how, std::uint16_t vmid, std::uint64_t ipa,
                       std::uint64_t size) {
        const Reply reply = linux_vm.call(how, wire(U32{0}, U32{0}, U32{1}, vmid, U8{7}, U8{0},
                                                    U16{1}, U16{0}, ipa, size, U32{0}));
        EXPECT_EQ(reply.error, 0U) << linux_vm.log.lines;
        return Reader(reply.payload).u32();
    }
    std::uint32_t set_firmware(std::uint16_t vmid, std::uint32_t parcel, std::uint64_t offset,
                               std::uint64_t size) {
        return linux_vm.call(GH_RM_VM_SET_FIRMWARE_MEM, wire(vmid, U16{0}, parcel, offset, size))
            .error;
    }
    std::uint32_t configure_image(std::uint16_t vmid, std::uint32_t parcel) {
        return linux_vm
            .call(GH_RM_VM_CONFIG_IMAGE,
                  wire(vmid, U16{GH_RM_AUTH_ANDROID_PVM}, parcel, U64{0}, U64{0},
                       std::uint64_t{dtb_offset}, std::uint64_t{dtb_size}))
            .error;
    }
    /// VM_INIT's error for firmware at `offset` of a parcel of its own, and the end of it all.
    std::uint32_t init_error(std::uint32_t how, std::uint64_t address, std::uint64_t offset,
                             std::uint64_t size = 4096) {
        linux_vm.place_guest(guest_memory, dtb_offset, {.firmware_address = address});
        const std::uint16_t vmid = linux_vm.alloc();
        const std::uint32_t image = linux_vm.share(vmid, guest_memory, guest_size);
        const std::uint32_t firmware = give(how, vmid, firmware_memory, firmware_size);
        EXPECT_EQ(configure_image(vmid, image), 0U);
        EXPECT_EQ(set_firmware(vmid, firmware, offset, size), 0U);
        const std::uint32_t error = linux_vm.vm_call(GH_RM_VM_INIT, vmid).error;
        tear_down({vmid, image});
        EXPECT_EQ(reclaim(firmware).error, 0U);
        return error;
    }
};

TEST_F(ProtectedVmTest, ItStartsAtFirmwareInAParcelOfItsOwn) {
    const Snapshot before = snapshot();
    linux_vm.place_guest(guest_memory, dtb_offset, {.firmware_address = firmware_address});
    const std::uint16_t vmid = linux_vm.alloc();
    const std::uint32_t image = give(GH_RM_MEM_LEND, vmid, guest_memory, guest_size);
    const std::uint32_t firmware = give(GH_RM_MEM_LEND, vmid, firmware_memory, firmware_size);
    EXPECT_EQ(set_firmware(vmid, firmware, 0, 4096), GH_RM_ERROR_VM_STATE) << "before its image";
    ASSERT_EQ(configure_image(vmid, image), 0U);
    EXPECT_EQ(set_firmware(vmid, firmware, 0, 0), GH_RM_ERROR_ARGUMENT_INVALID);
    ASSERT_EQ(set_firmware(vmid, firmware, 0x1000, 0x10000), 0U);
    ASSERT_EQ(linux_vm.vm_call(GH_RM_VM_INIT, vmid).error, 0U) << linux_vm.log.lines;
    ASSERT_EQ(linux_vm.vm_call(GH_RM_VM_START, vmid).error, 0U);
    auto vcpu = linux_vm.guest_vcpu(vmid, 0);
    EXPECT_EQ(vcpu->entry, firmware_address);
    EXPECT_EQ(vcpu->context, 0x80000000 + dtb_offset);
    const auto& pages = vcpu->thread_addrspace->pages;
    EXPECT_EQ(pages.at(firmware_address).physical, firmware_memory + 0x1000);
    EXPECT_EQ(pages.at(firmware_address - 0x1000).physical, firmware_memory);
    EXPECT_EQ(pages.at(0x80000000).physical, guest_memory);
    EXPECT_TRUE(linux_vm.model.cleaned.contains(firmware_memory + 0x1000));
    EXPECT_EQ(reclaim(firmware).error, GH_RM_ERROR_MEM_INUSE);
    vcpu.reset(); // kept it alive
    stop({vmid, image});
    tear_down({vmid, image});
    EXPECT_EQ(reclaim(firmware).error, 0U);
    EXPECT_EQ(*linux_vm.model.physical(firmware_memory), std::byte{0});
    linux_vm.space->pages.clear();
    EXPECT_EQ(snapshot(), before);
}

TEST_F(ProtectedVmTest, FirmwareCanBeInTheParcelOfTheImage) {
    for (const std::uint64_t address : {0x80001000U, 0x80000000U}) {
        linux_vm.place_guest(guest_memory, dtb_offset, {.firmware_address = address});
        const std::uint16_t vmid = linux_vm.alloc();
        const std::uint32_t parcel = give(GH_RM_MEM_LEND, vmid, guest_memory, guest_size);
        ASSERT_EQ(configure_image(vmid, parcel), 0U);
        ASSERT_EQ(set_firmware(vmid, parcel, 0x1000, 4096), 0U);
        const bool fits = address == 0x80001000;
        EXPECT_EQ(linux_vm.vm_call(GH_RM_VM_INIT, vmid).error,
                  fits ? 0U : GH_RM_ERROR_VALIDATE_FAILED);
        if (fits) {
            ASSERT_EQ(linux_vm.vm_call(GH_RM_VM_START, vmid).error, 0U);
            EXPECT_EQ(linux_vm.guest_vcpu(vmid, 0)->entry, address);
            stop({vmid, parcel});
        }
        tear_down({vmid, parcel});
    }
}

TEST_F(ProtectedVmTest, WhatDoesNotFitIsRefused) {
    EXPECT_EQ(init_error(GH_RM_MEM_SHARE, firmware_address, 0), GH_RM_ERROR_DENIED);
    EXPECT_EQ(init_error(GH_RM_MEM_LEND, firmware_address, 0), 0U);
    EXPECT_EQ(init_error(GH_RM_MEM_LEND, firmware_address, 8), GH_RM_ERROR_ARGUMENT_INVALID);
    EXPECT_EQ(init_error(GH_RM_MEM_LEND, firmware_address, 0, firmware_size + 1),
              GH_RM_ERROR_ARGUMENT_INVALID);
    EXPECT_EQ(init_error(GH_RM_MEM_LEND, firmware_address, ~0xfffULL, 0x2000),
              GH_RM_ERROR_ARGUMENT_INVALID);
    EXPECT_EQ(init_error(GH_RM_MEM_LEND, 0x80000000, 0), GH_RM_ERROR_VALIDATE_FAILED) << "its RAM";
    EXPECT_EQ(init_error(GH_RM_MEM_LEND, 0x7ff00000, 0), GH_RM_ERROR_VALIDATE_FAILED) << "its RAM";
    EXPECT_EQ(init_error(GH_RM_MEM_LEND, 0x30000000, 0), GH_RM_ERROR_VALIDATE_FAILED) << "devices";
    EXPECT_EQ(init_error(GH_RM_MEM_LEND, 0x7fc00800, 0), GH_RM_ERROR_VALIDATE_FAILED);
    EXPECT_EQ(init_error(GH_RM_MEM_LEND, ~0xfffULL, 0), GH_RM_ERROR_VALIDATE_FAILED) << "wraps";
    EXPECT_EQ(init_error(GH_RM_MEM_LEND, 0x1000, 0x2000), GH_RM_ERROR_VALIDATE_FAILED) << "wraps";
}

TEST_F(ProtectedVmTest, NoPartOfItMayBeMissing) {
    // Neither authentication nor VM_SET_FIRMWARE_MEM.
    Guest guest = configure(guest_memory, {.firmware_address = firmware_address});
    EXPECT_EQ(set_firmware(guest.vmid, guest.parcel, 0, 4096), GH_RM_ERROR_DENIED);
    EXPECT_EQ(linux_vm.vm_call(GH_RM_VM_INIT, guest.vmid).error, GH_RM_ERROR_VALIDATE_FAILED);
    tear_down(guest);
    // No VM_SET_FIRMWARE_MEM; then also no address.
    for (const std::uint64_t address : {firmware_address, std::uint64_t{0}}) {
        linux_vm.place_guest(guest_memory, dtb_offset, {.firmware_address = address});
        guest.vmid = linux_vm.alloc();
        guest.parcel = give(GH_RM_MEM_LEND, guest.vmid, guest_memory, guest_size);
        ASSERT_EQ(configure_image(guest.vmid, guest.parcel), 0U);
        if (address == 0) {
            ASSERT_EQ(set_firmware(guest.vmid, guest.parcel, 0, 4096), 0U);
        }
        EXPECT_EQ(linux_vm.vm_call(GH_RM_VM_INIT, guest.vmid).error, GH_RM_ERROR_VALIDATE_FAILED);
        tear_down(guest);
    }
}

} // namespace
