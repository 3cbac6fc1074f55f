// SPDX-License-Identifier: GPL-2.0-only
/*
 * Resources that come with a VM, and tickets: who in this kernel gets which.
 */
#include <linux/gunyah_rsc_mgr.h>
#include <linux/gunyah_vm_mgr.h>
#include <linux/mm.h>

#include "vm_mgr.h"

static bool gh_vm_ticket_fits(const struct gh_vm_resource_ticket *ticket,
			      const struct gh_resource *resource)
{
	return !ticket->resource && ticket->type == resource->type &&
	       ticket->label == resource->rm_label;
}

/* Moves a resource of vm->resources to the ticket, if the ticket takes it. */
static bool gh_vm_ticket_populate(struct gh_vm *vm, struct gh_vm_resource_ticket *ticket,
				  struct gh_resource *resource)
{
	int ret = ticket->populate(ticket, resource);

	if (ret) {
		gh_vm_err(vm, "cannot use resource type %u label %u: %d\n", resource->type,
			  resource->rm_label, ret);
		return false;
	}
	list_del_init(&resource->list);
	ticket->resource = resource;
	return true;
}

static void gh_vm_ticket_unpopulate(struct gh_vm *vm, struct gh_vm_resource_ticket *ticket)
{
	struct gh_resource *resource = ticket->resource;

	if (!resource)
		return;
	ticket->unpopulate(ticket, resource);
	ticket->resource = NULL;
	list_add(&resource->list, &vm->resources);
}

/**
 * gh_vm_add_resource_ticket() - Claim a resource, now or when the VM brings it
 * @vm: The VM, its lock held
 * @ticket: Stays until gh_vm_remove_resource_ticket()
 *
 * Return: 0, or -EEXIST if the same is claimed already.
 */
int gh_vm_add_resource_ticket(struct gh_vm *vm, struct gh_vm_resource_ticket *ticket)
{
	struct gh_vm_resource_ticket *other;
	struct gh_resource *resource;

	lockdep_assert_held(&vm->lock);

	list_for_each_entry(other, &vm->tickets, list) {
		if (other->type == ticket->type && other->label == ticket->label)
			return -EEXIST;
	}
	ticket->resource = NULL;
	list_add_tail(&ticket->list, &vm->tickets);

	list_for_each_entry(resource, &vm->resources, list) {
		if (gh_vm_ticket_fits(ticket, resource)) {
			gh_vm_ticket_populate(vm, ticket, resource);
			break;
		}
	}
	return 0;
}
EXPORT_SYMBOL_GPL(gh_vm_add_resource_ticket);

/**
 * gh_vm_remove_resource_ticket() - Give up a claim
 * @vm: The VM, its lock held
 * @ticket: Unpopulated first if need be
 */
void gh_vm_remove_resource_ticket(struct gh_vm *vm, struct gh_vm_resource_ticket *ticket)
{
	lockdep_assert_held(&vm->lock);
	gh_vm_ticket_unpopulate(vm, ticket);
	list_del(&ticket->list);
}
EXPORT_SYMBOL_GPL(gh_vm_remove_resource_ticket);

static void gh_vm_resource_distribute(struct gh_vm *vm, struct gh_resource *resource)
{
	struct gh_vm_resource_ticket *ticket;

	list_add_tail(&resource->list, &vm->resources);
	list_for_each_entry(ticket, &vm->tickets, list) {
		if (gh_vm_ticket_fits(ticket, resource)) {
			gh_vm_ticket_populate(vm, ticket, resource);
			break;
		}
	}
}

/**
 * gh_vm_resources_add() - Get the resources that the VM brings with it
 * @vm: The VM, its lock held; the Resource Manager has initialised it
 */
int gh_vm_resources_add(struct gh_vm *vm)
{
	struct gh_rm_hyp_resources *descriptions;
	struct gh_resource *resource;
	int ret;
	u32 i;

	ret = gh_rm_get_hyp_resources(vm->rm, vm->vmid, &descriptions);
	if (ret)
		return ret;

	for (i = 0; i < le32_to_cpu(descriptions->n_entries); i++) {
		resource = gh_rm_alloc_resource(vm->rm, &descriptions->entries[i]);
		if (IS_ERR(resource)) {
			ret = PTR_ERR(resource);
			break;
		}
		gh_vm_resource_distribute(vm, resource);
	}
	kvfree(descriptions);
	return ret;
}

/**
 * gh_vm_resources_remove() - Give up all resources
 * @vm: The VM, its lock held; it does not run. Its tickets stay, unpopulated
 */
void gh_vm_resources_remove(struct gh_vm *vm)
{
	struct gh_vm_resource_ticket *ticket;
	struct gh_resource *resource;
	struct gh_resource *next;

	list_for_each_entry(ticket, &vm->tickets, list)
		gh_vm_ticket_unpopulate(vm, ticket);
	list_for_each_entry_safe(resource, next, &vm->resources, list) {
		list_del(&resource->list);
		gh_rm_free_resource(resource);
	}
}
