/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The Gunyah Resource Manager's services: virtual machines, memory, resources.
 */
#ifndef _LINUX_GUNYAH_RSC_MGR_H
#define _LINUX_GUNYAH_RSC_MGR_H

#include <linux/gunyah.h>
#include <linux/list.h>
#include <linux/notifier.h>
#include <linux/types.h>

struct device;
struct gh_rm;
struct gh_rm_platform_ops;
struct module;

/* The VMID that stands for "choose one" and for "no VM". */
#define GH_VMID_INVAL		0

struct gh_rm *gh_rm_get(struct gh_rm *rm);
void gh_rm_put(struct gh_rm *rm);
struct device *gh_rm_device(struct gh_rm *rm);

/*
 * Notifications: the action of a notifier call is the message id below, the
 * data a struct gh_rm_notification. They come one after the other, in the
 * order in which the Resource Manager sent them, in a thread that may sleep. A callback
 * must not wait for another notification.
 */
enum gh_rm_notification_id {
	GH_RM_NOTIFICATION_VM_EXITED	= 0x56100001,
	GH_RM_NOTIFICATION_VM_STATUS	= 0x56100008,
};

/**
 * struct gh_rm_notification - What came with a notification
 * @size: Bytes at @payload; not checked against the kind of notification
 * @payload: Valid until the callback returns
 */
struct gh_rm_notification {
	size_t size;
	const void *payload;
};

int gh_rm_notifier_register(struct gh_rm *rm, struct notifier_block *nb);
int gh_rm_notifier_unregister(struct gh_rm *rm, struct notifier_block *nb);
void gh_rm_flush_notifications(struct gh_rm *rm);

struct gh_rm_vm_exited_payload {
	__le16 vmid;
	__le16 exit_type;
	__le32 exit_reason_size;
	u8 exit_reason[];
} __packed;

enum gh_rm_vm_status {
	GH_RM_VM_STATUS_NO_STATE	= 0,
	GH_RM_VM_STATUS_INIT		= 1,
	GH_RM_VM_STATUS_READY		= 2,
	GH_RM_VM_STATUS_RUNNING		= 3,
	GH_RM_VM_STATUS_PAUSED		= 4,
	GH_RM_VM_STATUS_LOAD		= 5,
	GH_RM_VM_STATUS_AUTH		= 6,
	GH_RM_VM_STATUS_INIT_FAILED	= 8,
	GH_RM_VM_STATUS_EXITED		= 9,
	GH_RM_VM_STATUS_RESETTING	= 10,
	GH_RM_VM_STATUS_RESET		= 11,
};

struct gh_rm_vm_status_payload {
	__le16 vmid;
	__le16 reserved;
	u8 vm_status;
	u8 os_status;
	__le16 app_status;
} __packed;

/* Access rights in an ACL entry. */
#define GH_RM_ACL_X		BIT(0)
#define GH_RM_ACL_W		BIT(1)
#define GH_RM_ACL_R		BIT(2)

struct gh_rm_mem_acl_entry {
	__le16 vmid;
	u8 perms;
	u8 reserved;
} __packed;

struct gh_rm_mem_entry {
	__le64 phys_addr;
	__le64 size;
} __packed;

enum gh_rm_mem_type {
	GH_RM_MEM_TYPE_NORMAL	= 0,
	GH_RM_MEM_TYPE_IO	= 1,
};

/**
 * enum gh_rm_mem_state - What the Resource Manager knows about memory
 * @GH_RM_MEM_OURS: Nothing: this VM may do with it as it likes
 * @GH_RM_MEM_SHARED: Shared, by the handle in the parcel
 * @GH_RM_MEM_UNKNOWN: Perhaps shared: the Resource Manager did not answer. The
 *                     memory must not be used for anything else
 */
enum gh_rm_mem_state {
	GH_RM_MEM_OURS,
	GH_RM_MEM_SHARED,
	GH_RM_MEM_UNKNOWN,
};

/**
 * struct gh_rm_mem_parcel - Memory given to another VM as one piece
 * @mem_type: Normal or device memory
 * @lend: Nobody but the VM of the only entry of the access list has access
 * @label: What both VMs call it
 * @acl_entries: Who may access it and how
 * @n_acl_entries: Their number
 * @mem_entries: Physical (for this VM) ranges, in the order of the guest's addresses
 * @n_mem_entries: Their number
 * @state: Set by gh_rm_mem_share() and gh_rm_mem_reclaim()
 * @mem_handle: Valid when @state is GH_RM_MEM_SHARED
 * @platform_ops: Hooks that know of it, for gunyah_platform_hooks
 */
struct gh_rm_mem_parcel {
	enum gh_rm_mem_type mem_type;
	bool lend;
	u32 label;
	struct gh_rm_mem_acl_entry *acl_entries;
	size_t n_acl_entries;
	struct gh_rm_mem_entry *mem_entries;
	size_t n_mem_entries;
	enum gh_rm_mem_state state;
	u32 mem_handle;
	const struct gh_rm_platform_ops *platform_ops;
};

