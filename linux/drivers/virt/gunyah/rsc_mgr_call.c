// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls of the Resource Manager: a request goes out in fragments, its reply is put
 * together from fragments, several calls may wait at once.
 */
#include <linux/completion.h>
#include <linux/device.h>
#include <linux/error-injection.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>

#include "rsc_mgr.h"
#include "trace.h"

/* The longest that a sane Resource Manager takes; it may have to zero memory. */
static unsigned int reply_seconds = 60;
module_param(reply_seconds, uint, 0644);
MODULE_PARM_DESC(reply_seconds, "How long the Resource Manager may take to answer or to end a VM, 1 to 3600");
#define GH_RM_MAX_REPLY_SECONDS	3600U
/* The same while it does not answer: whoever is next need not wait so long again. */
#define GH_RM_SILENT_TIMEOUT	(1 * HZ)

/**
 * struct gh_rm_call - A call that waits for its reply, on the stack of who calls
 * @list: Member of rm->calls
 * @seq: Tells it from others there
 * @msg_id: Of request and reply
 * @done: The rest is valid
 * @ret: 0: there is a reply; otherwise why there will be none
 * @error: The Resource Manager's error code
 * @buf: Whole payload of the reply, error code included; from kvmalloc()
 * @size: Bytes at @buf
 *
 * Whoever removes it from rm->calls, under rm->lock, decides its fate.
 */
struct gh_rm_call {
	struct list_head list;
	u16 seq;
	u32 msg_id;
	struct completion done;
	int ret;
	u32 error;
	u8 *buf;
	size_t size;
};

/**
 * gh_rm_timeout() - How long to wait for the Resource Manager
 * @rm: Resource Manager
 *
 * Return: Jiffies. Not long if it is known not to answer.
 */
unsigned long gh_rm_timeout(struct gh_rm *rm)
{
	if (READ_ONCE(rm->silent))
		return GH_RM_SILENT_TIMEOUT;
	return clamp(READ_ONCE(reply_seconds), 1U, GH_RM_MAX_REPLY_SECONDS) * HZ;
}

/* It has spoken, or has been waited for in vain. Who has to deal with it is told once. */
static void gh_rm_set_silent(struct gh_rm *rm, bool silent)
{
	lockdep_assert_held(&rm->lock);
	if (rm->silent == silent)
		return;
	WRITE_ONCE(rm->silent, silent);
	if (silent)
		dev_err(rm->dev, "the Resource Manager does not answer: VMs that run go on, but none is started or ended\n");
	else
		dev_notice(rm->dev, "the Resource Manager answers again\n");
}

/* Ends a call that is not in rm->calls any more. */
static void gh_rm_call_finish(struct gh_rm_call *call, int ret, u8 *buf, size_t size)
{
	call->ret = ret;
	call->buf = buf;
	call->size = size;
	complete(&call->done);
}

static struct gh_rm_call *gh_rm_call_find(struct gh_rm *rm, u16 seq)
{
	struct gh_rm_call *call;

	lockdep_assert_held(&rm->lock);
	list_for_each_entry(call, &rm->calls, list) {
		if (call->seq == seq)
			return call;
	}
	return NULL;
}

/* Takes the call that a reply belongs to out of rm->calls. NULL if nobody waits for it. */
static struct gh_rm_call *gh_rm_call_take(struct gh_rm *rm, u16 seq, u32 msg_id)
{
	struct gh_rm_call *call = gh_rm_call_find(rm, seq);

	if (!call || call->msg_id != msg_id)
		return NULL;
	list_del(&call->list);
	return call;
}

static void gh_rm_deliver_reply(struct gh_rm *rm, struct gh_rm_reassembly *r)
{
	struct gh_rm_call *call = gh_rm_call_take(rm, r->seq, r->msg_id);

	if (call && r->size >= sizeof(__le32)) {
		call->error = le32_to_cpup((const __le32 *)r->buf);
		gh_rm_call_finish(call, 0, r->buf, r->size);
		return;
	}

	kvfree(r->buf);
	if (call)
		gh_rm_call_finish(call, -EBADMSG, NULL, 0);
}

/* Hands over the message in rm->inbound, which is complete. */
static void gh_rm_deliver(struct gh_rm *rm)
{
	struct gh_rm_reassembly *r = &rm->inbound;

	if (r->type == GH_RM_MSG_REPLY)
		gh_rm_deliver_reply(rm, r);
	else
		gh_rm_queue_notification(rm, r->msg_id, r->buf, r->size);
	r->buf = NULL;
}

