/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The interface between the Gunyah driver and a virtual machine monitor:
 * ioctls of /dev/gunyah, of VM and vCPU file descriptors, and the vCPU run page.
 */
#ifndef _UAPI_LINUX_GUNYAH_H
#define _UAPI_LINUX_GUNYAH_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define GH_IOCTL_TYPE			'G'

/*
 * ioctls of /dev/gunyah
 */

/*
 * Create a VM. The argument must be 0. Returns the file descriptor of the new
 * VM, which lives until this descriptor and all of its vCPU descriptors are
 * closed and their run pages unmapped; then everything of it is given back before
 * the last of these calls returns. Only the process that created it may give it
 * memory.
 */
#define GH_CREATE_VM			_IO(GH_IOCTL_TYPE, 0x0)

/*
 * ioctls of a VM file descriptor
 */

/* What the guest may do with a memory region. */
#define GH_MEM_ALLOW_READ		(1UL << 0)
#define GH_MEM_ALLOW_WRITE		(1UL << 1)
#define GH_MEM_ALLOW_EXEC		(1UL << 2)

/**
 * struct gh_userspace_memory_region - Memory of the caller to share with the VM
 * @label: Identifies the region to the caller and to the VM's device tree;
 *         unique within the VM
 * @flags: GH_MEM_ALLOW_READ, GH_MEM_ALLOW_WRITE and GH_MEM_ALLOW_EXEC in any
 *         combination; at least one of them
 * @guest_phys_addr: Where the region begins in the guest, page aligned
 * @memory_size: Bytes, a multiple of the page size, not 0
 * @userspace_addr: Where the region begins in the caller, page aligned
 *
 * The memory must be anonymous or shmem memory (memfd, tmpfs, MAP_SHARED |
 * MAP_ANONYMOUS, huge pages of these included). It is charged to the caller's
 * RLIMIT_MEMLOCK and stays in place until the VM is gone. Regions of one VM do
 * not overlap in guest physical addresses.
 */
struct gh_userspace_memory_region {
	__u32 label;
	__u32 flags;
	__u64 guest_phys_addr;
	__u64 memory_size;
	__u64 userspace_addr;
};

/*
 * Add a memory region, before GH_VM_START. Errors: EINVAL bad flags, alignment
 * or size; EOVERFLOW guest or user range wraps; EEXIST label or guest range in
 * use; EPERM the caller is not the process that created the VM; EBUSY the VM
 * has been started; ENOMEM no memory or RLIMIT_MEMLOCK reached; EFAULT a page is not
 * there; EOPNOTSUPP the memory is not of a kind that can be shared, or the
 * hypervisor has no memory extents.
 */
#define GH_VM_SET_USER_MEM_REGION	_IOW(GH_IOCTL_TYPE, 0x1, \
					     struct gh_userspace_memory_region)

/**
 * struct gh_vm_dtb_config - Where the VM's device tree is
 * @guest_phys_addr: Guest physical address of the device tree
 * @size: Bytes that the Resource Manager may use, the tree included. It adds
 *        nodes in place, so leave room behind the tree. The driver rounds up to
 *        whole pages.
 *
 * The whole range must lie within one memory region of the VM; that is
 * checked by GH_VM_START. The last call before GH_VM_START counts.
 */
struct gh_vm_dtb_config {
	__u64 guest_phys_addr;
	__u64 size;
};

/* Say where the device tree is. Errors: EOVERFLOW, EINVAL size 0, EBUSY started. */
#define GH_VM_SET_DTB_CONFIG		_IOW(GH_IOCTL_TYPE, 0x2, struct gh_vm_dtb_config)

/*
 * Share the memory and start the VM. Returns 0, also when it runs already.
 * Errors: EINVAL no region contains the device tree; EINTR; ENODEV the VM has
 * exited or an earlier start failed; otherwise the Resource Manager's error,
 * which the kernel log names in full.
 */
#define GH_VM_START			_IO(GH_IOCTL_TYPE, 0x3)

/*
 * Say whether something is there, on the device or on a VM. The argument is one of the
 * numbers below. Returns 0 if it is not, something greater if it is; numbers that
 * nobody knows are not.
 */
#define GH_VM_CHECK_EXTENSION		_IO(GH_ANDROID_IOCTL_TYPE, 0x17)

/* GH_VCPU_RUN wakes up for the guest's timer although no interrupt says so. */
#define GH_CAP_VCPU_TIMER_WAKEUP	0
/* Numbers of ours begin here. GH_VM_ANDROID_LEND_USER_MEM. */
#define GH_CAP_LEND_USER_MEM		0x1000
/* GH_VM_ANDROID_SET_FW_CONFIG; whether there are protected VMs, only the start tells. */
#define GH_CAP_FW_CONFIG		0x1001
/* Version of the hypervisor's interface. */
#define GH_CAP_API_VERSION		0x1002
/* The functions GH_FN_VCPU and GH_FN_IRQFD. */
#define GH_CAP_FN_VCPU			0x1003
#define GH_CAP_FN_IRQFD			0x1004

