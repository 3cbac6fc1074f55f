// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names and errnos of the Resource Manager's errors and messages.
 */
#include <linux/errno.h>
#include <linux/kernel.h>

#include "rsc_mgr.h"

static const struct {
	u32 error;
	int errnum;
	const char *name;
} gh_rm_errors[] = {
	{ 0x00, 0, "OK" },
	{ 0x01, -ENOMEM, "NOMEM" },
	{ 0x02, -ENODEV, "NORESOURCE" },
	{ 0x03, -EPERM, "DENIED" },
	{ 0x04, -EINVAL, "INVALID" },
	{ 0x05, -EBUSY, "BUSY" },
	{ 0x06, -EINVAL, "ARGUMENT_INVALID" },
	{ 0x07, -EINVAL, "HANDLE_INVALID" },
	{ 0x08, -EINVAL, "VALIDATE_FAILED" },
	{ 0x09, -EINVAL, "MAP_FAILED" },
	{ 0x0a, -EINVAL, "MEM_INVALID" },
	{ 0x0b, -EINVAL, "MEM_INUSE" },
	{ 0x0c, -EINVAL, "MEM_RELEASED" },
	{ 0x0d, -EINVAL, "VMID_INVALID" },
	{ 0x0e, -EINVAL, "LOOKUP_FAILED" },
	{ 0x0f, -EINVAL, "IRQ_INVALID" },
	{ 0x10, -EINVAL, "IRQ_INUSE" },
	{ 0x11, -EINVAL, "IRQ_RELEASED" },
	{ 0x12, -EBUSY, "IN_USE" },
	{ 0x13, -EINVAL, "IRQ_NOT_MAPPED" },
	{ 0x14, -EBUSY, "VM_STATE" },
	{ 0xffffffff, -EOPNOTSUPP, "UNIMPLEMENTED" },
};

/**
 * gh_rm_error_remap() - The errno for an error of the Resource Manager
 * @error: As in its reply
 */
int gh_rm_error_remap(u32 error)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(gh_rm_errors); i++) {
		if (gh_rm_errors[i].error == error)
			return gh_rm_errors[i].errnum;
	}
	return -EBADMSG;
}

/**
 * gh_rm_error_name() - The name of an error of the Resource Manager
 * @error: As in its reply
 */
const char *gh_rm_error_name(u32 error)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(gh_rm_errors); i++) {
		if (gh_rm_errors[i].error == error)
			return gh_rm_errors[i].name;
	}
	return "an unknown error";
}

/**
 * gh_rm_message_name() - The name of a message
 * @msg_id: As in its header
 */
const char *gh_rm_message_name(u32 msg_id)
{
	switch (msg_id) {
	case GH_RM_RPC_MEM_LEND:
		return "MEM_LEND";
	case GH_RM_RPC_MEM_SHARE:
		return "MEM_SHARE";
	case GH_RM_RPC_MEM_RECLAIM:
		return "MEM_RECLAIM";
	case GH_RM_RPC_MEM_APPEND:
		return "MEM_APPEND";
	case GH_RM_RPC_VM_ALLOC_VMID:
		return "VM_ALLOC_VMID";
	case GH_RM_RPC_VM_DEALLOC_VMID:
		return "VM_DEALLOC_VMID";
	case GH_RM_RPC_VM_START:
		return "VM_START";
	case GH_RM_RPC_VM_STOP:
		return "VM_STOP";
	case GH_RM_RPC_VM_RESET:
		return "VM_RESET";
	case GH_RM_RPC_VM_CONFIG_IMAGE:
		return "VM_CONFIG_IMAGE";
	case GH_RM_RPC_VM_INIT:
		return "VM_INIT";
	case GH_RM_RPC_VM_GET_HYP_RESOURCES:
		return "VM_GET_HYP_RESOURCES";
	case GH_RM_RPC_VM_GET_VMID:
		return "VM_GET_VMID";
	case GH_RM_RPC_VM_SET_FIRMWARE_MEM:
		return "VM_SET_FIRMWARE_MEM";
	case GH_RM_NOTIFICATION_VM_EXITED:
		return "VM_EXITED";
	case GH_RM_NOTIFICATION_VM_STATUS:
		return "VM_STATUS";
	case GH_RM_RPC_GET_COUNTERS:
		return "GET_COUNTERS";
	case GH_RM_RPC_END_ALL:
		return "END_ALL";
	default:
		return "an unknown message";
	}
}