/* A message will not be complete: whoever waits for it need not wait any longer. */
static void gh_rm_give_up(struct gh_rm *rm, enum gh_rm_msg_type type, u16 seq, u32 msg_id, int ret)
{
	struct gh_rm_call *call = NULL;

	dev_err_ratelimited(rm->dev, "lost a message from the Resource Manager, %s (%#x): %d\n",
			    gh_rm_message_name(msg_id), msg_id, ret);
	if (type == GH_RM_MSG_REPLY)
		call = gh_rm_call_take(rm, seq, msg_id);
	if (call)
		gh_rm_call_finish(call, ret, NULL, 0);
}

static void gh_rm_drop_inbound(struct gh_rm *rm)
{
	struct gh_rm_reassembly *r = &rm->inbound;

	gh_rm_give_up(rm, r->type, r->seq, r->msg_id, -EIO);
	kvfree(r->buf);
	r->buf = NULL;
}

static void gh_rm_receive_first(struct gh_rm *rm, const struct gh_rm_msg *msg)
{
	const size_t capacity = gh_rm_msg_capacity(msg);
	u8 *buf;

	/* Messages are not interleaved. */
	if (rm->inbound.buf)
		gh_rm_drop_inbound(rm);

	/* One more, because an empty message needs a buffer too: that there is one says so. */
	buf = kvmalloc(capacity + 1, GFP_KERNEL);
	if (!buf) {
		gh_rm_give_up(rm, msg->type, msg->seq, msg->msg_id, -ENOMEM);
		return;
	}
	gh_rm_reassembly_start(&rm->inbound, msg, buf, capacity);
	if (!rm->inbound.missing)
		gh_rm_deliver(rm);
}

static void gh_rm_receive_continuation(struct gh_rm *rm, const struct gh_rm_msg *msg)
{
	/* Of a message whose beginning was refused. */
	if (!rm->inbound.buf)
		return;

	if (gh_rm_reassembly_add(&rm->inbound, msg))
		gh_rm_drop_inbound(rm);
	else if (!rm->inbound.missing)
		gh_rm_deliver(rm);
}

/**
 * gh_rm_received() - Take a queue message from the Resource Manager
 * @msgq: rm->msgq
 * @data: The message
 * @size: Bytes
 *
 * A test loses messages by fault injection.
 */
void gh_rm_received(struct gh_msgq *msgq, const void *data, size_t size)
{
	struct gh_rm *rm = container_of(msgq, struct gh_rm, msgq);
	struct gh_rm_msg msg;

	if (gh_rm_msg_parse(data, size, &msg)) {
		dev_err_ratelimited(rm->dev, "received what is no Resource Manager message\n");
		return;
	}

	mutex_lock(&rm->lock);
	gh_rm_set_silent(rm, false);
	switch (msg.type) {
	case GH_RM_MSG_REPLY:
	case GH_RM_MSG_NOTIFICATION:
		gh_rm_receive_first(rm, &msg);
		break;
	case GH_RM_MSG_CONTINUATION:
		gh_rm_receive_continuation(rm, &msg);
		break;
	case GH_RM_MSG_REQUEST:
		dev_err_ratelimited(rm->dev, "received a request, which nobody serves\n");
		break;
	}
	mutex_unlock(&rm->lock);
}

ALLOW_ERROR_INJECTION(gh_rm_received, ERRNO);

/**
 * gh_rm_abort_calls() - Refuse further calls and end those that wait
 * @rm: Resource Manager, being removed
 */
void gh_rm_abort_calls(struct gh_rm *rm)
{
	struct gh_rm_call *call;
	struct gh_rm_call *next;

	mutex_lock(&rm->lock);
	rm->stopped = true;
	kvfree(rm->inbound.buf);
	rm->inbound.buf = NULL;
	list_for_each_entry_safe(call, next, &rm->calls, list) {
		list_del(&call->list);
		gh_rm_call_finish(call, -ENODEV, NULL, 0);
	}
	mutex_unlock(&rm->lock);

	/* Who was just sending has seen it when this lock is free. */
	mutex_lock(&rm->send_lock);
	mutex_unlock(&rm->send_lock);
}

static int gh_rm_send(struct gh_rm *rm, const struct gh_rm_request *request, u16 seq)
{
	const unsigned int last = gh_rm_msg_fragments(request->size);
	u8 msg[GH_RM_QUEUE_MSG_SIZE];
	unsigned int fragment;
	size_t size;
	int ret = 0;

	mutex_lock(&rm->send_lock);
	for (fragment = 0; fragment <= last && !ret; fragment++) {
		if (READ_ONCE(rm->stopped)) {
			ret = -ENODEV;
			break;
		}
		size = gh_rm_msg_build(msg, request->msg_id, seq, request->payload, request->size,
				       fragment);
		ret = gh_msgq_send(&rm->msgq, msg, size, fragment == last, gh_rm_timeout(rm));
	}
	mutex_unlock(&rm->send_lock);
	return ret;
}

