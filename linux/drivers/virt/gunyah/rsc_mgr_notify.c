// SPDX-License-Identifier: GPL-2.0-only
/*
 * Notifications of the Resource Manager: handed out in order, one at a time.
 */
#include <linux/device.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "rsc_mgr.h"
#include "trace.h"

struct gh_rm_notification_work {
	struct work_struct work;
	struct gh_rm *rm;
	u32 msg_id;
	void *payload;
	size_t size;
};

static void gh_rm_handle_notification(struct work_struct *work)
{
	struct gh_rm_notification_work *item =
		container_of(work, struct gh_rm_notification_work, work);
	struct gh_rm_notification notification = {
		.payload = item->payload,
		.size = item->size,
	};

	trace_gh_rm_notification(item->msg_id, item->size);
	blocking_notifier_call_chain(&item->rm->notifiers, item->msg_id, &notification);
	kvfree(item->payload);
	kfree(item);
}

/**
 * gh_rm_queue_notification() - Hand out a notification, later
 * @rm: Where it came from
 * @msg_id: Which
 * @payload: From kvmalloc(); this function takes it over. May be NULL
 * @size: Bytes at @payload
 *
 * The driver's removal waits for what is queued, so @rm is still there.
 */
void gh_rm_queue_notification(struct gh_rm *rm, u32 msg_id, void *payload, size_t size)
{
	struct gh_rm_notification_work *item = kzalloc(sizeof(*item), GFP_KERNEL);

	if (!item) {
		kvfree(payload);
		return;
	}
	item->rm = rm;
	item->msg_id = msg_id;
	item->payload = payload;
	item->size = size;
	INIT_WORK(&item->work, gh_rm_handle_notification);
	queue_work(rm->notifications, &item->work);
}

/**
 * gh_rm_flush_notifications() - Wait until what was received by now is handed out
 * @rm: Resource Manager
 *
 * Not from a notifier callback.
 */
void gh_rm_flush_notifications(struct gh_rm *rm)
{
	flush_workqueue(rm->notifications);
}

/**
 * gh_rm_notifier_register() - Ask for notifications
 * @rm: Resource Manager
 * @nb: Called until unregistered
 */
int gh_rm_notifier_register(struct gh_rm *rm, struct notifier_block *nb)
{
	return blocking_notifier_chain_register(&rm->notifiers, nb);
}
EXPORT_SYMBOL_GPL(gh_rm_notifier_register);

/**
 * gh_rm_notifier_unregister() - Ask for no more notifications
 * @rm: Resource Manager
 * @nb: Not called any more when this returns
 */
int gh_rm_notifier_unregister(struct gh_rm *rm, struct notifier_block *nb)
{
	return blocking_notifier_chain_unregister(&rm->notifiers, nb);
}
EXPORT_SYMBOL_GPL(gh_rm_notifier_unregister);
