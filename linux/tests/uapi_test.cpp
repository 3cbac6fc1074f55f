// SPDX-License-Identifier: GPL-2.0-only
// The numbers of <linux/gunyah.h> are those of the v11 series and of Android's kernels: a program
// that was built against their headers runs here.
#include <gtest/gtest.h>

#include <linux/gunyah.h>

#include <cstddef>

namespace {

TEST(Uapi, IoctlNumbersAreThoseOfV11) {
    EXPECT_EQ(GH_CREATE_VM, 0x4700U);
    EXPECT_EQ(GH_VM_SET_USER_MEM_REGION, 0x40204701U);
    EXPECT_EQ(GH_VM_SET_DTB_CONFIG, 0x40104702U);
    EXPECT_EQ(GH_VM_START, 0x4703U);
    EXPECT_EQ(GH_VM_ADD_FUNCTION, 0x40104704U);
    EXPECT_EQ(GH_VCPU_RUN, 0x4705U);
    EXPECT_EQ(GH_VCPU_MMAP_SIZE, 0x4706U);
    EXPECT_EQ(GH_VM_REMOVE_FUNCTION, 0x40104707U);
}

TEST(Uapi, IoctlNumbersAreThoseOfAndroid) {
    EXPECT_EQ(GH_VM_ANDROID_LEND_USER_MEM, 0x40204111U);
    EXPECT_EQ(GH_VM_ANDROID_SET_FW_CONFIG, 0x40104112U);
    EXPECT_EQ(GH_VM_CHECK_EXTENSION, 0x4117U);
}

TEST(Uapi, ArgumentsAreLaidOutAsInV11) {
    using Region = gh_userspace_memory_region;
    EXPECT_EQ(sizeof(Region), 32U);
    EXPECT_EQ(offsetof(Region, label), 0U);
    EXPECT_EQ(offsetof(Region, flags), 4U);
    EXPECT_EQ(offsetof(Region, guest_phys_addr), 8U);
    EXPECT_EQ(offsetof(Region, memory_size), 16U);
    EXPECT_EQ(offsetof(Region, userspace_addr), 24U);
    EXPECT_EQ(GH_MEM_ALLOW_READ, 1U);
    EXPECT_EQ(GH_MEM_ALLOW_WRITE, 2U);
    EXPECT_EQ(GH_MEM_ALLOW_EXEC, 4U);

    EXPECT_EQ(sizeof(gh_vm_dtb_config), 16U);
    EXPECT_EQ(offsetof(gh_vm_dtb_config, size), 8U);
    EXPECT_EQ(sizeof(gh_vm_firmware_config), 16U);
    EXPECT_EQ(offsetof(gh_vm_firmware_config, size), 8U);
}

TEST(Uapi, FunctionsAreLaidOutAsInV11) {
    EXPECT_EQ(GH_FN_VCPU, 1);
    EXPECT_EQ(GH_FN_IRQFD, 2);
    EXPECT_EQ(GH_FN_IOEVENTFD, 3);
    EXPECT_EQ(sizeof(gh_fn_desc), 16U);
    EXPECT_EQ(offsetof(gh_fn_desc, arg_size), 4U);
    EXPECT_EQ(offsetof(gh_fn_desc, arg), 8U);
    EXPECT_EQ(GH_FN_MAX_ARG_SIZE, 256);
    EXPECT_EQ(sizeof(gh_fn_vcpu_arg), 4U);

    EXPECT_EQ(sizeof(gh_fn_irqfd_arg), 16U);
    EXPECT_EQ(offsetof(gh_fn_irqfd_arg, label), 4U);
    EXPECT_EQ(offsetof(gh_fn_irqfd_arg, flags), 8U);
    EXPECT_EQ(GH_IRQFD_LEVEL, 1U);

    EXPECT_EQ(sizeof(gh_fn_ioeventfd_arg), 32U);
    EXPECT_EQ(offsetof(gh_fn_ioeventfd_arg, datamatch), 0U);
    EXPECT_EQ(offsetof(gh_fn_ioeventfd_arg, addr), 8U);
    EXPECT_EQ(offsetof(gh_fn_ioeventfd_arg, len), 16U);
    EXPECT_EQ(offsetof(gh_fn_ioeventfd_arg, fd), 20U);
    EXPECT_EQ(offsetof(gh_fn_ioeventfd_arg, flags), 24U);
    EXPECT_EQ(GH_IOEVENTFD_DATAMATCH, 1U);
}

TEST(Uapi, RunPageIsLaidOutAsInV11) {
    EXPECT_EQ(sizeof(gh_vcpu_run), 40U);
    EXPECT_EQ(offsetof(gh_vcpu_run, immediate_exit), 0U);
    EXPECT_EQ(offsetof(gh_vcpu_run, exit_reason), 8U);
    EXPECT_EQ(offsetof(gh_vcpu_run, mmio.phys_addr), 16U);
    EXPECT_EQ(offsetof(gh_vcpu_run, mmio.data), 24U);
    EXPECT_EQ(offsetof(gh_vcpu_run, mmio.len), 32U);
    EXPECT_EQ(offsetof(gh_vcpu_run, mmio.is_write), 36U);
    EXPECT_EQ(offsetof(gh_vcpu_run, status.status), 16U);
    EXPECT_EQ(offsetof(gh_vcpu_run, status.exit_info), 20U);
    EXPECT_EQ(sizeof(gh_vm_exit_info), 16U);
    EXPECT_EQ(offsetof(gh_vm_exit_info, reason_size), 4U);
    EXPECT_EQ(offsetof(gh_vm_exit_info, reason), 8U);
    EXPECT_EQ(GH_VCPU_EXIT_UNKNOWN, 0);
    EXPECT_EQ(GH_VCPU_EXIT_MMIO, 1);
    EXPECT_EQ(GH_VCPU_EXIT_STATUS, 2);
    EXPECT_EQ(GH_VM_STATUS_LOAD_FAILED, 1);
    EXPECT_EQ(GH_VM_STATUS_EXITED, 2);
    EXPECT_EQ(GH_VM_STATUS_CRASHED, 3);
}

} // namespace
