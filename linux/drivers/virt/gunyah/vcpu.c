// SPDX-License-Identifier: GPL-2.0-only
/*
 * VM function: a vCPU that runs on the time of the thread that asks for it.
 */
#include <linux/anon_inodes.h>
#include <linux/delay.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/gunyah.h>
#include <linux/gunyah_vm_mgr.h>
#include <linux/interrupt.h>
#include <linux/kref.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/wait.h>

#include "trace.h"
#include "vcpu.h"

/* How long VM_EXITED may take when the vCPU already says that the VM is at its end. */
#define GH_VCPU_END_TIMEOUT	(10 * HZ)

/* Times that a vCPU may be found blocked before the thread sleeps a little instead. */
#define GH_VCPU_BLOCKED_SPINS	16

/* Most steps of the loop below say whether to go on: this, 0 for an exit, or an error. */
#define GH_VCPU_AGAIN	1

/* There is another answer of the hypervisor. */
#define GH_VCPU_ANSWERED	2

static void gh_vcpu_free(struct kref *kref)
{
	struct gh_vcpu *vcpu = container_of(kref, struct gh_vcpu, kref);

	__free_page(vcpu->page);
	kfree(vcpu);
}

static void gh_vcpu_put(struct gh_vcpu *vcpu)
{
	kref_put(&vcpu->kref, gh_vcpu_free);
}

/**
 * gh_vcpu_kick() - Make the thread that runs it look at everything again. Any context
 * @vcpu: The vCPU
 */
void gh_vcpu_kick(struct gh_vcpu *vcpu)
{
	WRITE_ONCE(vcpu->wakeup, true);
	wake_up(&vcpu->wait);
}

static irqreturn_t gh_vcpu_wakeup_irq(int irq, void *data)
{
	gh_vcpu_kick(data);
	return IRQ_HANDLED;
}

static void gh_vcpu_wake(struct gh_vm_waker *waker)
{
	gh_vcpu_kick(container_of(waker, struct gh_vcpu, waker));
}

static int gh_vcpu_vm_ended(struct notifier_block *nb, unsigned long action, void *data)
{
	gh_vcpu_kick(container_of(nb, struct gh_vcpu, end_nb));
	return NOTIFY_OK;
}

static int gh_vcpu_exit_status(struct gh_vcpu *vcpu, enum gh_vm_status status,
			       const struct gh_vm_exit_info *info)
{
	struct gh_vcpu_run *run = vcpu->run;

	run->status.status = status;
	run->status.exit_info = *info;
	run->exit_reason = GH_VCPU_EXIT_STATUS;
	return 0;
}

/* The VM does not run any more, or can never have. */
static int gh_vcpu_exit_ended(struct gh_vcpu *vcpu)
{
	struct gh_vm_exit_info info;
	enum gh_vm_status status = gh_vm_status(vcpu->vm, &info);

	return gh_vcpu_exit_status(vcpu, status, &info);
}

/* The vCPU is beyond help, so that the VM will be told to have ended. */
static int gh_vcpu_exit_dead(struct gh_vcpu *vcpu)
{
	if (gh_vm_wait_ended(vcpu->vm, GH_VCPU_END_TIMEOUT) == -EINTR)
		return -EINTR;
	return gh_vcpu_exit_ended(vcpu);
}

/* The guest asked to be reset. Who it asked tells the Resource Manager, which tells us. */
static int gh_vcpu_exit_reset(struct gh_vcpu *vcpu, const struct gh_hypercall_vcpu_run_resp *resp)
{
	static const struct gh_vm_exit_info info = { .type = GH_VM_EXIT_TYPE_PSCI_SYSTEM_RESET };
	int ret = gh_vm_wait_ended(vcpu->vm, GH_VCPU_END_TIMEOUT);

	if (ret == -ETIMEDOUT)
		return gh_vcpu_exit_status(vcpu, GH_VM_STATUS_EXITED, &info);
	return ret ? : gh_vcpu_exit_ended(vcpu);
}

