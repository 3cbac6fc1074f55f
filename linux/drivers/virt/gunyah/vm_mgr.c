// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/gunyah and VM file descriptors.
 */
#include <linux/anon_inodes.h>
#include <linux/device.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/gunyah_rsc_mgr.h>
#include <linux/gunyah_vm_mgr.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "rsc_mgr.h"
#include "vm_mgr.h"

/**
 * gh_vm_err() - Log an error about a VM, rate limited
 * @vm: The VM
 * @fmt: As for printk(), with a line feed
 */
void gh_vm_err(struct gh_vm *vm, const char *fmt, ...)
{
	struct va_format vaf = { .fmt = fmt };
	va_list args;

	va_start(args, fmt);
	vaf.va = &args;
	dev_err_ratelimited(gh_rm_device(vm->rm), "VM %u: %pV", READ_ONCE(vm->vmid), &vaf);
	va_end(args);
}
EXPORT_SYMBOL_GPL(gh_vm_err);

/**
 * gh_vm_vmid() - Number that the Resource Manager knows a VM by
 * @vm: The VM
 *
 * Return: GH_VMID_INVAL before its start and after its end.
 */
u16 gh_vm_vmid(struct gh_vm *vm)
{
	return READ_ONCE(vm->vmid);
}
EXPORT_SYMBOL_GPL(gh_vm_vmid);

static struct gh_vm *gh_vm_alloc(struct gh_rm *rm)
{
	struct gh_vm *vm = kzalloc(sizeof(*vm), GFP_KERNEL_ACCOUNT);

	if (!vm)
		return NULL;
	kref_init(&vm->kref);
	mutex_init(&vm->lock);
	INIT_LIST_HEAD(&vm->regions);
	INIT_LIST_HEAD(&vm->functions);
	INIT_LIST_HEAD(&vm->tickets);
	INIT_LIST_HEAD(&vm->resources);
	gh_vm_state_init(vm);
	mutex_init(&vm->io_lock);
	spin_lock_init(&vm->waker_lock);
	INIT_LIST_HEAD(&vm->wakers);

	vm->rm = gh_rm_get(rm);
	vm->mm = current->mm;
	mmgrab(vm->mm);
	gh_rm_notifier_register(rm, &vm->rm_nb);
	gh_vm_list_add(vm);
	return vm;
}

static void gh_vm_free(struct kref *kref)
{
	struct gh_vm *vm = container_of(kref, struct gh_vm, kref);

	gh_vm_list_remove(vm);
	/* No file of it is open, so that nothing runs it or waits for it. */
	mutex_lock(&vm->lock);
	gh_vm_functions_remove_all(vm);
	gh_vm_end(vm);
	mutex_unlock(&vm->lock);

	gh_rm_notifier_unregister(vm->rm, &vm->rm_nb);
	gh_rm_put(vm->rm);
	mmdrop(vm->mm);
	kfree(vm);
}

/**
 * gh_vm_end_all() - End every VM, whoever has it
 * @rm: Resource Manager, which starts no other from now on
 *
 * Bounded in time for each.
 */
void gh_vm_end_all(struct gh_rm *rm)
{
	struct gh_vm *vm;

	/* Who has a VM's lock by now and did not see it has started its VM when we get the lock. */
	WRITE_ONCE(rm->closing, true);
	mutex_lock(&rm->vms_lock);
	list_for_each_entry(vm, &rm->vms, list) {
		mutex_lock(&vm->lock);
		gh_vm_end(vm);
		mutex_unlock(&vm->lock);
	}
	mutex_unlock(&rm->vms_lock);
}

/**
 * gh_vm_get() - Keep a VM
 * @vm: The VM
 */
struct gh_vm *gh_vm_get(struct gh_vm *vm)
{
	kref_get(&vm->kref);
	return vm;
}
EXPORT_SYMBOL_GPL(gh_vm_get);

/**
 * gh_vm_put() - Undo gh_vm_get()
 * @vm: The VM. With the last reference it ends, and everything it had is back when
 *      this returns: may sleep long, but not for ever
 */
void gh_vm_put(struct gh_vm *vm)
{
	kref_put(&vm->kref, gh_vm_free);
}
EXPORT_SYMBOL_GPL(gh_vm_put);

static long gh_vm_ioctl_region(struct gh_vm *vm, const void __user *argp, bool lend)
{
	struct gh_userspace_memory_region region;

	if (copy_from_user(&region, argp, sizeof(region)))
		return -EFAULT;
	return gh_vm_region_add(vm, &region, lend);
}

static long gh_vm_ioctl_dtb(struct gh_vm *vm, const void __user *argp)
{
	struct gh_vm_dtb_config dtb;
	u64 end;

	if (copy_from_user(&dtb, argp, sizeof(dtb)))
		return -EFAULT;
	if (!dtb.size)
		return -EINVAL;
	if (check_add_overflow(dtb.size, (u64)PAGE_SIZE - 1, &dtb.size))
		return -EOVERFLOW;
	dtb.size &= PAGE_MASK;
	if (check_add_overflow(dtb.guest_phys_addr, dtb.size, &end))
		return -EOVERFLOW;
	if (gh_vm_state(vm) != GH_VM_CREATED)
		return -EBUSY;
	vm->dtb = dtb;
	return 0;
}

