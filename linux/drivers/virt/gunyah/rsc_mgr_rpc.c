// SPDX-License-Identifier: GPL-2.0-only
/*
 * The calls of the Resource Manager about virtual machines.
 */
#include <linux/device.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include "rsc_mgr.h"

/* Most calls are about a VM and say nothing else. */
struct gh_rm_vmid_payload {
	__le16 vmid;
	__le16 reserved;
} __packed;

#define GH_RM_VM_STOP_FORCE		BIT(0)
#define GH_RM_VM_STOP_REASON_FORCE	3

struct gh_rm_vm_stop_payload {
	__le16 vmid;
	u8 flags;
	u8 reserved;
	__le32 reason;
} __packed;

struct gh_rm_vm_config_image_payload {
	__le16 vmid;
	__le16 auth;
	__le32 mem_handle;
	__le64 image_offset;
	__le64 image_size;
	__le64 dtb_offset;
	__le64 dtb_size;
} __packed;

struct gh_rm_vm_firmware_mem_payload {
	__le16 vmid;
	__le16 reserved;
	__le32 mem_handle;
	__le64 offset;
	__le64 size;
} __packed;

static_assert(sizeof(struct gh_rm_vm_firmware_mem_payload) == 24);
static_assert(sizeof(struct gh_rm_vm_stop_payload) == 8);
static_assert(sizeof(struct gh_rm_vm_config_image_payload) == 40);
static_assert(sizeof(struct gh_rm_hyp_resource) == 44);

static int gh_rm_vmid_call(struct gh_rm *rm, u32 msg_id, u16 vmid)
{
	const struct gh_rm_vmid_payload payload = { .vmid = cpu_to_le16(vmid) };
	struct gh_rm_request request = {
		.msg_id = msg_id,
		.vmid = vmid,
		.payload = &payload,
		.size = sizeof(payload),
	};

	return gh_rm_call(rm, &request, NULL, NULL);
}

static int gh_rm_broken_reply(struct gh_rm *rm, u32 msg_id, size_t size)
{
	dev_err_ratelimited(rm->dev, "%s: the Resource Manager's answer of %zu bytes is malformed\n",
			    gh_rm_message_name(msg_id), size);
	return -EBADMSG;
}

/**
 * gh_rm_end_all() - Let go of the VMs and the memory of a kernel that is no more
 * @rm: Resource Manager
 *
 * A kernel that ends in good order leaves none, one that panics does: its successor, started by
 * kexec, knows neither VMs nor parcels.
 */
void gh_rm_end_all(struct gh_rm *rm)
{
	struct gh_rm_request request = {
		.msg_id = GH_RM_RPC_END_ALL,
		.quiet = true,
	};

	if (gh_api_is_open() && gh_rm_call(rm, &request, NULL, NULL))
		dev_warn(rm->dev, "memory that an earlier kernel has lent may not be back\n");
}

/**
 * gh_rm_read_own_vmid() - Ask for the VMID of this VM
 * @rm: Resource Manager
 * @vmid: Result
 */
int gh_rm_read_own_vmid(struct gh_rm *rm, u16 *vmid)
{
	struct gh_rm_request request = { .msg_id = GH_RM_RPC_VM_GET_VMID };
	size_t size;
	void *reply;
	int ret;

	ret = gh_rm_call(rm, &request, &reply, &size);
	if (ret)
		return ret;

	if (size < sizeof(__le32))
		ret = gh_rm_broken_reply(rm, request.msg_id, size);
	else
		*vmid = le32_to_cpup(reply) & U16_MAX;
	kvfree(reply);
	return ret;
}

/**
 * gh_rm_alloc_vmid() - Have a VM created
 * @rm: Resource Manager
 * @vmid: Result: VMID of the new VM
 */
int gh_rm_alloc_vmid(struct gh_rm *rm, u16 *vmid)
{
	const struct gh_rm_vmid_payload payload = { .vmid = cpu_to_le16(GH_VMID_INVAL) };
	struct gh_rm_request request = {
		.msg_id = GH_RM_RPC_VM_ALLOC_VMID,
		.payload = &payload,
		.size = sizeof(payload),
	};
	struct gh_rm_vmid_payload *answer;
	size_t size;
	void *reply;
	int ret;

	ret = gh_rm_call(rm, &request, &reply, &size);
	if (ret)
		return ret;

	answer = reply;
	if (size < sizeof(*answer) || le16_to_cpu(answer->vmid) == GH_VMID_INVAL)
		ret = gh_rm_broken_reply(rm, request.msg_id, size);
	else
		*vmid = le16_to_cpu(answer->vmid);
	kvfree(reply);
	return ret;
}

/**
 * gh_rm_dealloc_vmid() - Have a VM deleted
 * @rm: Resource Manager
 * @vmid: A VM that is in state LOAD or RESET
 */
int gh_rm_dealloc_vmid(struct gh_rm *rm, u16 vmid)
{
	return gh_rm_vmid_call(rm, GH_RM_RPC_VM_DEALLOC_VMID, vmid);
}