static int gh_vcpu_exit_mmio(struct gh_vcpu *vcpu, const struct gh_hypercall_vcpu_run_resp *resp,
			     bool is_write)
{
	struct gh_vcpu_run *run = vcpu->run;
	const __le64 value = cpu_to_le64(is_write ? resp->data[2] : 0);

	run->mmio.phys_addr = resp->data[0];
	memcpy(run->mmio.data, &value, sizeof(run->mmio.data));
	run->mmio.len = resp->data[1];
	run->mmio.is_write = is_write;
	run->exit_reason = GH_VCPU_EXIT_MMIO;
	if (!is_write)
		vcpu->read_len = resp->data[1];
	return 0;
}

static u64 gh_vcpu_mask(u64 value, u32 len)
{
	return value & GENMASK_ULL(len * BITS_PER_BYTE - 1, 0);
}

static int gh_vcpu_mmio(struct gh_vcpu *vcpu, struct gh_hypercall_vcpu_run_resp *resp)
{
	const bool is_write = resp->state == GH_VCPU_ADDRSPACE_VMMIO_WRITE;
	const u64 len = resp->data[1];

	if (len != 1 && len != 2 && len != 4 && len != 8) {
		gh_vm_err(vcpu->vm, "vCPU %u: access of %llu bytes at %#llx\n", vcpu->ticket.label,
			  len, resp->data[0]);
		return -EIO;
	}
	if (is_write) {
		resp->data[2] = gh_vcpu_mask(resp->data[2], len);
		if (gh_vm_io_write(vcpu->vm, resp->data[0], len, resp->data[2])) {
			vcpu->served++;
			return GH_VCPU_AGAIN;
		}
	}
	return gh_vcpu_exit_mmio(vcpu, resp, is_write);
}

/* Sleeps until the hypervisor says that the vCPU can go on. */
static int gh_vcpu_sleep(struct gh_vcpu *vcpu)
{
	if (wait_event_interruptible(vcpu->wait, xchg(&vcpu->wakeup, false) ||
				     gh_vcpu_is_disturbed(vcpu)))
		return -EINTR;
	return GH_VCPU_AGAIN;
}

/*
 * The same; who rings for it may run it meanwhile. If that is more than another sleep, RESP says
 * what it is, which goes before any signal.
 */
static int gh_vcpu_wait_for_interrupt(struct gh_vcpu *vcpu,
				      struct gh_hypercall_vcpu_run_resp *resp)
{
	int ret;

	gh_vcpu_lend(vcpu);
	ret = gh_vcpu_sleep(vcpu);
	return gh_vcpu_take_back(vcpu, resp) ? GH_VCPU_ANSWERED : ret;
}

/* It waits for something within the hypervisor. That takes no time, normally. */
static int gh_vcpu_yield(struct gh_vcpu *vcpu)
{
	if (++vcpu->blocked < GH_VCPU_BLOCKED_SPINS)
		schedule();
	else
		usleep_range(50, 200);
	return GH_VCPU_AGAIN;
}

