/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The Resource Manager as its driver's own files see it.
 */
#ifndef __GUNYAH_RSC_MGR_H
#define __GUNYAH_RSC_MGR_H

#include <linux/gunyah.h>
#include <linux/gunyah_rsc_mgr.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/miscdevice.h>
#include <linux/mutex.h>
#include <linux/notifier.h>

#include "rsc_mgr_msg.h"

struct dentry;
struct workqueue_struct;

/**
 * struct gh_rm - The connection to the Resource Manager
 * @dev: Platform device
 * @kref: One of the device while it is bound, one of each VM
 * @own_vmid: VMID of this VM
 * @msgq: To and from the Resource Manager
 * @send_lock: One request at a time goes out. Taken before @lock, never inside
 * @lock: Guards @calls, @next_seq, @inbound, @stopped and @silent
 * @calls: Calls that wait for their reply
 * @next_seq: Where to look for a free sequence number
 * @inbound: The message that is being received; buf NULL if none
 * @stopped: The driver is being removed; no more calls
 * @silent: The last call was not answered; the next ones do not wait long
 * @notifications: Ordered work queue on which notifications are handled
 * @notifiers: Who wants notifications
 * @closing: No VM is started any more
 * @vms_lock: Guards @vms. Outside the locks of VMs
 * @vms: All VMs, for debugfs
 * @debugfs: Directory
 * @miscdev: /dev/gunyah
 */
struct gh_rm {
	struct device *dev;
	struct kref kref;
	u16 own_vmid;

	struct gh_msgq msgq;
	struct mutex send_lock; /* one request at a time */
	struct mutex lock; /* all down to silent */
	struct list_head calls;
	u16 next_seq;
	struct gh_rm_reassembly inbound;
	bool stopped;
	bool silent;

	struct workqueue_struct *notifications;
	struct blocking_notifier_head notifiers;

	bool closing;
	struct mutex vms_lock; /* vms */
	struct list_head vms;

	struct dentry *debugfs;
	struct miscdevice miscdev;
};

/**
 * struct gh_rm_request - A call to make
 * @msg_id: Which
 * @vmid: VM that it is about, for the log; GH_VMID_INVAL if none
 * @what: Part of the VM that it is about, for the log; may be empty
 * @payload: Bytes to send
 * @size: Their number
 * @quiet: Do not log if it is refused
 * @unknown: Set if the call failed and yet may have been carried out
 */
struct gh_rm_request {
	u32 msg_id;
	u16 vmid;
	char what[32];
	const void *payload;
	size_t size;
	bool quiet;
	bool unknown;
};

/* rsc_mgr_call.c */
int gh_rm_call(struct gh_rm *rm, struct gh_rm_request *request, void **reply, size_t *reply_size);
void gh_rm_received(struct gh_msgq *msgq, const void *data, size_t size);
void gh_rm_abort_calls(struct gh_rm *rm);
unsigned long gh_rm_timeout(struct gh_rm *rm);

/* rsc_mgr_notify.c */
void gh_rm_queue_notification(struct gh_rm *rm, u32 msg_id, void *payload, size_t size);

/* rsc_mgr_error.c */
int gh_rm_error_remap(u32 error);
const char *gh_rm_error_name(u32 error);
const char *gh_rm_message_name(u32 msg_id);

/* rsc_mgr_rpc.c */
int gh_rm_read_own_vmid(struct gh_rm *rm, u16 *vmid);
void gh_rm_end_all(struct gh_rm *rm);

/* vm_mgr.c */
void gh_vm_end_all(struct gh_rm *rm);

/* vm_mgr_debugfs.c */
void gh_vm_debugfs_add(struct gh_rm *rm);

/* rsc_mgr_debugfs.c */
void gh_rm_debugfs_add(struct gh_rm *rm);
void gh_rm_debugfs_remove(struct gh_rm *rm);

/* Message numbers. */
enum gh_rm_message_id {
	GH_RM_RPC_MEM_LEND		= 0x51000012,
	GH_RM_RPC_MEM_SHARE		= 0x51000013,
	GH_RM_RPC_MEM_RECLAIM		= 0x51000015,
	GH_RM_RPC_MEM_APPEND		= 0x51000018,
	GH_RM_RPC_VM_ALLOC_VMID		= 0x56000001,
	GH_RM_RPC_VM_DEALLOC_VMID	= 0x56000002,
	GH_RM_RPC_VM_START		= 0x56000004,
	GH_RM_RPC_VM_STOP		= 0x56000005,
	GH_RM_RPC_VM_RESET		= 0x56000006,
	GH_RM_RPC_VM_CONFIG_IMAGE	= 0x56000009,
	GH_RM_RPC_VM_INIT		= 0x5600000b,
	GH_RM_RPC_VM_GET_HYP_RESOURCES	= 0x56000020,
	GH_RM_RPC_VM_GET_VMID		= 0x56000024,
	/* Android's. */
	GH_RM_RPC_VM_SET_FIRMWARE_MEM	= 0x56000032,
	/* Not of the public interface: how much of everything there is; this VM starts anew. */
	GH_RM_RPC_GET_COUNTERS		= 0x5600ff01,
	GH_RM_RPC_END_ALL		= 0x5600ff02,
};

#endif
