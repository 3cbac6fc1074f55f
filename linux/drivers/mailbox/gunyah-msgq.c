// SPDX-License-Identifier: GPL-2.0-only
/*
 * Gunyah message queues: a queue to, and a queue from, one other VM.
 *
 * Used by its client directly, not through the mailbox framework. There a
 * channel whose client is also its controller holds a reference on its own
 * module, so that this module could never be unloaded; and its "transmit
 * done" state machine only has to be undone again to wait until a message is sent.
 */
#include <linux/device.h>
#include <linux/gunyah.h>
#include <linux/interrupt.h>
#include <linux/jiffies.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>

/* How long to rely on the "not full" interrupt before looking again. */
#define GH_MSGQ_TX_POLL		(HZ / 10)

/* More messages than any queue holds. */
#define GH_MSGQ_MAX_DEPTH	1024

static irqreturn_t gh_msgq_tx_irq(int irq, void *data)
{
	struct gh_msgq *msgq = data;

	complete(&msgq->tx_space);
	return IRQ_HANDLED;
}

/* Takes one message. Returns whether there was one; *ready says if there is another. */
static bool gh_msgq_receive(struct gh_msgq *msgq, size_t *size, bool *ready)
{
	enum gh_error error;

	do {
		error = gh_hypercall_msgq_recv(msgq->rx.capid, msgq->rx_buf,
					       GH_MSGQ_MAX_MSG_SIZE, size, ready);
	} while (error == GH_ERROR_RETRY);

	if (error == GH_ERROR_OK) {
		/* Longer than the buffer cannot be: it is no message, and others may follow it. */
		if (*size > GH_MSGQ_MAX_MSG_SIZE)
			*size = 0;
		return true;
	}
	if (error != GH_ERROR_MSGQUEUE_EMPTY)
		dev_err_ratelimited(msgq->dev, "cannot receive from the message queue: %s\n",
				    gh_error_name(error));
	return false;
}

static irqreturn_t gh_msgq_rx_thread(int irq, void *data)
{
	struct gh_msgq *msgq = data;
	bool ready = true;
	size_t size;

	while (ready && gh_msgq_receive(msgq, &size, &ready))
		msgq->received(msgq, msgq->rx_buf, size);
	return IRQ_HANDLED;
}

/* What an earlier user of the queue left in it is not for this one. */
static void gh_msgq_discard(struct gh_msgq *msgq)
{
	bool ready = true;
	size_t size;
	int i;

	for (i = 0; i < GH_MSGQ_MAX_DEPTH && ready; i++) {
		if (!gh_msgq_receive(msgq, &size, &ready))
			return;
	}
}

/**
 * gh_msgq_start() - Begin to use a pair of message queues
 * @msgq: dev, tx, rx and received are filled in by the caller
 *
 * Messages may be received before it returns. May sleep.
 *
 * Return: 0 or an error; then nothing is to be undone.
 */
int gh_msgq_start(struct gh_msgq *msgq)
{
	int ret;

	if (!gh_api_has_feature(GH_FEATURE_MSGQUEUE))
		return -EOPNOTSUPP;

	/* Of its own each, so that the hypervisor finds them within one page. */
	msgq->tx_buf = kzalloc(roundup_pow_of_two(GH_MSGQ_MAX_MSG_SIZE), GFP_KERNEL);
	msgq->rx_buf = kzalloc(roundup_pow_of_two(GH_MSGQ_MAX_MSG_SIZE), GFP_KERNEL);
	if (!msgq->tx_buf || !msgq->rx_buf) {
		ret = -ENOMEM;
		goto err_free;
	}
	init_completion(&msgq->tx_space);
	gh_msgq_discard(msgq);

	ret = request_irq(msgq->tx.irq, gh_msgq_tx_irq, 0, "gh_msgq_tx", msgq);
	if (ret)
		goto err_free;
	ret = request_threaded_irq(msgq->rx.irq, NULL, gh_msgq_rx_thread, IRQF_ONESHOT,
				   "gh_msgq_rx", msgq);
	if (ret)
		goto err_free_tx_irq;
	return 0;

err_free_tx_irq:
	free_irq(msgq->tx.irq, msgq);
err_free:
	kfree(msgq->tx_buf);
	kfree(msgq->rx_buf);
	return ret;
}
EXPORT_SYMBOL_GPL(gh_msgq_start);

/**
 * gh_msgq_stop() - End the use of a pair of message queues
 * @msgq: Started; no send is in progress
 *
 * When it returns, received() does not run and is not called any more.
 */
void gh_msgq_stop(struct gh_msgq *msgq)
{
	free_irq(msgq->rx.irq, msgq);
	free_irq(msgq->tx.irq, msgq);
	kfree(msgq->tx_buf);
	kfree(msgq->rx_buf);
}
EXPORT_SYMBOL_GPL(gh_msgq_stop);

/**
 * gh_msgq_send() - Send a message, waiting for space in the queue
 * @msgq: Started
 * @data: The message
 * @size: Bytes, 1 to GH_MSGQ_MAX_MSG_SIZE
 * @push: Wake the receiver now, rather than when its threshold is reached
 * @timeout: How long to wait for space at most, jiffies
 *
 * May sleep, not interruptible. One caller at a time.
 *
 * Return: 0; -ETIMEDOUT if the queue stayed full; another error if the
 * hypervisor refused. After an error the message was not sent.
 */
int gh_msgq_send(struct gh_msgq *msgq, const void *data, size_t size, bool push,
		 unsigned long timeout)
{
	const u64 flags = push ? GH_HYPERCALL_MSGQ_TX_FLAGS_PUSH : 0;
	const unsigned long end = jiffies + timeout;
	enum gh_error error;
	bool ready;

	if (!size || size > GH_MSGQ_MAX_MSG_SIZE)
		return -EINVAL;
	memcpy(msgq->tx_buf, data, size);

	for (;;) {
		reinit_completion(&msgq->tx_space);
		error = gh_hypercall_msgq_send(msgq->tx.capid, size, msgq->tx_buf, flags, &ready);
		if (error == GH_ERROR_OK)
			return 0;
		if (error != GH_ERROR_MSGQUEUE_FULL && error != GH_ERROR_RETRY)
			break;
		if (time_after(jiffies, end))
			return -ETIMEDOUT;
		if (error == GH_ERROR_MSGQUEUE_FULL)
			wait_for_completion_timeout(&msgq->tx_space, GH_MSGQ_TX_POLL);
		else
			cond_resched();
	}

	dev_err_ratelimited(msgq->dev, "cannot send to the message queue: %s\n",
			    gh_error_name(error));
	return gh_error_remap(error);
}
EXPORT_SYMBOL_GPL(gh_msgq_send);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Gunyah message queues");