/**
 * gh_rm_vm_configure() - Say what a VM is made of
 * @rm: Resource Manager
 * @vmid: A VM in state LOAD
 * @image: Where everything is
 */
int gh_rm_vm_configure(struct gh_rm *rm, u16 vmid, const struct gh_rm_vm_image *image)
{
	const struct gh_rm_vm_config_image_payload payload = {
		.vmid = cpu_to_le16(vmid),
		.auth = cpu_to_le16(image->auth),
		.mem_handle = cpu_to_le32(image->mem_handle),
		.image_offset = cpu_to_le64(image->image_offset),
		.image_size = cpu_to_le64(image->image_size),
		.dtb_offset = cpu_to_le64(image->dtb_offset),
		.dtb_size = cpu_to_le64(image->dtb_size),
	};
	struct gh_rm_request request = {
		.msg_id = GH_RM_RPC_VM_CONFIG_IMAGE,
		.vmid = vmid,
		.payload = &payload,
		.size = sizeof(payload),
	};

	return gh_rm_call(rm, &request, NULL, NULL);
}

/**
 * gh_rm_vm_set_firmware_mem() - Say where a protected VM's firmware goes
 * @rm: Resource Manager
 * @vmid: A VM that is configured to be authenticated so
 * @mem_handle: A parcel that is lent to it
 * @offset: Bytes from the start of the parcel
 * @size: Bytes
 */
int gh_rm_vm_set_firmware_mem(struct gh_rm *rm, u16 vmid, u32 mem_handle, u64 offset, u64 size)
{
	const struct gh_rm_vm_firmware_mem_payload payload = {
		.vmid = cpu_to_le16(vmid),
		.mem_handle = cpu_to_le32(mem_handle),
		.offset = cpu_to_le64(offset),
		.size = cpu_to_le64(size),
	};
	struct gh_rm_request request = {
		.msg_id = GH_RM_RPC_VM_SET_FIRMWARE_MEM,
		.vmid = vmid,
		.payload = &payload,
		.size = sizeof(payload),
	};

	return gh_rm_call(rm, &request, NULL, NULL);
}

/**
 * gh_rm_vm_init() - Have a configured VM's device tree and resources made
 * @rm: Resource Manager
 * @vmid: A VM in state INIT; it gets READY
 */
int gh_rm_vm_init(struct gh_rm *rm, u16 vmid)
{
	return gh_rm_vmid_call(rm, GH_RM_RPC_VM_INIT, vmid);
}

/**
 * gh_rm_vm_start() - Have a VM started
 * @rm: Resource Manager
 * @vmid: A VM in state READY
 */
int gh_rm_vm_start(struct gh_rm *rm, u16 vmid)
{
	return gh_rm_vmid_call(rm, GH_RM_RPC_VM_START, vmid);
}

/**
 * gh_rm_vm_stop() - Have a VM stopped, without asking it
 * @rm: Resource Manager
 * @vmid: A VM that runs; VM_EXITED comes when it does not run any more
 */
int gh_rm_vm_stop(struct gh_rm *rm, u16 vmid)
{
	const struct gh_rm_vm_stop_payload payload = {
		.vmid = cpu_to_le16(vmid),
		.flags = GH_RM_VM_STOP_FORCE,
		.reason = cpu_to_le32(GH_RM_VM_STOP_REASON_FORCE),
	};
	struct gh_rm_request request = {
		.msg_id = GH_RM_RPC_VM_STOP,
		.vmid = vmid,
		.payload = &payload,
		.size = sizeof(payload),
	};

	return gh_rm_call(rm, &request, NULL, NULL);
}

/**
 * gh_rm_vm_reset() - Have everything of a VM taken away
 * @rm: Resource Manager
 * @vmid: A VM in state READY, INIT_FAILED or EXITED; VM_STATUS with RESET comes
 *        when it is done
 */
int gh_rm_vm_reset(struct gh_rm *rm, u16 vmid)
{
	return gh_rm_vmid_call(rm, GH_RM_RPC_VM_RESET, vmid);
}

/**
 * gh_rm_get_hyp_resources() - Ask what this VM may use of another's
 * @rm: Resource Manager
 * @vmid: A VM in state READY
 * @resources: Result; to be kvfree()d
 */
int gh_rm_get_hyp_resources(struct gh_rm *rm, u16 vmid, struct gh_rm_hyp_resources **resources)
{
	const struct gh_rm_vmid_payload payload = { .vmid = cpu_to_le16(vmid) };
	struct gh_rm_request request = {
		.msg_id = GH_RM_RPC_VM_GET_HYP_RESOURCES,
		.vmid = vmid,
		.payload = &payload,
		.size = sizeof(payload),
	};
	struct gh_rm_hyp_resources *answer;
	size_t size;
	void *reply;
	int ret;

	ret = gh_rm_call(rm, &request, &reply, &size);
	if (ret)
		return ret;

	answer = reply;
	if (size < sizeof(*answer) ||
	    size != struct_size(answer, entries, le32_to_cpu(answer->n_entries))) {
		kvfree(reply);
		return gh_rm_broken_reply(rm, request.msg_id, size);
	}
	*resources = answer;
	return 0;
}
