// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory given to another VM through the Resource Manager, and taken back.
 */
#include <linux/device.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "rsc_mgr.h"

/* Ranges that one message carries; further ones follow in MEM_APPEND. */
#define GH_RM_MEM_MAX_ENTRIES	512

#define GH_RM_MEM_SHARE_APPEND	BIT(1)
#define GH_RM_MEM_APPEND_END	BIT(0)

/* MEM_SHARE and MEM_LEND: this, then an ACL section, a memory section and an attribute section. */
struct gh_rm_mem_share_hdr {
	u8 mem_type;
	u8 reserved0;
	u8 flags;
	u8 reserved1;
	__le32 label;
} __packed;

struct gh_rm_mem_acl_section {
	__le32 n_entries;
	struct gh_rm_mem_acl_entry entries[];
} __packed;

struct gh_rm_mem_section {
	__le16 n_entries;
	__le16 reserved;
	struct gh_rm_mem_entry entries[];
} __packed;

struct gh_rm_mem_attr_section {
	__le32 n_entries;
} __packed;

/* MEM_APPEND: this, then a memory section. */
struct gh_rm_mem_append_hdr {
	__le32 mem_handle;
	u8 flags;
	u8 reserved0;
	__le16 reserved1;
} __packed;

struct gh_rm_mem_reclaim_payload {
	__le32 mem_handle;
	u8 flags;
	u8 reserved0;
	__le16 reserved1;
} __packed;

static void gh_rm_mem_request(struct gh_rm_request *request, u32 msg_id,
			      const struct gh_rm_mem_parcel *parcel)
{
	memset(request, 0, sizeof(*request));
	request->msg_id = msg_id;
	if (parcel->n_acl_entries)
		request->vmid = le16_to_cpu(parcel->acl_entries[0].vmid);
	snprintf(request->what, sizeof(request->what), "memory region %u", parcel->label);
}

static size_t gh_rm_mem_section_size(size_t n)
{
	return sizeof(struct gh_rm_mem_section) + n * sizeof(struct gh_rm_mem_entry);
}

/* Writes ranges first to first + n; returns what comes behind them. */
static void *gh_rm_put_mem_section(void *out, const struct gh_rm_mem_parcel *parcel, size_t first,
				   size_t n)
{
	struct gh_rm_mem_section *section = out;

	section->n_entries = cpu_to_le16(n);
	section->reserved = 0;
	memcpy(section->entries, parcel->mem_entries + first, n * sizeof(*section->entries));
	return section->entries + n;
}

static int gh_rm_mem_append(struct gh_rm *rm, const struct gh_rm_mem_parcel *parcel, size_t first,
			    size_t n)
{
	const bool end = first + n == parcel->n_mem_entries;
	struct gh_rm_mem_append_hdr *hdr;
	struct gh_rm_request request;
	void *behind;
	int ret;

	hdr = kzalloc(sizeof(*hdr) + gh_rm_mem_section_size(n), GFP_KERNEL);
	if (!hdr)
		return -ENOMEM;

	hdr->mem_handle = cpu_to_le32(parcel->mem_handle);
	hdr->flags = end ? GH_RM_MEM_APPEND_END : 0;
	behind = gh_rm_put_mem_section(hdr + 1, parcel, first, n);

	gh_rm_mem_request(&request, GH_RM_RPC_MEM_APPEND, parcel);
	request.payload = hdr;
	request.size = behind - (void *)hdr;
	ret = gh_rm_call(rm, &request, NULL, NULL);
	kfree(hdr);
	return ret;
}

