// SPDX-License-Identifier: GPL-2.0-only
/*
 * VM function: an eventfd rings a doorbell, which interrupts the guest.
 */
#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/gunyah.h>
#include <linux/gunyah_vm_mgr.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "trace.h"

/* The doorbell flag that is used: the one that the interface's users agreed on. */
#define GH_IRQFD_BELL_FLAG	BIT_ULL(32)

/**
 * struct gh_irqfd - An eventfd bound to a doorbell
 * @vm: Whose doorbell
 * @ctx: The eventfd
 * @level: GH_IRQFD_LEVEL
 * @wait: In the eventfd's wait queue, whose lock guards it; empty list if the
 *        eventfd's file is closed
 * @poll_table: To get there
 * @ticket: Claim on the doorbell
 * @lock: Guards @bell and @pending. Inside the wait queue's lock
 * @bell: The doorbell, or NULL
 * @pending: Signalled before there was a doorbell
 */
struct gh_irqfd {
	struct gh_vm *vm;
	struct eventfd_ctx *ctx;
	bool level;
	wait_queue_entry_t wait;
	poll_table poll_table;

	struct gh_vm_resource_ticket ticket;
	spinlock_t lock; /* bell, pending */
	struct gh_resource *bell;
	bool pending;
};

static void gh_irqfd_ring(struct gh_irqfd *irqfd)
{
	enum gh_error error;
	u64 woken = 0;

	lockdep_assert_held(&irqfd->lock);
	trace_gh_irqfd_ring(irqfd->vm, irqfd->ticket.label, irqfd->bell);
	if (!irqfd->bell) {
		irqfd->pending = true;
		return;
	}
	if (gh_api_has_extension(GH_EXTENSION_BELL_RING))
		error = gh_hypercall_bell_ring(irqfd->bell->capid, GH_IRQFD_BELL_FLAG, &woken);
	else
		error = gh_hypercall_bell_send(irqfd->bell->capid, GH_IRQFD_BELL_FLAG, NULL);
	if (woken)
		gh_vm_wake_vcpus(irqfd->vm, woken);
	if (error != GH_ERROR_OK)
		gh_vm_err(irqfd->vm, "cannot ring doorbell %u: %s\n", irqfd->ticket.label,
			  gh_error_name(error));
}

/* Something happened to the eventfd. Its wait queue's lock is held, interrupts are off. */
static int gh_irqfd_wakeup(wait_queue_entry_t *wait, unsigned int mode, int sync, void *key)
{
	struct gh_irqfd *irqfd = container_of(wait, struct gh_irqfd, wait);
	__poll_t events = key_to_poll(key);
	unsigned long flags;

	if (events & EPOLLIN) {
		spin_lock_irqsave(&irqfd->lock, flags);
		gh_irqfd_ring(irqfd);
		spin_unlock_irqrestore(&irqfd->lock, flags);
	}
	/* The file is gone. The context stays until unbind gives up its reference. */
	if (events & EPOLLHUP)
		list_del_init(&wait->entry);
	return 0;
}

static void gh_irqfd_queue(struct file *file, wait_queue_head_t *queue, poll_table *table)
{
	struct gh_irqfd *irqfd = container_of(table, struct gh_irqfd, poll_table);

	add_wait_queue(queue, &irqfd->wait);
}

static int gh_irqfd_populate(struct gh_vm_resource_ticket *ticket, struct gh_resource *resource)
{
	struct gh_irqfd *irqfd = container_of(ticket, struct gh_irqfd, ticket);
	enum gh_error error;

	/* A level does not have to be cleared by the guest: ringing acknowledges itself. */
	if (irqfd->level) {
		error = gh_hypercall_bell_set_mask(resource->capid, GH_IRQFD_BELL_FLAG, ~0ULL);
		if (error != GH_ERROR_OK)
			return gh_error_remap(error);
	}

	spin_lock_irq(&irqfd->lock);
	irqfd->bell = resource;
	if (irqfd->pending)
		gh_irqfd_ring(irqfd);
	irqfd->pending = false;
	spin_unlock_irq(&irqfd->lock);
	return 0;
}

