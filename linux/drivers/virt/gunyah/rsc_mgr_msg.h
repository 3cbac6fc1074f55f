/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How Resource Manager messages are cut into queue messages and put together again.
 *
 * No allocation, no locking, no other part of the driver: the host tests
 * compile it as it is.
 */
#ifndef __GUNYAH_RSC_MGR_MSG_H
#define __GUNYAH_RSC_MGR_MSG_H

#include <linux/types.h>

/* Bytes that one queue message carries, header included. */
#define GH_RM_QUEUE_MSG_SIZE	240

enum gh_rm_msg_type {
	GH_RM_MSG_CONTINUATION	= 0,
	GH_RM_MSG_REQUEST	= 1,
	GH_RM_MSG_REPLY		= 2,
	GH_RM_MSG_NOTIFICATION	= 3,
};

/* In front of every queue message. */
struct gh_rm_msg_hdr {
	u8 api;			/* 3:0 version, 7:4 words in this header */
	u8 type;		/* 1:0 enum gh_rm_msg_type, 7:2 fragments that follow the first */
	__le16 seq;		/* of the request, also in its reply */
	__le32 msg_id;
} __packed;

#define GH_RM_MSG_API		0x21
#define GH_RM_MSG_MAX_FRAGMENTS	62
#define GH_RM_MSG_MAX_CHUNK	(GH_RM_QUEUE_MSG_SIZE - sizeof(struct gh_rm_msg_hdr))
/* Bytes of the longest request payload that every Resource Manager takes. */
#define GH_RM_MSG_MAX_PAYLOAD	(GH_RM_MSG_MAX_FRAGMENTS * GH_RM_MSG_MAX_CHUNK)

/* A queue message taken apart. */
struct gh_rm_msg {
	enum gh_rm_msg_type type;
	u8 fragments;
	u16 seq;
	u32 msg_id;
	const u8 *payload;
	size_t size;
};

/* A message being put together. Zeroed: none. */
struct gh_rm_reassembly {
	enum gh_rm_msg_type type;
	u8 fragments;
	u8 missing;
	u16 seq;
	u32 msg_id;
	u8 *buf;
	size_t size;
	size_t capacity;
};

int gh_rm_msg_parse(const void *data, size_t size, struct gh_rm_msg *msg);
size_t gh_rm_msg_capacity(const struct gh_rm_msg *msg);
unsigned int gh_rm_msg_fragments(size_t payload_size);
size_t gh_rm_msg_build(void *out, u32 msg_id, u16 seq, const void *payload, size_t payload_size,
		       unsigned int fragment);

void gh_rm_reassembly_start(struct gh_rm_reassembly *r, const struct gh_rm_msg *msg, u8 *buf,
			    size_t capacity);
int gh_rm_reassembly_add(struct gh_rm_reassembly *r, const struct gh_rm_msg *msg);

#endif