/* Needs no memory, of which there may be none: a VM's end is made of calls. */
static int gh_rm_call_add(struct gh_rm *rm, struct gh_rm_call *call)
{
	int ret = 0;

	mutex_lock(&rm->lock);
	if (rm->stopped) {
		ret = -ENODEV;
	} else {
		/* Each has a thread that waits, so that there is always a number left. */
		do {
			call->seq = rm->next_seq++;
		} while (gh_rm_call_find(rm, call->seq));
		list_add_tail(&call->list, &rm->calls);
	}
	mutex_unlock(&rm->lock);
	return ret;
}

/* Takes back a call. Afterwards it is done, one way or the other. */
static void gh_rm_call_cancel(struct gh_rm *rm, struct gh_rm_call *call, int ret)
{
	mutex_lock(&rm->lock);
	if (!completion_done(&call->done)) {
		list_del(&call->list);
		gh_rm_call_finish(call, ret, NULL, 0);
		if (ret == -ETIMEDOUT)
			gh_rm_set_silent(rm, true);
	}
	mutex_unlock(&rm->lock);
}

static void gh_rm_log_failure(struct gh_rm *rm, const struct gh_rm_request *request,
			      const struct gh_rm_call *call)
{
	char subject[64] = "";

	if (request->quiet)
		return;
	if (request->vmid != GH_VMID_INVAL)
		snprintf(subject, sizeof(subject), "VM %u: ", request->vmid);
	if (request->what[0])
		snprintf(subject + strlen(subject), sizeof(subject) - strlen(subject), "%s: ",
			 request->what);

	if (call->ret == -ETIMEDOUT)
		dev_err_ratelimited(rm->dev, "%s%s failed: no answer from the Resource Manager\n",
				    subject, gh_rm_message_name(request->msg_id));
	else if (call->ret)
		dev_err_ratelimited(rm->dev, "%s%s failed: no usable answer, error %d\n",
				    subject, gh_rm_message_name(request->msg_id), call->ret);
	else
		dev_err_ratelimited(rm->dev, "%s%s failed: Resource Manager error %s (%#x)\n",
				    subject, gh_rm_message_name(request->msg_id),
				    gh_rm_error_name(call->error), call->error);
}

/* What the caller gets of a call that is done. Takes over its buffer. */
static int gh_rm_call_result(struct gh_rm_call *call, void **reply, size_t *reply_size)
{
	int ret = call->ret;

	if (!ret)
		ret = gh_rm_error_remap(call->error);
	if (ret || !reply) {
		kvfree(call->buf);
		return ret;
	}

	*reply_size = call->size - sizeof(__le32);
	memmove(call->buf, call->buf + sizeof(__le32), *reply_size);
	*reply = call->buf;
	return 0;
}

/**
 * gh_rm_call() - Ask the Resource Manager to do something and wait for the reply
 * @rm: Resource Manager
 * @request: What to ask; @request->unknown is set
 * @reply: Payload of the reply without the error code; to be kvfree()d. NULL if
 *         of no interest
 * @reply_size: Bytes at @reply
 *
 * Not interruptible, bounded in time. Logs why it failed.
 */
int gh_rm_call(struct gh_rm *rm, struct gh_rm_request *request, void **reply, size_t *reply_size)
{
	struct gh_rm_call call = {
		.msg_id = request->msg_id,
		.done = COMPLETION_INITIALIZER_ONSTACK(call.done),
	};
	int ret;

	request->unknown = false;
	if (request->size > GH_RM_MSG_MAX_PAYLOAD)
		return -E2BIG;

	ret = gh_rm_call_add(rm, &call);
	if (ret)
		return ret;

	trace_gh_rm_call(request->msg_id, request->vmid, request->size);
	ret = gh_rm_send(rm, request, call.seq);
	if (ret) {
		gh_rm_call_cancel(rm, &call, ret);
	} else {
		if (!wait_for_completion_timeout(&call.done, gh_rm_timeout(rm)))
			gh_rm_call_cancel(rm, &call, -ETIMEDOUT);
		request->unknown = call.ret;
	}

	trace_gh_rm_reply(request->msg_id, request->vmid, call.ret, call.error);
	if (call.ret || call.error)
		gh_rm_log_failure(rm, request, &call);
	return gh_rm_call_result(&call, reply, reply_size);
}