/*
 * ioctls that Android's kernels have beside those of the public series
 */
#define GH_ANDROID_IOCTL_TYPE		'A'

/*
 * Lend memory to the VM, instead of sharing it: from GH_VM_START on only the VM can
 * access it. Until then as GH_VM_SET_USER_MEM_REGION, with the same errors, and EOPNOTSUPP
 * for a part of a huge page of hugetlbfs or of a memfd. With the start, which the process
 * that created the VM must call, the memory goes away from where it was mapped: an access
 * there is a SIGBUS or EFAULT, for good. Of a memfd the range becomes a hole.
 */
#define GH_VM_ANDROID_LEND_USER_MEM	_IOW(GH_ANDROID_IOCTL_TYPE, 0x11, \
					     struct gh_userspace_memory_region)

/**
 * struct gh_vm_firmware_config - Where a protected VM's firmware is
 * @guest_phys_addr: Within a lent region, at a page's beginning
 * @size: Bytes that it may take
 */
struct gh_vm_firmware_config {
	__u64 guest_phys_addr;
	__u64 size;
};

/*
 * Have the VM begin in firmware, which then verifies the rest. The device tree must name
 * the same address. Where the platform has firmware of its own, it ends up there; otherwise what
 * the VMM has put there runs, and GH_VM_START fails with EOPNOTSUPP if the Resource
 * Manager does not know protected VMs. Errors: EOVERFLOW, EINVAL size 0, EBUSY started.
 */
#define GH_VM_ANDROID_SET_FW_CONFIG	_IOW(GH_ANDROID_IOCTL_TYPE, 0x12, \
					     struct gh_vm_firmware_config)

/* Longest argument of a VM function, bytes. */
#define GH_FN_MAX_ARG_SIZE		256

/*
 * Functions that a VM can be given. Macros rather than an enum so that module
 * aliases can be made of them.
 */
#define GH_FN_VCPU			1
#define GH_FN_IRQFD			2
#define GH_FN_IOEVENTFD			3

/**
 * struct gh_fn_vcpu_arg - Argument of GH_FN_VCPU
 * @id: Label of the vCPU resource: the number of the vCPU within the VM,
 *      counting the cpu nodes of its device tree from 0
 *
 * Adding the function returns a vCPU file descriptor, which takes
 * GH_VCPU_RUN and GH_VCPU_MMAP_SIZE and can be mapped. Errors: EEXIST the id is
 * in use; EOPNOTSUPP the hypervisor has no vCPU interface.
 */
struct gh_fn_vcpu_arg {
	__u32 id;
};

/* The doorbell clears itself when the guest's interrupt handler has run. */
#define GH_IRQFD_LEVEL			(1UL << 0)

/**
 * struct gh_fn_irqfd_arg - Argument of GH_FN_IRQFD
 * @fd: An eventfd; writing to it rings the doorbell
 * @label: Label of the doorbell in the VM's device tree (gunyah-vm-config)
 * @flags: 0 or GH_IRQFD_LEVEL
 * @padding: 0; not looked at
 *
 * Adding the function returns 0. Errors: EBADF, EINVAL not an eventfd or
 * unknown flags, EEXIST another irqfd has the label, EOPNOTSUPP the hypervisor
 * has no doorbells.
 */
struct gh_fn_irqfd_arg {
	__u32 fd;
	__u32 label;
	__u32 flags;
	__u32 padding;
};

/* Signal only writes of the value in datamatch. */
#define GH_IOEVENTFD_DATAMATCH		(1UL << 0)

/**
 * struct gh_fn_ioeventfd_arg - Argument of GH_FN_IOEVENTFD
 * @datamatch: Value to match when GH_IOEVENTFD_DATAMATCH is set; only its low
 *             @len bytes count
 * @addr: Guest physical address
 * @len: Length of the access in bytes: 1, 2, 4 or 8, or 0 for any
 * @fd: An eventfd, signalled by each matching write of the guest
 * @flags: 0 or GH_IOEVENTFD_DATAMATCH, which needs a @len other than 0
 * @padding: 0; not looked at
 *
 * A write that matches does not return to the VMM. Where several match, a
 * matching value goes before any value and an exact length before any length.
 * Adding the function returns 0. Errors: EBADF, EINVAL, EEXIST an
 * ioeventfd with the same address, length and value is there.
 */
struct gh_fn_ioeventfd_arg {
	__u64 datamatch;
	__u64 addr;
	__u32 len;
	__s32 fd;
	__u32 flags;
	__u32 padding;
};

/**
 * struct gh_fn_desc - A function to add to, or to remove from, a VM
 * @type: GH_FN_VCPU, GH_FN_IRQFD or GH_FN_IOEVENTFD
 * @arg_size: Bytes at @arg, at most GH_FN_MAX_ARG_SIZE
 * @arg: Address of the argument, a struct gh_fn_*_arg
 */
struct gh_fn_desc {
	__u32 type;
	__u32 arg_size;
	__u64 arg;
};

/*
 * Add a function, before or after GH_VM_START. Returns what the function
 * says above. Errors: EINVAL bad argument or size, ENOENT no such function.
 */