static int gh_vcpu_handle(struct gh_vcpu *vcpu, struct gh_hypercall_vcpu_run_resp *resp)
{
	int ret;

answered:
	if (resp->state != GH_VCPU_STATE_BLOCKED)
		vcpu->blocked = 0;

	switch (resp->state) {
	case GH_VCPU_STATE_READY:
		return GH_VCPU_AGAIN;
	case GH_VCPU_STATE_EXPECTS_WAKEUP:
		ret = gh_vcpu_wait_for_interrupt(vcpu, resp);
		if (ret == GH_VCPU_ANSWERED)
			goto answered;
		return ret;
	case GH_VCPU_STATE_POWERED_OFF:
		return gh_vcpu_sleep(vcpu);
	case GH_VCPU_STATE_BLOCKED:
		return gh_vcpu_yield(vcpu);
	case GH_VCPU_ADDRSPACE_VMMIO_READ:
	case GH_VCPU_ADDRSPACE_VMMIO_WRITE:
		return gh_vcpu_mmio(vcpu, resp);
	case GH_VCPU_PSCI_SYSTEM_RESET:
		return gh_vcpu_exit_reset(vcpu, resp);
	case GH_VCPU_ADDRSPACE_PAGE_FAULT:
		gh_vm_err(vcpu->vm, "vCPU %u: page fault at %#llx\n", vcpu->ticket.label,
			  resp->data[0]);
		return gh_vcpu_exit_dead(vcpu);
	case GH_VCPU_STATE_FAULT:
		gh_vm_err(vcpu->vm, "vCPU %u: unrecoverable fault\n", vcpu->ticket.label);
		return gh_vcpu_exit_dead(vcpu);
	default:
		gh_vm_err(vcpu->vm, "vCPU %u: unknown state %#llx\n", vcpu->ticket.label,
			  resp->state);
		return gh_vcpu_exit_dead(vcpu);
	}
}

/* Enters the guest once. */
static int gh_vcpu_enter(struct gh_vcpu *vcpu)
{
	struct gh_hypercall_vcpu_run_resp resp;
	enum gh_error error;
	int ret;

	trace_gh_vcpu_enter(vcpu->vm, vcpu->ticket.label, vcpu->resume);
	error = gh_hypercall_vcpu_run(vcpu->resource->capid, vcpu->resume, &resp);
	trace_gh_vcpu_exit(vcpu->vm, vcpu->ticket.label, error, &resp);
	if (error == GH_ERROR_RETRY) {
		cond_resched();
		return GH_VCPU_AGAIN;
	}
	/* Taken; in other states it has to be 0. */
	vcpu->resume = 0;
	if (error == GH_ERROR_OK) {
		gh_vcpu_count_exit(vcpu, &resp);
		return gh_vcpu_handle(vcpu, &resp);
	}

	/* The VM may have ended in the meantime, and the vCPU with it. */
	ret = gh_vm_wait_ended(vcpu->vm, HZ);
	if (ret != -ETIMEDOUT)
		return ret ? : gh_vcpu_exit_ended(vcpu);
	gh_vm_err(vcpu->vm, "vCPU %u: cannot run: %s\n", vcpu->ticket.label, gh_error_name(error));
	return gh_error_remap(error);
}

/* Takes the answer of the VMM to the last exit, before anything else may fail. */
static void gh_vcpu_complete_read(struct gh_vcpu *vcpu)
{
	__le64 value;

	if (!vcpu->read_len)
		return;
	memcpy(&value, vcpu->run->mmio.data, sizeof(value));
	vcpu->resume = gh_vcpu_mask(le64_to_cpu(value), vcpu->read_len);
	vcpu->read_len = 0;
}

static int gh_vcpu_run_locked(struct gh_vcpu *vcpu)
{
	int ret = GH_VCPU_AGAIN;

	lockdep_assert_held(&vcpu->run_lock);

	gh_vcpu_complete_read(vcpu);
	while (ret == GH_VCPU_AGAIN) {
		if (READ_ONCE(vcpu->removed) || READ_ONCE(vcpu->leave))
			return -ENODEV;
		switch (gh_vm_state(vcpu->vm)) {
		case GH_VM_RUNNING:
			break;
		case GH_VM_EXITED:
		case GH_VM_FAILED:
			return gh_vcpu_exit_ended(vcpu);
		default:
			return -ENODEV;
		}
		if (!vcpu->resource)
			return -ENODEV;
		if (READ_ONCE(vcpu->run->immediate_exit) || signal_pending(current))
			return -EINTR;
		if (need_resched())
			cond_resched();
		ret = gh_vcpu_enter(vcpu);
	}
	return ret;
}

