// SPDX-License-Identifier: GPL-2.0-only
/*
 * Start and end of a VM: the steps that the Resource Manager takes, and how they are
 * undone from wherever they got to.
 */
#include <linux/gunyah_rsc_mgr.h>
#include <linux/gunyah_vm_mgr.h>
#include <linux/mm.h>

#include "rsc_mgr.h"
#include "vm_mgr.h"

static int gh_vm_create_in_rm(struct gh_vm *vm)
{
	u16 vmid;
	int ret;

	ret = gh_rm_alloc_vmid(vm->rm, &vmid);
	if (ret)
		return ret;

	/* What was said about an earlier VM of this number is not for this one. */
	gh_rm_flush_notifications(vm->rm);
	gh_vm_set_rm_status(vm, GH_RM_VM_STATUS_LOAD);
	gh_vm_set_vmid(vm, vmid);
	return 0;
}

static int gh_vm_share_memory(struct gh_vm *vm)
{
	struct gh_vm_region *region;
	int ret;

	list_for_each_entry(region, &vm->regions, list) {
		ret = gh_vm_region_share(vm, region);
		if (ret)
			return ret;
	}
	return 0;
}

/*
 * Whatever these two return, the Resource Manager may have left LOAD behind, so
 * that the VM must be reset before it can be deleted.
 */
static int gh_vm_configure(struct gh_vm *vm, const struct gh_vm_region *region,
			   const struct gh_vm_region *firmware)
{
	const struct gh_rm_vm_image image = {
		.auth = firmware ? GH_RM_VM_AUTH_QCOM_ANDROID_PVM : GH_RM_VM_AUTH_NONE,
		.mem_handle = region->parcel.mem_handle,
		.dtb_offset = vm->dtb.guest_phys_addr - region->guest_phys_addr,
		.dtb_size = vm->dtb.size,
	};
	int ret;

	ret = gh_rm_vm_configure(vm->rm, vm->vmid, &image);
	if (ret)
		return ret;
	gh_vm_set_rm_status(vm, GH_RM_VM_STATUS_INIT);

	if (firmware) {
		ret = gh_rm_vm_set_firmware_mem(vm->rm, vm->vmid, firmware->parcel.mem_handle,
						vm->firmware.guest_phys_addr -
						firmware->guest_phys_addr, vm->firmware.size);
		if (ret)
			return ret;
	}
	ret = gh_rm_vm_init(vm->rm, vm->vmid);
	gh_vm_set_rm_status(vm, ret ? GH_RM_VM_STATUS_INIT_FAILED : GH_RM_VM_STATUS_READY);
	return ret;
}

static int gh_vm_run(struct gh_vm *vm)
{
	int ret;

	ret = gh_rm_vm_start(vm->rm, vm->vmid);
	switch (ret) {
	case 0:
		/* It may have ended before the reply came: then that is its state. */
		gh_vm_set_rm_status(vm, GH_RM_VM_STATUS_RUNNING);
		gh_vm_change_state(vm, GH_VM_STARTING, GH_VM_RUNNING);
		break;
	case -ETIMEDOUT:
	case -EIO:
	case -EBADMSG:
		/* Not known: it may run. */
		gh_vm_set_rm_status(vm, GH_RM_VM_STATUS_RUNNING);
		break;
	default:
		gh_vm_set_rm_status(vm, GH_RM_VM_STATUS_INIT_FAILED);
		break;
	}
	return ret;
}

static int gh_vm_try_start(struct gh_vm *vm)
{
	struct gh_vm_region *firmware = NULL;
	struct gh_vm_region *region;
	int ret;

	region = gh_vm_region_find(vm, vm->dtb.guest_phys_addr, vm->dtb.size);
	if (!vm->dtb.size || !region) {
		gh_vm_err(vm, "cannot start: no memory region contains the device tree, %#llx bytes at %#llx\n",
			  vm->dtb.size, vm->dtb.guest_phys_addr);
		return -EINVAL;
	}

	if (vm->firmware.size) {
		firmware = gh_vm_region_find(vm, vm->firmware.guest_phys_addr, vm->firmware.size);
		if (!firmware || !firmware->parcel.lend) {
			gh_vm_err(vm, "cannot start: no lent memory region contains the firmware, %#llx bytes at %#llx\n",
				  vm->firmware.size, vm->firmware.guest_phys_addr);
			return -EINVAL;
		}
	}

	ret = gh_vm_create_in_rm(vm);
	if (ret)
		return ret;
	ret = gh_vm_share_memory(vm);
	if (ret)
		return ret;
	ret = gh_vm_configure(vm, region, firmware);
	if (ret)
		return ret;
	ret = gh_vm_resources_add(vm);
	if (ret)
		return ret;
	return gh_vm_run(vm);
}

/* The Resource Manager's part of the end: the VM does not run and has nothing any more. */
static void gh_vm_stop_and_reset(struct gh_vm *vm)
{
	unsigned long timeout;
	int ret;

	if (gh_vm_rm_status(vm) == GH_RM_VM_STATUS_RUNNING) {
		ret = gh_rm_vm_stop(vm->rm, vm->vmid);
		/* A refusal may mean that it is just ending by itself. */
		timeout = ret ? HZ : gh_rm_timeout(vm->rm);
		if (!gh_vm_wait_rm_status(vm, GH_RM_VM_STATUS_EXITED, timeout))
			gh_vm_err(vm, "it does not stop\n");
	}

	switch (gh_vm_rm_status(vm)) {
	case GH_RM_VM_STATUS_NO_STATE:
	case GH_RM_VM_STATUS_LOAD:
	case GH_RM_VM_STATUS_RESET:
		/* Nothing to reset; in LOAD it would be an error. */
		return;
	default:
		break;
	}
	if (!gh_rm_vm_reset(vm->rm, vm->vmid) &&
	    !gh_vm_wait_rm_status(vm, GH_RM_VM_STATUS_RESET, gh_rm_timeout(vm->rm)))
		gh_vm_err(vm, "it is not reset\n");
}

/**
 * gh_vm_end() - End a VM and give back everything that it has
 * @vm: The VM, its lock held. Where its life ends, it has no functions any more
 *
 * Bounded in time. What the Resource Manager does not give back is left alone for ever:
 * memory stays pinned, and the log says so.
 */
void gh_vm_end(struct gh_vm *vm)
{
	const u16 vmid = vm->vmid;

	lockdep_assert_held(&vm->lock);

	if (vmid != GH_VMID_INVAL)
		gh_vm_stop_and_reset(vm);
	gh_vm_resources_remove(vm);
	gh_vm_regions_free(vm);
	if (vmid != GH_VMID_INVAL) {
		gh_vm_set_vmid(vm, GH_VMID_INVAL);
		gh_rm_dealloc_vmid(vm->rm, vmid);
	}
}

/**
 * gh_vm_start() - Start a VM
 * @vm: The VM, its lock held
 *
 * Return: 0, also if it runs already; an error, and nothing is left of it.
 */
int gh_vm_start(struct gh_vm *vm)
{
	int ret;

	lockdep_assert_held(&vm->lock);

	switch (gh_vm_state(vm)) {
	case GH_VM_CREATED:
		break;
	case GH_VM_RUNNING:
		return 0;
	default:
		return -ENODEV;
	}

	if (READ_ONCE(vm->rm->closing))
		return -ENODEV;
	gh_vm_set_state(vm, GH_VM_STARTING);
	ret = gh_vm_try_start(vm);
	if (ret) {
		gh_vm_end(vm);
		gh_vm_set_state(vm, GH_VM_FAILED);
	}
	return ret;
}
