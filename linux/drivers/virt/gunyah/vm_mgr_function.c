// SPDX-License-Identifier: GPL-2.0-only
/*
 * Functions of a VM: kinds that modules register, and instances that VMs have.
 */
#include <linux/gunyah_vm_mgr.h>
#include <linux/kmod.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "vm_mgr.h"

static DEFINE_MUTEX(gh_vm_functions_lock);
/* Registered kinds; guarded by gh_vm_functions_lock. */
static LIST_HEAD(gh_vm_functions);

static struct gh_vm_function *gh_vm_function_find(u32 type)
{
	struct gh_vm_function *fn;

	lockdep_assert_held(&gh_vm_functions_lock);
	list_for_each_entry(fn, &gh_vm_functions, list) {
		if (fn->type == type)
			return fn;
	}
	return NULL;
}

/**
 * gh_vm_function_register() - Offer a kind of function
 * @fn: Stays until gh_vm_function_unregister()
 */
int gh_vm_function_register(struct gh_vm_function *fn)
{
	int ret = 0;

	mutex_lock(&gh_vm_functions_lock);
	if (gh_vm_function_find(fn->type))
		ret = -EEXIST;
	else
		list_add(&fn->list, &gh_vm_functions);
	mutex_unlock(&gh_vm_functions_lock);
	return ret;
}
EXPORT_SYMBOL_GPL(gh_vm_function_register);

/**
 * gh_vm_function_unregister() - Offer it no longer
 * @fn: No VM has an instance, because instances hold its module
 */
void gh_vm_function_unregister(struct gh_vm_function *fn)
{
	mutex_lock(&gh_vm_functions_lock);
	list_del(&fn->list);
	mutex_unlock(&gh_vm_functions_lock);
}
EXPORT_SYMBOL_GPL(gh_vm_function_unregister);

/* The kind, with its module held, or NULL. */
static struct gh_vm_function *gh_vm_function_try_get(u32 type)
{
	struct gh_vm_function *fn;

	mutex_lock(&gh_vm_functions_lock);
	fn = gh_vm_function_find(type);
	if (fn && !try_module_get(fn->owner))
		fn = NULL;
	mutex_unlock(&gh_vm_functions_lock);
	return fn;
}

static struct gh_vm_function *gh_vm_function_get(u32 type)
{
	struct gh_vm_function *fn = gh_vm_function_try_get(type);

	if (fn)
		return fn;
	/* Whether it found one says nothing: modprobe's exit status is positive. */
	request_module("ghfunc:%u", type);
	return gh_vm_function_try_get(type);
}

static struct gh_vm_function_instance *gh_vm_instance_alloc(struct gh_vm *vm,
							    const struct gh_fn_desc *desc)
{
	struct gh_vm_function_instance *instance = kzalloc(sizeof(*instance), GFP_KERNEL_ACCOUNT);

	if (!instance)
		return ERR_PTR(-ENOMEM);
	instance->vm = vm;
	instance->arg_size = desc->arg_size;
	if (!desc->arg_size)
		return instance;

	instance->arg = memdup_user(u64_to_user_ptr(desc->arg), desc->arg_size);
	if (IS_ERR(instance->arg)) {
		int ret = PTR_ERR(instance->arg);

		kfree(instance);
		return ERR_PTR(ret);
	}
	return instance;
}

static void gh_vm_instance_free(struct gh_vm_function_instance *instance)
{
	kfree(instance->arg);
	kfree(instance);
}

/**
 * gh_vm_function_add() - Give a VM a function
 * @vm: The VM, its lock held
 * @desc: Which, and its argument
 *
 * Return: What the function's bind() does.
 */
long gh_vm_function_add(struct gh_vm *vm, const struct gh_fn_desc *desc)
{
	struct gh_vm_function_instance *instance;
	long ret;

	if (desc->arg_size > GH_FN_MAX_ARG_SIZE)
		return -EINVAL;
	instance = gh_vm_instance_alloc(vm, desc);
	if (IS_ERR(instance))
		return PTR_ERR(instance);

	instance->fn = gh_vm_function_get(desc->type);
	if (!instance->fn) {
		ret = -ENOENT;
		goto err_free;
	}
	ret = instance->fn->bind(instance);
	if (ret < 0)
		goto err_put;

	list_add(&instance->list, &vm->functions);
	return ret;

err_put:
	module_put(instance->fn->owner);
err_free:
	gh_vm_instance_free(instance);
	return ret;
}

static void gh_vm_instance_remove(struct gh_vm_function_instance *instance)
{
	list_del(&instance->list);
	instance->fn->unbind(instance);
	module_put(instance->fn->owner);
	gh_vm_instance_free(instance);
}

static bool gh_vm_instance_is(const struct gh_vm_function_instance *instance,
			      const struct gh_fn_desc *desc, const void *arg)
{
	return instance->fn->type == desc->type && instance->arg_size == desc->arg_size &&
	       !memcmp(instance->arg, arg, desc->arg_size);
}

/**
 * gh_vm_function_remove() - Take a function from a VM
 * @vm: The VM, its lock held
 * @desc: As it was added
 *
 * Return: 0, also if there is no such function.
 */
int gh_vm_function_remove(struct gh_vm *vm, const struct gh_fn_desc *desc)
{
	struct gh_vm_function_instance *instance;
	struct gh_vm_function_instance *next;
	void *arg;

	if (desc->arg_size > GH_FN_MAX_ARG_SIZE)
		return -EINVAL;
	if (!desc->arg_size)
		return 0;
	arg = memdup_user(u64_to_user_ptr(desc->arg), desc->arg_size);
	if (IS_ERR(arg))
		return PTR_ERR(arg);

	list_for_each_entry_safe(instance, next, &vm->functions, list) {
		if (gh_vm_instance_is(instance, desc, arg))
			gh_vm_instance_remove(instance);
	}
	kfree(arg);
	return 0;
}

/**
 * gh_vm_functions_remove_all() - Take all functions from a VM
 * @vm: The VM, its lock held
 */
void gh_vm_functions_remove_all(struct gh_vm *vm)
{
	struct gh_vm_function_instance *instance;
	struct gh_vm_function_instance *next;

	list_for_each_entry_safe(instance, next, &vm->functions, list)
		gh_vm_instance_remove(instance);
}