static int gh_vcpu_ioctl_run(struct gh_vcpu *vcpu)
{
	int ret;

	/* Not with the lock held: the start needs it. */
	if (unlikely(gh_vm_state(vcpu->vm) == GH_VM_STARTING)) {
		ret = gh_vm_wait_started(vcpu->vm);
		if (ret)
			return ret;
	}
	if (!mutex_trylock(&vcpu->run_lock) && mutex_lock_interruptible(&vcpu->run_lock))
		return -EINTR;
	ret = gh_vcpu_run_locked(vcpu);
	mutex_unlock(&vcpu->run_lock);
	return ret;
}

static long gh_vcpu_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case GH_VCPU_RUN:
		return gh_vcpu_ioctl_run(filp->private_data);
	case GH_VCPU_MMAP_SIZE:
		return PAGE_SIZE;
	default:
		return -EINVAL;
	}
}

static int gh_vcpu_mmap(struct file *filp, struct vm_area_struct *vma)
{
	struct gh_vcpu *vcpu = filp->private_data;

	if (vma->vm_pgoff || vma_pages(vma) != 1 || !(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	return vm_insert_page(vma, vma->vm_start, vcpu->page);
}

static int gh_vcpu_release(struct inode *inode, struct file *filp)
{
	struct gh_vcpu *vcpu = filp->private_data;
	struct gh_vm *vm = vcpu->vm;

	gh_vcpu_put(vcpu);
	gh_vm_put(vm);
	return 0;
}

static const struct file_operations gh_vcpu_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = gh_vcpu_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = gh_vcpu_mmap,
	.release = gh_vcpu_release,
	.llseek = noop_llseek,
};

static int gh_vcpu_populate(struct gh_vm_resource_ticket *ticket, struct gh_resource *resource)
{
	struct gh_vcpu *vcpu = container_of(ticket, struct gh_vcpu, ticket);
	int ret;

	if (!resource->irq)
		return -EINVAL;
	ret = request_irq(resource->irq, gh_vcpu_wakeup_irq, IRQF_TRIGGER_RISING, "gh_vcpu", vcpu);
	if (ret)
		return ret;

	gh_vm_add_waker(vcpu->vm, &vcpu->waker);
	mutex_lock(&vcpu->run_lock);
	vcpu->resource = resource;
	mutex_unlock(&vcpu->run_lock);
	return 0;
}

static void gh_vcpu_unpopulate(struct gh_vm_resource_ticket *ticket, struct gh_resource *resource)
{
	struct gh_vcpu *vcpu = container_of(ticket, struct gh_vcpu, ticket);

	WRITE_ONCE(vcpu->leave, true);
	gh_vcpu_kick(vcpu);
	mutex_lock(&vcpu->run_lock);
	vcpu->resource = NULL;
	vcpu->leave = false;
	mutex_unlock(&vcpu->run_lock);
	gh_vm_remove_waker(vcpu->vm, &vcpu->waker);
	free_irq(resource->irq, vcpu);
}

static struct gh_vcpu *gh_vcpu_alloc(struct gh_vm *vm, u32 id)
{
	struct gh_vcpu *vcpu = kzalloc(sizeof(*vcpu), GFP_KERNEL_ACCOUNT);

	if (!vcpu)
		return NULL;
	vcpu->page = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!vcpu->page) {
		kfree(vcpu);
		return NULL;
	}
	vcpu->run = page_address(vcpu->page);
	vcpu->vm = vm;
	kref_init(&vcpu->kref);
	init_waitqueue_head(&vcpu->wait);
	gh_vcpu_loan_init(vcpu);
	mutex_init(&vcpu->run_lock);
	vcpu->end_nb.notifier_call = gh_vcpu_vm_ended;
	vcpu->ticket.type = GH_RESOURCE_TYPE_VCPU;
	vcpu->ticket.label = id;
	vcpu->waker.vcpu = id;
	vcpu->waker.wake = gh_vcpu_wake;
	vcpu->waker.borrow = gh_vcpu_borrow;
	vcpu->waker.run = gh_vcpu_run_borrowed;
	vcpu->ticket.populate = gh_vcpu_populate;
	vcpu->ticket.unpopulate = gh_vcpu_unpopulate;
	return vcpu;
}