/**
 * struct gh_rm_hyp_resource - An entry of the answer to VM_GET_HYP_RESOURCES
 * @type: enum gh_resource_type, or another that this driver does not know
 * @reserved: 0
 * @partner_vmid: The other VM that it leads to
 * @resource_handle: The Resource Manager's own number for it
 * @resource_label: What the device tree of the VM calls it
 * @cap_id: Capability
 * @virq_handle: The Resource Manager's own number for the interrupt
 * @virq: GIC interrupt number, or 0 or ~0 for none
 * @base: Address, for those that have one
 * @size: Bytes, for those that have an address
 */
struct gh_rm_hyp_resource {
	u8 type;
	u8 reserved;
	__le16 partner_vmid;
	__le32 resource_handle;
	__le32 resource_label;
	__le64 cap_id;
	__le32 virq_handle;
	__le32 virq;
	__le64 base;
	__le64 size;
} __packed;

struct gh_rm_hyp_resources {
	__le32 n_entries;
	struct gh_rm_hyp_resource entries[];
} __packed;

enum gh_rm_vm_auth_mechanism {
	GH_RM_VM_AUTH_NONE		= 0,
	GH_RM_VM_AUTH_QCOM_PIL_ELF	= 1,
	GH_RM_VM_AUTH_QCOM_ANDROID_PVM	= 2,
};

/**
 * struct gh_rm_vm_image - Where in a parcel a VM's image and device tree are
 * @auth: How the image is verified
 * @mem_handle: The parcel
 * @image_offset: Bytes from the start of the parcel
 * @image_size: Bytes
 * @dtb_offset: Bytes from the start of the parcel
 * @dtb_size: Bytes, room for what the Resource Manager adds included
 */
struct gh_rm_vm_image {
	enum gh_rm_vm_auth_mechanism auth;
	u32 mem_handle;
	u64 image_offset;
	u64 image_size;
	u64 dtb_offset;
	u64 dtb_size;
};

/*
 * Calls of the Resource Manager. Process context; not interruptible, because
 * only who knows what the Resource Manager did can undo it; bounded in time.
 * Each logs why it failed. Besides what the Resource Manager's errors are mapped to:
 * -ETIMEDOUT it did not answer, -ENODEV it is gone, -EIO and -EBADMSG its
 * answer is broken.
 */
u16 gh_rm_own_vmid(struct gh_rm *rm);
int gh_rm_alloc_vmid(struct gh_rm *rm, u16 *vmid);
int gh_rm_dealloc_vmid(struct gh_rm *rm, u16 vmid);
int gh_rm_vm_configure(struct gh_rm *rm, u16 vmid, const struct gh_rm_vm_image *image);
int gh_rm_vm_init(struct gh_rm *rm, u16 vmid);
int gh_rm_vm_start(struct gh_rm *rm, u16 vmid);
int gh_rm_vm_stop(struct gh_rm *rm, u16 vmid);
int gh_rm_vm_reset(struct gh_rm *rm, u16 vmid);
int gh_rm_vm_set_firmware_mem(struct gh_rm *rm, u16 vmid, u32 mem_handle, u64 offset, u64 size);
int gh_rm_get_hyp_resources(struct gh_rm *rm, u16 vmid, struct gh_rm_hyp_resources **resources);
int gh_rm_mem_share(struct gh_rm *rm, struct gh_rm_mem_parcel *parcel);
int gh_rm_mem_reclaim(struct gh_rm *rm, struct gh_rm_mem_parcel *parcel);

struct gh_resource *gh_rm_alloc_resource(struct gh_rm *rm,
					 const struct gh_rm_hyp_resource *description);
void gh_rm_free_resource(struct gh_resource *resource);

/**
 * struct gh_rm_platform_ops - What a platform must do besides asking the Resource Manager
 * @owner: Module of the callbacks; held while memory is shared
 * @pre_mem_share: Before memory is shared. An error prevents it
 * @post_mem_reclaim: After memory was taken back, or when sharing it failed
 */
struct gh_rm_platform_ops {
	struct module *owner;
	int (*pre_mem_share)(struct gh_rm *rm, struct gh_rm_mem_parcel *parcel);
	int (*post_mem_reclaim)(struct gh_rm *rm, struct gh_rm_mem_parcel *parcel);
};

int gh_rm_register_platform_ops(const struct gh_rm_platform_ops *ops);
void gh_rm_unregister_platform_ops(const struct gh_rm_platform_ops *ops);
int devm_gh_rm_register_platform_ops(struct device *dev, const struct gh_rm_platform_ops *ops);

int gh_rm_platform_pre_mem_share(struct gh_rm *rm, struct gh_rm_mem_parcel *parcel);
int gh_rm_platform_post_mem_reclaim(struct gh_rm *rm, struct gh_rm_mem_parcel *parcel);

#endif
