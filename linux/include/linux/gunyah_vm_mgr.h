/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What VM functions (vCPU, irqfd, ioeventfd) need of the VM that they are added to.
 */
#ifndef _LINUX_GUNYAH_VM_MGR_H
#define _LINUX_GUNYAH_VM_MGR_H

#include <linux/compiler.h>
#include <linux/device/driver.h>
#include <linux/gunyah.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/stringify.h>
#include <linux/types.h>

#include <uapi/linux/gunyah.h>

struct gh_vm;
struct seq_file;

struct gh_vm *gh_vm_get(struct gh_vm *vm);
void gh_vm_put(struct gh_vm *vm);
u16 gh_vm_vmid(struct gh_vm *vm);

/* Logs an error, rate limited, with the VM's number in front of it. */
__printf(2, 3) void gh_vm_err(struct gh_vm *vm, const char *fmt, ...);

/**
 * enum gh_vm_state - Where a VM is in its life
 * @GH_VM_CREATED: Not started yet
 * @GH_VM_STARTING: Being started
 * @GH_VM_RUNNING: Started, and it has not ended yet
 * @GH_VM_EXITED: It has ended
 * @GH_VM_FAILED: It could not be started
 */
enum gh_vm_state {
	GH_VM_CREATED,
	GH_VM_STARTING,
	GH_VM_RUNNING,
	GH_VM_EXITED,
	GH_VM_FAILED,
};

enum gh_vm_state gh_vm_state(struct gh_vm *vm);
int gh_vm_wait_started(struct gh_vm *vm);
int gh_vm_wait_ended(struct gh_vm *vm, unsigned long timeout);
enum gh_vm_status gh_vm_status(struct gh_vm *vm, struct gh_vm_exit_info *exit_info);

int gh_vm_end_notifier_register(struct gh_vm *vm, struct notifier_block *nb);
int gh_vm_end_notifier_unregister(struct gh_vm *vm, struct notifier_block *nb);

/**
 * struct gh_vm_function_instance - A function that a VM has been given
 * @vm: The VM; outlives the instance
 * @fn: Kind of function
 * @arg: Argument, a copy
 * @arg_size: Bytes at @arg
 * @data: For the function
 * @list: In the VM's list
 */
struct gh_vm_function_instance {
	struct gh_vm *vm;
	struct gh_vm_function *fn;
	void *arg;
	u32 arg_size;
	void *data;
	struct list_head list;
};

/**
 * struct gh_vm_function - A kind of function
 * @type: GH_FN_*
 * @owner: Module; held while there are instances
 * @bind: Begin. A value of 0 or more is what GH_VM_ADD_FUNCTION returns
 * @unbind: End: nothing of it is in use when this returns
 * @show: Tell debugfs about it, lines indented by two; may be NULL
 * @list: In the list of all kinds
 *
 * Callbacks may sleep; the VM's lock is held.
 */
struct gh_vm_function {
	u32 type;
	struct module *owner;
	long (*bind)(struct gh_vm_function_instance *instance);
	void (*unbind)(struct gh_vm_function_instance *instance);
	void (*show)(struct gh_vm_function_instance *instance, struct seq_file *file);
	struct list_head list;
};

int gh_vm_function_register(struct gh_vm_function *fn);
void gh_vm_function_unregister(struct gh_vm_function *fn);

/* A module that does nothing but to offer a kind of function. */
#define module_gh_vm_function(_fn) \
	module_driver(_fn, gh_vm_function_register, gh_vm_function_unregister)

/* By which it is found; _type is a number or a macro of one. */
#define MODULE_ALIAS_GH_VM_FUNCTION(_type)	MODULE_ALIAS("ghfunc:" __stringify(_type))

/**
 * struct gh_vm_resource_ticket - A claim on a resource that the VM brings with it
 * @type: Kind of resource
 * @label: Its label
 * @populate: Here it is. An error leaves it to others
 * @unpopulate: It goes away: it is not in use when this returns
 * @resource: Set while populated
 * @list: In the VM's list
 *
 * Callbacks may sleep; the VM's lock is held.
 */
struct gh_vm_resource_ticket {
	enum gh_resource_type type;
	u32 label;
	int (*populate)(struct gh_vm_resource_ticket *ticket, struct gh_resource *resource);
	void (*unpopulate)(struct gh_vm_resource_ticket *ticket, struct gh_resource *resource);
	struct gh_resource *resource;
	struct list_head list;
};

/* From bind() and unbind(): the VM's lock is held. */
int gh_vm_add_resource_ticket(struct gh_vm *vm, struct gh_vm_resource_ticket *ticket);
void gh_vm_remove_resource_ticket(struct gh_vm *vm, struct gh_vm_resource_ticket *ticket);

/**
 * struct gh_vm_waker - Who wakes the thread that runs a vCPU
 * @vcpu: The vCPU's number
 * @wake: Do it. Must not sleep
 * @borrow: Whether the caller can run it instead. Then @run must follow at once. Both are called
 *          in a thread with interrupts off
 * @run: Run it, for a short time, and wake its thread if that is to go on with it
 * @list: In the VM's list
 */
struct gh_vm_waker {
	u32 vcpu;
	void (*wake)(struct gh_vm_waker *waker);
	bool (*borrow)(struct gh_vm_waker *waker);
	void (*run)(struct gh_vm_waker *waker);
	struct list_head list;
};

void gh_vm_add_waker(struct gh_vm *vm, struct gh_vm_waker *waker);
void gh_vm_remove_waker(struct gh_vm *vm, struct gh_vm_waker *waker);
void gh_vm_wake_vcpus(struct gh_vm *vm, u64 vcpus);

/**
 * struct gh_vm_io_handler - Someone who serves writes of the guest within the kernel
 * @addr: Guest physical address
 * @len: Bytes, or 0 for any length
 * @match: Whether only writes of @value count; not with @len 0
 * @value: The value; zero beyond @len bytes
 * @write: Serve it. Must not sleep
 * @node: In the VM's table
 */
struct gh_vm_io_handler {
	u64 addr;
	u32 len;
	bool match;
	u64 value;
	void (*write)(struct gh_vm_io_handler *handler);
	struct hlist_node node;
};

int gh_vm_add_io_handler(struct gh_vm *vm, struct gh_vm_io_handler *handler);
void gh_vm_remove_io_handler(struct gh_vm *vm, struct gh_vm_io_handler *handler);
bool gh_vm_io_write(struct gh_vm *vm, u64 addr, u32 len, u64 value);

#endif
