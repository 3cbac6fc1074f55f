// SPDX-License-Identifier: GPL-2.0-only
/*
 * How Resource Manager messages are cut into queue messages and put together again.
 */
#include <linux/errno.h>
#include <linux/string.h>
#include <asm/byteorder.h>

#include "rsc_mgr_msg.h"

#define GH_RM_MSG_TYPE_MASK		0x3
#define GH_RM_MSG_FRAGMENTS_SHIFT	2

/**
 * gh_rm_msg_parse() - Take a queue message apart
 * @data: As received
 * @size: Bytes received
 * @msg: Result; its payload points into @data
 *
 * Return: 0, or -EBADMSG if it is not a Resource Manager message.
 */
int gh_rm_msg_parse(const void *data, size_t size, struct gh_rm_msg *msg)
{
	struct gh_rm_msg_hdr hdr;

	if (size < sizeof(hdr) || size > GH_RM_QUEUE_MSG_SIZE)
		return -EBADMSG;
	memcpy(&hdr, data, sizeof(hdr));
	if (hdr.api != GH_RM_MSG_API)
		return -EBADMSG;

	msg->type = hdr.type & GH_RM_MSG_TYPE_MASK;
	msg->fragments = hdr.type >> GH_RM_MSG_FRAGMENTS_SHIFT;
	msg->seq = __le16_to_cpu(hdr.seq);
	msg->msg_id = __le32_to_cpu(hdr.msg_id);
	msg->payload = (const u8 *)data + sizeof(hdr);
	msg->size = size - sizeof(hdr);
	return 0;
}

/**
 * gh_rm_msg_capacity() - Bytes that a message has at most
 * @msg: Its first fragment
 */
size_t gh_rm_msg_capacity(const struct gh_rm_msg *msg)
{
	return msg->size + msg->fragments * GH_RM_MSG_MAX_CHUNK;
}

/**
 * gh_rm_msg_fragments() - Number of fragments that follow the first
 * @payload_size: Bytes, at most GH_RM_MSG_MAX_PAYLOAD
 */
unsigned int gh_rm_msg_fragments(size_t payload_size)
{
	return payload_size ? (payload_size - 1) / GH_RM_MSG_MAX_CHUNK : 0;
}

/**
 * gh_rm_msg_build() - Cut one fragment out of a request
 * @out: GH_RM_QUEUE_MSG_SIZE bytes
 * @msg_id: Of the request
 * @seq: Of the request
 * @payload: The whole request
 * @payload_size: Bytes, at most GH_RM_MSG_MAX_PAYLOAD
 * @fragment: 0 to gh_rm_msg_fragments()
 *
 * Return: Bytes at @out.
 */
size_t gh_rm_msg_build(void *out, u32 msg_id, u16 seq, const void *payload, size_t payload_size,
		       unsigned int fragment)
{
	const size_t offset = fragment * GH_RM_MSG_MAX_CHUNK;
	const size_t left = payload_size - offset;
	const size_t chunk = left < GH_RM_MSG_MAX_CHUNK ? left : GH_RM_MSG_MAX_CHUNK;
	const struct gh_rm_msg_hdr hdr = {
		.api = GH_RM_MSG_API,
		.type = (fragment ? GH_RM_MSG_CONTINUATION : GH_RM_MSG_REQUEST) |
			gh_rm_msg_fragments(payload_size) << GH_RM_MSG_FRAGMENTS_SHIFT,
		.seq = __cpu_to_le16(seq),
		.msg_id = __cpu_to_le32(msg_id),
	};

	memcpy(out, &hdr, sizeof(hdr));
	if (chunk)
		memcpy((u8 *)out + sizeof(hdr), (const u8 *)payload + offset, chunk);
	return sizeof(hdr) + chunk;
}

static void gh_rm_reassembly_append(struct gh_rm_reassembly *r, const struct gh_rm_msg *msg)
{
	if (msg->size)
		memcpy(r->buf + r->size, msg->payload, msg->size);
	r->size += msg->size;
}

/**
 * gh_rm_reassembly_start() - Begin with the first fragment
 * @r: Overwritten
 * @msg: A reply or notification
 * @buf: Where to put the payload
 * @capacity: Bytes at @buf, gh_rm_msg_capacity() of @msg
 *
 * The message is complete if @r->missing is 0.
 */
void gh_rm_reassembly_start(struct gh_rm_reassembly *r, const struct gh_rm_msg *msg, u8 *buf,
			    size_t capacity)
{
	r->type = msg->type;
	r->fragments = msg->fragments;
	r->missing = msg->fragments;
	r->seq = msg->seq;
	r->msg_id = msg->msg_id;
	r->buf = buf;
	r->size = 0;
	r->capacity = capacity;
	gh_rm_reassembly_append(r, msg);
}

/**
 * gh_rm_reassembly_add() - Add the next fragment
 * @r: Started and not complete
 * @msg: A continuation
 *
 * The message is complete if @r->missing is 0 afterwards.
 *
 * Return: 0, or -EBADMSG if @msg is not the continuation of @r.
 */
int gh_rm_reassembly_add(struct gh_rm_reassembly *r, const struct gh_rm_msg *msg)
{
	if (!r->missing || msg->type != GH_RM_MSG_CONTINUATION)
		return -EBADMSG;
	if (msg->msg_id != r->msg_id || msg->seq != r->seq || msg->fragments != r->fragments)
		return -EBADMSG;
	if (msg->size > r->capacity - r->size)
		return -EBADMSG;

	gh_rm_reassembly_append(r, msg);
	r->missing--;
	return 0;
}
