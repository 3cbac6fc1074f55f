// SPDX-License-Identifier: GPL-2.0-only
/*
 * VM function: a write of the guest signals an eventfd.
 */
#include <linux/eventfd.h>
#include <linux/gunyah_vm_mgr.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include "trace.h"

struct gh_ioeventfd {
	struct gh_vm_io_handler handler;
	struct eventfd_ctx *ctx;
	struct gh_vm *vm;
};

static void gh_ioeventfd_write(struct gh_vm_io_handler *handler)
{
	struct gh_ioeventfd *ioeventfd = container_of(handler, struct gh_ioeventfd, handler);

	trace_gh_ioeventfd_signal(ioeventfd->vm, handler->addr, handler->len, handler->value);
	eventfd_signal(ioeventfd->ctx);
}

static int gh_ioeventfd_check(const struct gh_fn_ioeventfd_arg *arg)
{
	u64 end;

	if (arg->flags & ~GH_IOEVENTFD_DATAMATCH)
		return -EINVAL;
	switch (arg->len) {
	case 0:
		return arg->flags & GH_IOEVENTFD_DATAMATCH ? -EINVAL : 0;
	case 1:
	case 2:
	case 4:
	case 8:
		return check_add_overflow(arg->addr, (u64)arg->len, &end) ? -EINVAL : 0;
	default:
		return -EINVAL;
	}
}

static void gh_ioeventfd_init(struct gh_ioeventfd *ioeventfd, const struct gh_fn_ioeventfd_arg *arg)
{
	struct gh_vm_io_handler *handler = &ioeventfd->handler;

	handler->addr = arg->addr;
	handler->len = arg->len;
	handler->match = arg->flags & GH_IOEVENTFD_DATAMATCH;
	if (handler->match)
		handler->value = arg->datamatch & GENMASK_ULL(arg->len * BITS_PER_BYTE - 1, 0);
	handler->write = gh_ioeventfd_write;
}

static long gh_ioeventfd_bind(struct gh_vm_function_instance *instance)
{
	const struct gh_fn_ioeventfd_arg *arg = instance->arg;
	struct gh_ioeventfd *ioeventfd;
	int ret;

	if (instance->arg_size != sizeof(*arg))
		return -EINVAL;
	ret = gh_ioeventfd_check(arg);
	if (ret)
		return ret;

	ioeventfd = kzalloc(sizeof(*ioeventfd), GFP_KERNEL_ACCOUNT);
	if (!ioeventfd)
		return -ENOMEM;
	ioeventfd->ctx = eventfd_ctx_fdget(arg->fd);
	if (IS_ERR(ioeventfd->ctx)) {
		ret = PTR_ERR(ioeventfd->ctx);
		goto err_free;
	}
	ioeventfd->vm = instance->vm;
	gh_ioeventfd_init(ioeventfd, arg);
	ret = gh_vm_add_io_handler(instance->vm, &ioeventfd->handler);
	if (ret)
		goto err_put;

	instance->data = ioeventfd;
	return 0;

err_put:
	eventfd_ctx_put(ioeventfd->ctx);
err_free:
	kfree(ioeventfd);
	return ret;
}

static void gh_ioeventfd_unbind(struct gh_vm_function_instance *instance)
{
	struct gh_ioeventfd *ioeventfd = instance->data;

	gh_vm_remove_io_handler(instance->vm, &ioeventfd->handler);
	eventfd_ctx_put(ioeventfd->ctx);
	kfree(ioeventfd);
}

static struct gh_vm_function gh_ioeventfd_function = {
	.type = GH_FN_IOEVENTFD,
	.owner = THIS_MODULE,
	.bind = gh_ioeventfd_bind,
	.unbind = gh_ioeventfd_unbind,
};
module_gh_vm_function(gh_ioeventfd_function);

MODULE_ALIAS_GH_VM_FUNCTION(GH_FN_IOEVENTFD);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Gunyah VM function: ioeventfd");