static long gh_vm_ioctl_firmware(struct gh_vm *vm, const void __user *argp)
{
	struct gh_vm_firmware_config firmware;
	u64 end;

	if (copy_from_user(&firmware, argp, sizeof(firmware)))
		return -EFAULT;
	if (!firmware.size)
		return -EINVAL;
	if (check_add_overflow(firmware.guest_phys_addr, firmware.size, &end))
		return -EOVERFLOW;
	if (gh_vm_state(vm) != GH_VM_CREATED)
		return -EBUSY;
	vm->firmware = firmware;
	return 0;
}

static long gh_check_extension(unsigned long number)
{
	switch (number) {
	case GH_CAP_LEND_USER_MEM:
	case GH_CAP_FW_CONFIG:
		return gh_api_has_feature(GH_FEATURE_MEMEXTENT);
	case GH_CAP_API_VERSION:
		return gh_api_version();
	case GH_CAP_FN_VCPU:
		return gh_api_has_feature(GH_FEATURE_VCPU);
	case GH_CAP_FN_IRQFD:
		return gh_api_has_feature(GH_FEATURE_DOORBELL);
	default:
		return 0;
	}
}

static long gh_vm_ioctl_locked(struct gh_vm *vm, unsigned int cmd, unsigned long arg)
{
	const void __user *argp = (const void __user *)arg;
	struct gh_fn_desc desc;

	switch (cmd) {
	case GH_VM_SET_USER_MEM_REGION:
		return gh_vm_ioctl_region(vm, argp, false);
	case GH_VM_ANDROID_LEND_USER_MEM:
		return gh_vm_ioctl_region(vm, argp, true);
	case GH_VM_SET_DTB_CONFIG:
		return gh_vm_ioctl_dtb(vm, argp);
	case GH_VM_ANDROID_SET_FW_CONFIG:
		return gh_vm_ioctl_firmware(vm, argp);
	case GH_VM_START:
		return gh_vm_start(vm);
	case GH_VM_ADD_FUNCTION:
		if (copy_from_user(&desc, argp, sizeof(desc)))
			return -EFAULT;
		return gh_vm_function_add(vm, &desc);
	case GH_VM_REMOVE_FUNCTION:
		if (copy_from_user(&desc, argp, sizeof(desc)))
			return -EFAULT;
		return gh_vm_function_remove(vm, &desc);
	default:
		return -ENOTTY;
	}
}

static const char *gh_vm_ioctl_name(unsigned int cmd)
{
	switch (cmd) {
	case GH_VM_SET_USER_MEM_REGION:
		return "GH_VM_SET_USER_MEM_REGION";
	case GH_VM_ANDROID_LEND_USER_MEM:
		return "GH_VM_ANDROID_LEND_USER_MEM";
	case GH_VM_SET_DTB_CONFIG:
		return "GH_VM_SET_DTB_CONFIG";
	case GH_VM_ANDROID_SET_FW_CONFIG:
		return "GH_VM_ANDROID_SET_FW_CONFIG";
	case GH_VM_START:
		return "GH_VM_START";
	case GH_VM_ADD_FUNCTION:
		return "GH_VM_ADD_FUNCTION";
	case GH_VM_REMOVE_FUNCTION:
		return "GH_VM_REMOVE_FUNCTION";
	default:
		return "unknown ioctl";
	}
}

static long gh_vm_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	struct gh_vm *vm = filp->private_data;
	long ret;

	if (cmd == GH_VM_CHECK_EXTENSION)
		return gh_check_extension(arg);
	if (mutex_lock_interruptible(&vm->lock))
		return -EINTR;
	ret = gh_vm_ioctl_locked(vm, cmd, arg);
	mutex_unlock(&vm->lock);
	/* What the Resource Manager refused is an error of its own above this. */
	if (ret < 0 && ret != -EINTR)
		dev_notice_ratelimited(gh_rm_device(vm->rm), "VM %u of process %d: %s: %pe\n",
				       gh_vm_vmid(vm), task_tgid_nr(current), gh_vm_ioctl_name(cmd),
				       ERR_PTR(ret));
	return ret;
}

static int gh_vm_release(struct inode *inode, struct file *filp)
{
	gh_vm_put(filp->private_data);
	return 0;
}

static const struct file_operations gh_vm_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = gh_vm_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.release = gh_vm_release,
};

static long gh_dev_create_vm(struct gh_rm *rm)
{
	struct gh_vm *vm;
	struct file *file;
	int fd;

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	vm = gh_vm_alloc(rm);
	if (!vm) {
		put_unused_fd(fd);
		return -ENOMEM;
	}
	file = anon_inode_getfile("gunyah-vm", &gh_vm_fops, vm, O_RDWR);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		gh_vm_put(vm);
		return PTR_ERR(file);
	}
	fd_install(fd, file);
	return fd;
}

static long gh_dev_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	/* Stored there by the misc device's open. */
	struct miscdevice *miscdev = filp->private_data;
	struct gh_rm *rm = container_of(miscdev, struct gh_rm, miscdev);

	switch (cmd) {
	case GH_CREATE_VM:
		return arg ? -EINVAL : gh_dev_create_vm(rm);
	case GH_VM_CHECK_EXTENSION:
		return gh_check_extension(arg);
	default:
		return -ENOTTY;
	}
}

const struct file_operations gh_dev_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = gh_dev_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};
