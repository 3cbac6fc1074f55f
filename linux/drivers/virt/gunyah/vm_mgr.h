/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A VM as the VM manager's own files see it.
 */
#ifndef __GUNYAH_VM_MGR_H
#define __GUNYAH_VM_MGR_H

#include <linux/gunyah_rsc_mgr.h>
#include <linux/gunyah_vm_mgr.h>
#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

struct mm_struct;
struct page;

/**
 * struct gh_vm_region - Memory of the VMM that the VM gets
 * @guest_phys_addr: Where it begins in the guest
 * @userspace_addr: Where it begins in the VMM
 * @npages: Pages of this kernel's size
 * @writable: The guest may write to it
 * @parcel: The pages, coalesced, and what the Resource Manager knows of them
 * @acl: The parcel's
 * @list: In the VM's list
 *
 * Its pages are pinned, and charged to the VM's mm, as long as it exists.
 */
struct gh_vm_region {
	u64 guest_phys_addr;
	unsigned long userspace_addr;
	unsigned long npages;
	bool writable;
	struct gh_rm_mem_parcel parcel;
	struct gh_rm_mem_acl_entry acl[2];
	struct list_head list;
};

/* Handlers of writes are few: two or three for each device. */
#define GH_VM_IO_HASH_BITS	4

/**
 * struct gh_vm - A virtual machine
 * @rm: Who manages it
 * @kref: One of the VM file, one of each vCPU file
 * @list: In the Resource Manager's list
 * @mm: Whose memory it has: the creator's. Only the struct is kept, not the memory
 * @lock: Held while the VM is changed: start, memory, functions, tickets, end.
 *        Outermost of all. Not taken by notifier callbacks nor to run a vCPU
 * @vmid: GH_VMID_INVAL unless the Resource Manager has created it. Written
 *        under @lock and @state_lock
 * @regions: Memory; by @lock
 * @dtb: Device tree; by @lock
 * @firmware: Firmware of a protected VM; size 0 if it is none; by @lock
 * @functions: Functions it was given; by @lock
 * @tickets: Claims on resources; by @lock
 * @resources: Resources that nobody claims; by @lock
 * @rm_nb: Notifications of the Resource Manager
 * @state_lock: Guards the rest down to @state_wait. Innermost
 * @state: See enum gh_vm_state
 * @rm_status: The last step that the Resource Manager is known to have done
 * @exit_info: How it ended, if @state is GH_VM_EXITED
 * @state_wait: For @state and @rm_status
 * @end_notifiers: Called, in process context, when @state is not GH_VM_RUNNING any more
 * @io_lock: Held to change @io_handlers. Inside @lock
 * @io_handlers: Hash table of struct gh_vm_io_handler by address, read under RCU
 * @waker_lock: Guards @wakers; taken by irqfds in any context. Inside their locks
 * @wakers: struct gh_vm_waker of each vCPU that has its resource
 */
struct gh_vm {
	struct gh_rm *rm;
	struct kref kref;
	struct list_head list;
	struct mm_struct *mm;

	struct mutex lock; /* changes of the VM; all down to resources */
	u16 vmid;
	struct list_head regions;
	struct gh_vm_dtb_config dtb;
	struct gh_vm_firmware_config firmware;
	struct list_head functions;
	struct list_head tickets;
	struct list_head resources;

	struct notifier_block rm_nb;
	spinlock_t state_lock; /* all down to state_wait */
	enum gh_vm_state state;
	enum gh_rm_vm_status rm_status;
	struct gh_vm_exit_info exit_info;
	wait_queue_head_t state_wait;
	struct blocking_notifier_head end_notifiers;

	struct mutex io_lock; /* changes of io_handlers */
	struct hlist_head io_handlers[1 << GH_VM_IO_HASH_BITS];

	spinlock_t waker_lock; /* wakers */
	struct list_head wakers;
};

/* vm_mgr.c */
extern const struct file_operations gh_dev_fops;

/* vm_mgr_debugfs.c */
void gh_vm_list_add(struct gh_vm *vm);
void gh_vm_list_remove(struct gh_vm *vm);

/* vm_mgr_state.c */
void gh_vm_state_init(struct gh_vm *vm);
void gh_vm_set_vmid(struct gh_vm *vm, u16 vmid);
void gh_vm_set_state(struct gh_vm *vm, enum gh_vm_state state);
bool gh_vm_change_state(struct gh_vm *vm, enum gh_vm_state from, enum gh_vm_state to);
void gh_vm_set_rm_status(struct gh_vm *vm, enum gh_rm_vm_status status);
enum gh_rm_vm_status gh_vm_rm_status(struct gh_vm *vm);
bool gh_vm_wait_rm_status(struct gh_vm *vm, enum gh_rm_vm_status status, unsigned long timeout);

/* vm_mgr_life.c */
int gh_vm_start(struct gh_vm *vm);
void gh_vm_end(struct gh_vm *vm);

/* vm_mgr_mm.c; with the VM's lock held */
int gh_vm_region_add(struct gh_vm *vm, const struct gh_userspace_memory_region *arg, bool lend);
struct gh_vm_region *gh_vm_region_find(struct gh_vm *vm, u64 guest_phys_addr, u64 size);
int gh_vm_region_share(struct gh_vm *vm, struct gh_vm_region *region);
void gh_vm_regions_free(struct gh_vm *vm);

/* vm_mgr_lend.c; with the VM's lock held */
int gh_vm_region_check_lendable(const struct gh_vm_region *region, struct page *page,
				unsigned long i);
int gh_vm_region_withdraw(struct gh_vm *vm, struct gh_vm_region *region);

/* vm_mgr_function.c; with the VM's lock held */
long gh_vm_function_add(struct gh_vm *vm, const struct gh_fn_desc *desc);
int gh_vm_function_remove(struct gh_vm *vm, const struct gh_fn_desc *desc);
void gh_vm_functions_remove_all(struct gh_vm *vm);

/* vm_mgr_resource.c; with the VM's lock held */
int gh_vm_resources_add(struct gh_vm *vm);
void gh_vm_resources_remove(struct gh_vm *vm);

#endif
