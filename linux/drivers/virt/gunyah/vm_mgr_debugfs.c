// SPDX-License-Identifier: GPL-2.0-only
/*
 * debugfs: which VMs there are, what they have, and what their vCPUs did.
 */
#include <linux/debugfs.h>
#include <linux/gunyah_vm_mgr.h>
#include <linux/seq_file.h>

#include "rsc_mgr.h"
#include "vm_mgr.h"

static const char * const gh_vm_state_names[] = {
	[GH_VM_CREATED] = "created",
	[GH_VM_STARTING] = "starting",
	[GH_VM_RUNNING] = "running",
	[GH_VM_EXITED] = "exited",
	[GH_VM_FAILED] = "failed",
};

static void gh_vm_show(struct gh_vm *vm, struct seq_file *file)
{
	struct gh_vm_function_instance *instance;
	struct gh_vm_region *region;

	seq_printf(file, "vm %u: %s\n", vm->vmid, gh_vm_state_names[gh_vm_state(vm)]);
	list_for_each_entry(region, &vm->regions, list)
		seq_printf(file, "  memory %u: %#llx, %lu KiB %s in %zu ranges\n",
			   region->parcel.label, region->guest_phys_addr,
			   region->npages << (PAGE_SHIFT - 10),
			   region->parcel.lend ? "lent" : "shared", region->parcel.n_mem_entries);
	list_for_each_entry(instance, &vm->functions, list) {
		if (instance->fn->show)
			instance->fn->show(instance, file);
	}
}

static int vms_show(struct seq_file *file, void *unused)
{
	struct gh_rm *rm = file->private;
	struct gh_vm *vm;
	int ret;

	ret = mutex_lock_interruptible(&rm->vms_lock);
	if (ret)
		return ret;
	list_for_each_entry(vm, &rm->vms, list) {
		/* It may be being started, or stopped, for some time. */
		ret = mutex_lock_interruptible(&vm->lock);
		if (ret)
			break;
		gh_vm_show(vm, file);
		mutex_unlock(&vm->lock);
	}
	mutex_unlock(&rm->vms_lock);
	return ret;
}
DEFINE_SHOW_ATTRIBUTE(vms);

/**
 * gh_vm_debugfs_add() - Make the file that lists VMs
 * @rm: Resource Manager, with its directory
 */
void gh_vm_debugfs_add(struct gh_rm *rm)
{
	debugfs_create_file("vms", 0400, rm->debugfs, rm, &vms_fops);
}

/**
 * gh_vm_list_add() - Have a VM listed
 * @vm: The VM, from now on complete enough to be looked at
 */
void gh_vm_list_add(struct gh_vm *vm)
{
	mutex_lock(&vm->rm->vms_lock);
	list_add_tail(&vm->list, &vm->rm->vms);
	mutex_unlock(&vm->rm->vms_lock);
}

/**
 * gh_vm_list_remove() - Have it listed no longer
 * @vm: The VM, its lock not held; nobody looks at it when this returns
 */
void gh_vm_list_remove(struct gh_vm *vm)
{
	mutex_lock(&vm->rm->vms_lock);
	list_del(&vm->list);
	mutex_unlock(&vm->rm->vms_lock);
}
