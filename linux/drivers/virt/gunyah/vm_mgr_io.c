// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes of a guest that are served within the kernel, found by address, length and value.
 */
#include <linux/gunyah_vm_mgr.h>
#include <linux/rbtree.h>

#include "vm_mgr.h"

static int gh_vm_io_cmp_field(u64 a, u64 b)
{
	return a < b ? -1 : a > b;
}

/* A total order: handlers that could serve the same write are different nodes. */
static int gh_vm_io_cmp(const struct gh_vm_io_handler *a, const struct gh_vm_io_handler *b)
{
	return gh_vm_io_cmp_field(a->addr, b->addr) ? :
	       gh_vm_io_cmp_field(a->len, b->len) ? :
	       gh_vm_io_cmp_field(a->match, b->match) ? :
	       a->match ? gh_vm_io_cmp_field(a->value, b->value) : 0;
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
	struct rb_node **link = &vm->io_handlers.rb_node;
	struct rb_node *parent = NULL;
	int ret = 0;
	int cmp;

	down_write(&vm->io_lock);
	while (*link) {
		parent = *link;
		cmp = gh_vm_io_cmp(handler, rb_entry(parent, struct gh_vm_io_handler, node));
		if (!cmp) {
			ret = -EEXIST;
			goto out;
		}
		link = cmp < 0 ? &parent->rb_left : &parent->rb_right;
	}
	rb_link_node(&handler->node, parent, link);
	rb_insert_color(&handler->node, &vm->io_handlers);
out:
	up_write(&vm->io_lock);
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
	down_write(&vm->io_lock);
	rb_erase(&handler->node, &vm->io_handlers);
	up_write(&vm->io_lock);
}
EXPORT_SYMBOL_GPL(gh_vm_remove_io_handler);

static struct gh_vm_io_handler *gh_vm_io_find(struct gh_vm *vm, const struct gh_vm_io_handler *key)
{
	struct rb_node *node = vm->io_handlers.rb_node;
	struct gh_vm_io_handler *handler;
	int cmp;

	while (node) {
		handler = rb_entry(node, struct gh_vm_io_handler, node);
		cmp = gh_vm_io_cmp(key, handler);
		if (!cmp)
			return handler;
		node = cmp < 0 ? node->rb_left : node->rb_right;
	}
	return NULL;
}

/**
 * gh_vm_io_write() - Serve a write, if there is someone to do so
 * @vm: The VM
 * @addr: Guest physical address
 * @len: Bytes, 1, 2, 4 or 8
 * @value: Zero beyond @len bytes
 *
 * Return: Whether it was served.
 */
bool gh_vm_io_write(struct gh_vm *vm, u64 addr, u32 len, u64 value)
{
	/* The most particular one first. */
	struct gh_vm_io_handler key = { .addr = addr, .len = len, .match = true, .value = value };
	struct gh_vm_io_handler *handler;

	down_read(&vm->io_lock);
	handler = gh_vm_io_find(vm, &key);
	if (!handler) {
		key.match = false;
		handler = gh_vm_io_find(vm, &key);
	}
	if (!handler) {
		key.len = 0;
		handler = gh_vm_io_find(vm, &key);
	}
	if (handler)
		handler->write(handler);
	up_read(&vm->io_lock);
	return handler;
}
EXPORT_SYMBOL_GPL(gh_vm_io_write);