static void gh_irqfd_unpopulate(struct gh_vm_resource_ticket *ticket, struct gh_resource *resource)
{
	struct gh_irqfd *irqfd = container_of(ticket, struct gh_irqfd, ticket);

	spin_lock_irq(&irqfd->lock);
	irqfd->bell = NULL;
	spin_unlock_irq(&irqfd->lock);
}

static struct gh_irqfd *gh_irqfd_alloc(struct gh_vm *vm, const struct gh_fn_irqfd_arg *arg)
{
	struct gh_irqfd *irqfd = kzalloc(sizeof(*irqfd), GFP_KERNEL_ACCOUNT);

	if (!irqfd)
		return NULL;
	irqfd->vm = vm;
	irqfd->level = arg->flags & GH_IRQFD_LEVEL;
	init_waitqueue_func_entry(&irqfd->wait, gh_irqfd_wakeup);
	INIT_LIST_HEAD(&irqfd->wait.entry);
	init_poll_funcptr(&irqfd->poll_table, gh_irqfd_queue);
	spin_lock_init(&irqfd->lock);
	irqfd->ticket.type = GH_RESOURCE_TYPE_BELL_TX;
	irqfd->ticket.label = arg->label;
	irqfd->ticket.populate = gh_irqfd_populate;
	irqfd->ticket.unpopulate = gh_irqfd_unpopulate;
	return irqfd;
}

/* Watches the eventfd, and rings if it is signalled already. */
static void gh_irqfd_watch(struct gh_irqfd *irqfd, struct file *file)
{
	if (vfs_poll(file, &irqfd->poll_table) & EPOLLIN) {
		spin_lock_irq(&irqfd->lock);
		gh_irqfd_ring(irqfd);
		spin_unlock_irq(&irqfd->lock);
	}
}

static long gh_irqfd_bind_file(struct gh_vm_function_instance *instance, struct file *file)
{
	struct gh_irqfd *irqfd = gh_irqfd_alloc(instance->vm, instance->arg);
	long ret;

	if (!irqfd)
		return -ENOMEM;
	irqfd->ctx = eventfd_ctx_fileget(file);
	if (IS_ERR(irqfd->ctx)) {
		ret = PTR_ERR(irqfd->ctx);
		goto err_free;
	}
	ret = gh_vm_add_resource_ticket(instance->vm, &irqfd->ticket);
	if (ret)
		goto err_put;

	gh_irqfd_watch(irqfd, file);
	instance->data = irqfd;
	return 0;

err_put:
	eventfd_ctx_put(irqfd->ctx);
err_free:
	kfree(irqfd);
	return ret;
}

static long gh_irqfd_bind(struct gh_vm_function_instance *instance)
{
	const struct gh_fn_irqfd_arg *arg = instance->arg;
	struct file *file;
	long ret;

	if (!gh_api_has_feature(GH_FEATURE_DOORBELL))
		return -EOPNOTSUPP;
	if (instance->arg_size != sizeof(*arg) || arg->flags & ~GH_IRQFD_LEVEL)
		return -EINVAL;

	file = fget(arg->fd);
	if (!file)
		return -EBADF;
	ret = gh_irqfd_bind_file(instance, file);
	fput(file);
	return ret;
}

static void gh_irqfd_unbind(struct gh_vm_function_instance *instance)
{
	struct gh_irqfd *irqfd = instance->data;
	u64 count;

	/* Not called any more after this, whether there is a doorbell or not. */
	eventfd_ctx_remove_wait_queue(irqfd->ctx, &irqfd->wait, &count);
	gh_vm_remove_resource_ticket(instance->vm, &irqfd->ticket);
	eventfd_ctx_put(irqfd->ctx);
	kfree(irqfd);
}

static struct gh_vm_function gh_irqfd_function = {
	.type = GH_FN_IRQFD,
	.owner = THIS_MODULE,
	.bind = gh_irqfd_bind,
	.unbind = gh_irqfd_unbind,
};
module_gh_vm_function(gh_irqfd_function);

MODULE_ALIAS_GH_VM_FUNCTION(GH_FN_IRQFD);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Gunyah VM function: irqfd");