/* Shares the first n ranges. The parcel has a handle if it returns 0. */
static int gh_rm_mem_share_first(struct gh_rm *rm, struct gh_rm_mem_parcel *parcel, size_t n)
{
	const size_t acl_size = parcel->n_acl_entries * sizeof(*parcel->acl_entries);
	struct gh_rm_mem_acl_section *acl;
	struct gh_rm_mem_attr_section *attr;
	struct gh_rm_mem_share_hdr *hdr;
	struct gh_rm_request request;
	size_t size;
	void *reply;
	int ret;

	hdr = kzalloc(sizeof(*hdr) + sizeof(*acl) + acl_size +
		      gh_rm_mem_section_size(n) + sizeof(*attr), GFP_KERNEL);
	if (!hdr)
		return -ENOMEM;

	hdr->mem_type = parcel->mem_type;
	hdr->flags = n < parcel->n_mem_entries ? GH_RM_MEM_SHARE_APPEND : 0;
	hdr->label = cpu_to_le32(parcel->label);
	acl = (void *)(hdr + 1);
	acl->n_entries = cpu_to_le32(parcel->n_acl_entries);
	memcpy(acl->entries, parcel->acl_entries, acl_size);
	attr = gh_rm_put_mem_section(acl->entries + parcel->n_acl_entries, parcel, 0, n);
	attr->n_entries = 0;

	gh_rm_mem_request(&request, parcel->lend ? GH_RM_RPC_MEM_LEND : GH_RM_RPC_MEM_SHARE,
			  parcel);
	request.payload = hdr;
	request.size = (void *)(attr + 1) - (void *)hdr;
	ret = gh_rm_call(rm, &request, &reply, &size);
	kfree(hdr);
	if (ret) {
		if (request.unknown)
			parcel->state = GH_RM_MEM_UNKNOWN;
		return ret;
	}

	if (size >= sizeof(__le32)) {
		parcel->mem_handle = le32_to_cpup(reply);
		parcel->state = GH_RM_MEM_SHARED;
	} else {
		dev_err_ratelimited(rm->dev, "%s: %s gave no handle\n", request.what,
				    gh_rm_message_name(request.msg_id));
		parcel->state = GH_RM_MEM_UNKNOWN;
		ret = -EBADMSG;
	}
	kvfree(reply);
	return ret;
}

static int gh_rm_mem_share_all(struct gh_rm *rm, struct gh_rm_mem_parcel *parcel)
{
	size_t done = min_t(size_t, parcel->n_mem_entries, GH_RM_MEM_MAX_ENTRIES);
	size_t n;
	int ret;

	ret = gh_rm_mem_share_first(rm, parcel, done);
	for (; !ret && done < parcel->n_mem_entries; done += n) {
		n = min_t(size_t, parcel->n_mem_entries - done, GH_RM_MEM_MAX_ENTRIES);
		ret = gh_rm_mem_append(rm, parcel, done, n);
	}
	return ret;
}

/**
 * gh_rm_mem_share() - Share memory with, or lend it to, another VM
 * @rm: Resource Manager
 * @parcel: The memory, in state GH_RM_MEM_OURS
 *
 * Return: 0, and the parcel is in state GH_RM_MEM_SHARED; or an error, and it
 * is in state GH_RM_MEM_OURS if everything could be undone.
 */
int gh_rm_mem_share(struct gh_rm *rm, struct gh_rm_mem_parcel *parcel)
{
	int ret;

	if (!parcel->n_mem_entries || !parcel->n_acl_entries)
		return -EINVAL;

	ret = gh_rm_platform_pre_mem_share(rm, parcel);
	if (ret) {
		dev_err_ratelimited(rm->dev, "memory region %u: the platform refuses to share it: %d\n",
				    parcel->label, ret);
		return ret;
	}

	ret = gh_rm_mem_share_all(rm, parcel);
	if (!ret)
		return 0;

	if (parcel->state == GH_RM_MEM_SHARED)
		gh_rm_mem_reclaim(rm, parcel);
	else if (parcel->state == GH_RM_MEM_OURS && gh_rm_platform_post_mem_reclaim(rm, parcel))
		parcel->state = GH_RM_MEM_UNKNOWN;
	return ret;
}

/**
 * gh_rm_mem_reclaim() - Take back shared memory
 * @rm: Resource Manager
 * @parcel: The memory, in state GH_RM_MEM_SHARED
 *
 * Return: 0, and the parcel is in state GH_RM_MEM_OURS; or an error, and the
 * memory must not be used for anything else.
 */
int gh_rm_mem_reclaim(struct gh_rm *rm, struct gh_rm_mem_parcel *parcel)
{
	const struct gh_rm_mem_reclaim_payload payload = {
		.mem_handle = cpu_to_le32(parcel->mem_handle),
	};
	struct gh_rm_request request;
	int ret;

	gh_rm_mem_request(&request, GH_RM_RPC_MEM_RECLAIM, parcel);
	request.payload = &payload;
	request.size = sizeof(payload);
	ret = gh_rm_call(rm, &request, NULL, NULL);
	if (ret)
		return ret;

	ret = gh_rm_platform_post_mem_reclaim(rm, parcel);
	parcel->state = ret ? GH_RM_MEM_UNKNOWN : GH_RM_MEM_OURS;
	return ret;
}