#define GH_VM_ADD_FUNCTION		_IOW(GH_IOCTL_TYPE, 0x4, struct gh_fn_desc)

/*
 * Remove the function that was added with the same type and argument. Returns
 * 0, also when there is none. A removed vCPU's descriptor stays open; GH_VCPU_RUN on
 * it is ENODEV.
 */
#define GH_VM_REMOVE_FUNCTION		_IOW(GH_IOCTL_TYPE, 0x7, struct gh_fn_desc)

/*
 * ioctls of a vCPU file descriptor
 */

/*
 * How a VM ended, in gh_vm_exit_info.type; these are the Resource Manager's
 * numbers, others may be added.
 */
#define GH_VM_EXIT_TYPE_VM_EXIT			0
#define GH_VM_EXIT_TYPE_PSCI_POWER_OFF		1
#define GH_VM_EXIT_TYPE_PSCI_SYSTEM_RESET	2
#define GH_VM_EXIT_TYPE_PSCI_SYSTEM_RESET2	3
#define GH_VM_EXIT_TYPE_WATCHDOG_BITE		4
#define GH_VM_EXIT_TYPE_HYP_ERROR		5
#define GH_VM_EXIT_TYPE_ASYNC_EXT_ABORT		6
#define GH_VM_EXIT_TYPE_VM_FORCE_STOPPED	7

#define GH_VM_MAX_EXIT_REASON_SIZE		8

/**
 * struct gh_vm_exit_info - How a VM ended
 * @type: GH_VM_EXIT_TYPE_*
 * @padding: 0
 * @reason_size: Bytes of @reason that the Resource Manager gave, at most
 *               GH_VM_MAX_EXIT_REASON_SIZE
 * @reason: Depends on @type; little-endian
 */
struct gh_vm_exit_info {
	__u16 type;
	__u16 padding;
	__u32 reason_size;
	__u8 reason[GH_VM_MAX_EXIT_REASON_SIZE];
};

/**
 * enum gh_vcpu_exit - Why GH_VCPU_RUN returned
 * @GH_VCPU_EXIT_UNKNOWN: No reason given; run it again
 * @GH_VCPU_EXIT_MMIO: The guest accessed an address that nothing else serves
 * @GH_VCPU_EXIT_STATUS: The VM does not run any more
 */
enum gh_vcpu_exit {
	GH_VCPU_EXIT_UNKNOWN,
	GH_VCPU_EXIT_MMIO,
	GH_VCPU_EXIT_STATUS,
};

/**
 * enum gh_vm_status - State of a VM that does not run
 * @GH_VM_STATUS_LOAD_FAILED: GH_VM_START failed
 * @GH_VM_STATUS_EXITED: It ended; gh_vm_exit_info says how
 * @GH_VM_STATUS_CRASHED: It cannot go on, and there is no exit information
 */
enum gh_vm_status {
	GH_VM_STATUS_LOAD_FAILED	= 1,
	GH_VM_STATUS_EXITED		= 2,
	GH_VM_STATUS_CRASHED		= 3,
};

/**
 * struct gh_vcpu_run - The run page, shared by the driver and the VMM
 * @immediate_exit: Set by the VMM, also from another thread or a signal
 *                  handler: GH_VCPU_RUN does not enter the guest but fails
 *                  with EINTR
 * @padding: 0
 * @exit_reason: enum gh_vcpu_exit, valid when GH_VCPU_RUN returned 0
 * @mmio: For GH_VCPU_EXIT_MMIO
 * @mmio.phys_addr: Guest physical address of the access
 * @mmio.data: Little-endian. The value written; for a read, the VMM puts the value
 *             here before the next GH_VCPU_RUN
 * @mmio.len: Bytes accessed: 1, 2, 4 or 8
 * @mmio.is_write: 1 for a write, 0 for a read
 * @status: For GH_VCPU_EXIT_STATUS
 * @status.status: enum gh_vm_status
 * @status.exit_info: For GH_VM_STATUS_EXITED
 */
struct gh_vcpu_run {
	/* in */
	__u8 immediate_exit;
	__u8 padding[7];

	/* out */
	__u32 exit_reason;

	union {
		struct {
			__u64 phys_addr;
			__u8  data[8];
			__u32 len;
			__u8  is_write;
		} mmio;

		struct {
			enum gh_vm_status status;
			struct gh_vm_exit_info exit_info;
		} status;
	};
};

/*
 * Run the vCPU until it needs the VMM. Returns 0 with the run page filled.
 * Errors: EINTR a signal or immediate_exit; ENODEV the function was removed, or the
 * VM has no such vCPU (yet); EIO the hypervisor gave an access that does not
 * fit the run page. One thread at a time; a second one waits.
 */
#define GH_VCPU_RUN			_IO(GH_IOCTL_TYPE, 0x5)

/*
 * Bytes of the run page, to be mapped MAP_SHARED at offset 0 of the vCPU
 * descriptor: the size of a page.
 */
#define GH_VCPU_MMAP_SIZE		_IO(GH_IOCTL_TYPE, 0x6)

#endif
