// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes of a guest that are served within the kernel, found by address, length and value.
 */
#include <linux/gunyah_vm_mgr.h>
#include <linux/hash.h>
#include <linux/rculist.h>

#include "vm_mgr.h"

static struct hlist_head *gh_vm_io_bucket(struct gh_vm *vm, u64 addr)
{
	return &vm->io_handlers[hash_64(addr, GH_VM_IO_HASH_BITS)];
}

/* Whether both could serve the same write, each no more particular than the other. */
static bool gh_vm_io_same(const struct gh_vm_io_handler *a, const struct gh_vm_io_handler *b)
{
	return a->addr == b->addr && a->len == b->len && a->match == b->match &&
	       (!a->match || a->value == b->value);
}

/**
 * gh_vm_add_io_handler() - Serve writes
 * @vm: The VM
 * @handler: Stays until gh_vm_remove_io_handler()
 *
 * Return: 0, or -EEXIST if there is a handler of the same writes.
 */
int gh_vm_add_io_handler(struct gh_vm *vm, struct gh_vm_io_handler *handler)
{
	struct hlist_head *bucket = gh_vm_io_bucket(vm, handler->addr);
	struct gh_vm_io_handler *other;
	int ret = 0;

	mutex_lock(&vm->io_lock);
	hlist_for_each_entry(other, bucket, node) {
		if (gh_vm_io_same(handler, other)) {
			ret = -EEXIST;
			goto out;
		}
	}
	hlist_add_head_rcu(&handler->node, bucket);
out:
	mutex_unlock(&vm->io_lock);
	return ret;
}
EXPORT_SYMBOL_GPL(gh_vm_add_io_handler);

/**
 * gh_vm_remove_io_handler() - Serve writes no longer
 * @vm: The VM
 * @handler: Not called any more when this returns
 */
void gh_vm_remove_io_handler(struct gh_vm *vm, struct gh_vm_io_handler *handler)
{
	mutex_lock(&vm->io_lock);
	hlist_del_rcu(&handler->node);
	mutex_unlock(&vm->io_lock);
	/* The VMM waits for this, once for each of its devices. */
	synchronize_rcu_expedited();
}
EXPORT_SYMBOL_GPL(gh_vm_remove_io_handler);

/* How particular a handler is about a write: 0 is not at all its own. */
static int gh_vm_io_rank(const struct gh_vm_io_handler *handler, u64 addr, u32 len, u64 value)
{
	if (handler->addr != addr)
		return 0;
	if (!handler->len)
		return 1;
	if (handler->len != len)
		return 0;
	if (!handler->match)
		return 2;
	return handler->value == value ? 3 : 0;
}

/**
 * gh_vm_io_write() - Serve a write, if there is someone to do so
 * @vm: The VM
 * @addr: Guest physical address
 * @len: Bytes, 1, 2, 4 or 8
 * @value: Zero beyond @len bytes
 *
 * Every vCPU comes here with every write, so nothing is locked.
 *
 * Return: Whether it was served.
 */
bool gh_vm_io_write(struct gh_vm *vm, u64 addr, u32 len, u64 value)
{
	struct gh_vm_io_handler *found = NULL;
	struct gh_vm_io_handler *handler;
	int best = 0;
	int rank;

	rcu_read_lock();
	hlist_for_each_entry_rcu(handler, gh_vm_io_bucket(vm, addr), node) {
		rank = gh_vm_io_rank(handler, addr, len, value);
		if (rank > best) {
			best = rank;
			found = handler;
		}
	}
	if (found)
		found->write(found);
	rcu_read_unlock();
	return found;
}
EXPORT_SYMBOL_GPL(gh_vm_io_write);