/* Makes the file; it has a reference on the vCPU and one on the VM. */
static struct file *gh_vcpu_file(struct gh_vcpu *vcpu)
{
	struct file *file;
	char name[32];

	snprintf(name, sizeof(name), "gh-vcpu:%u", vcpu->ticket.label);
	file = anon_inode_getfile(name, &gh_vcpu_fops, vcpu, O_RDWR);
	if (!IS_ERR(file)) {
		kref_get(&vcpu->kref);
		gh_vm_get(vcpu->vm);
	}
	return file;
}

static long gh_vcpu_bind(struct gh_vm_function_instance *instance)
{
	const struct gh_fn_vcpu_arg *arg = instance->arg;
	struct gh_vcpu *vcpu;
	struct file *file;
	int fd;
	int ret;

	if (!gh_api_has_feature(GH_FEATURE_VCPU))
		return -EOPNOTSUPP;
	if (instance->arg_size != sizeof(*arg))
		return -EINVAL;

	vcpu = gh_vcpu_alloc(instance->vm, arg->id);
	if (!vcpu)
		return -ENOMEM;
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0) {
		ret = fd;
		goto err_put;
	}
	ret = gh_vm_add_resource_ticket(instance->vm, &vcpu->ticket);
	if (ret)
		goto err_fd;
	file = gh_vcpu_file(vcpu);
	if (IS_ERR(file)) {
		ret = PTR_ERR(file);
		goto err_ticket;
	}

	gh_vm_end_notifier_register(instance->vm, &vcpu->end_nb);
	instance->data = vcpu;
	fd_install(fd, file);
	return fd;

err_ticket:
	gh_vm_remove_resource_ticket(instance->vm, &vcpu->ticket);
err_fd:
	put_unused_fd(fd);
err_put:
	gh_vcpu_put(vcpu);
	return ret;
}

static void gh_vcpu_unbind(struct gh_vm_function_instance *instance)
{
	struct gh_vcpu *vcpu = instance->data;

	WRITE_ONCE(vcpu->removed, true);
	gh_vcpu_kick(vcpu);
	gh_vm_end_notifier_unregister(instance->vm, &vcpu->end_nb);
	gh_vm_remove_resource_ticket(instance->vm, &vcpu->ticket);
	gh_vcpu_put(vcpu);
}

static void gh_vcpu_show(struct gh_vm_function_instance *instance, struct seq_file *file)
{
	static const char * const names[] = {
		"ready", "expects_wakeup", "powered_off", "blocked", "mmio_read", "mmio_write",
		"other",
	};
	struct gh_vcpu *vcpu = instance->data;
	int i;

	static_assert(ARRAY_SIZE(names) == GH_VCPU_COUNTED_STATES + 1);
	seq_printf(file, "  vcpu %u:", vcpu->ticket.label);
	for (i = 0; i < ARRAY_SIZE(names); i++)
		seq_printf(file, " %s %llu", names[i], READ_ONCE(vcpu->exits[i]));
	seq_printf(file, " served_in_kernel %llu run_by_ringers %llu\n", READ_ONCE(vcpu->served),
		   READ_ONCE(vcpu->loan.runs));
}

static struct gh_vm_function gh_vcpu_function = {
	.type = GH_FN_VCPU,
	.owner = THIS_MODULE,
	.bind = gh_vcpu_bind,
	.unbind = gh_vcpu_unbind,
	.show = gh_vcpu_show,
};
module_gh_vm_function(gh_vcpu_function);

MODULE_ALIAS_GH_VM_FUNCTION(GH_FN_VCPU);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Gunyah VM function: vCPU");
