// SPDX-License-Identifier: GPL-2.0-only
/*
 * Driver of the Gunyah Resource Manager: finds it in the device tree, connects
 * to it, and offers /dev/gunyah.
 */
#include <linux/device.h>
#include <linux/gunyah.h>
#include <linux/gunyah_rsc_mgr.h>
#include <linux/kernel.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "rsc_mgr.h"
#include "vm_mgr.h"

static void gh_rm_free(struct kref *kref)
{
	struct gh_rm *rm = container_of(kref, struct gh_rm, kref);

	put_device(rm->dev);
	kfree(rm);
}

/**
 * gh_rm_get() - Keep the Resource Manager's data
 * @rm: Resource Manager
 *
 * Calls fail when its driver is gone.
 */
struct gh_rm *gh_rm_get(struct gh_rm *rm)
{
	kref_get(&rm->kref);
	return rm;
}

/**
 * gh_rm_put() - Undo gh_rm_get()
 * @rm: Resource Manager
 */
void gh_rm_put(struct gh_rm *rm)
{
	kref_put(&rm->kref, gh_rm_free);
}

/**
 * gh_rm_device() - The Resource Manager's device, for messages
 * @rm: Resource Manager
 */
struct device *gh_rm_device(struct gh_rm *rm)
{
	return rm->dev;
}

/**
 * gh_rm_own_vmid() - VMID of this VM
 * @rm: Resource Manager
 */
u16 gh_rm_own_vmid(struct gh_rm *rm)
{
	return rm->own_vmid;
}

static struct gh_rm *gh_rm_alloc(struct device *dev)
{
	struct gh_rm *rm = kzalloc(sizeof(*rm), GFP_KERNEL);

	if (!rm)
		return NULL;
	rm->dev = get_device(dev);
	kref_init(&rm->kref);
	mutex_init(&rm->send_lock);
	mutex_init(&rm->lock);
	mutex_init(&rm->vms_lock);
	INIT_LIST_HEAD(&rm->vms);
	INIT_LIST_HEAD(&rm->calls);
	BLOCKING_INIT_NOTIFIER_HEAD(&rm->notifiers);
	rm->msgq.dev = dev;
	rm->msgq.received = gh_rm_received;
	return rm;
}

/* reg holds the capabilities, interrupts the interrupts: to the Resource Manager, from it. */
static int gh_rm_read_queue(struct gh_rm *rm, struct gh_resource *queue, unsigned int index)
{
	int irq;
	int ret;

	ret = of_property_read_u64_index(rm->dev->of_node, "reg", index, &queue->capid);
	if (ret)
		return dev_err_probe(rm->dev, ret, "no capability %u in the device tree\n", index);

	irq = platform_get_irq(to_platform_device(rm->dev), index);
	if (irq < 0)
		return irq;
	queue->irq = irq;
	queue->type = index ? GH_RESOURCE_TYPE_MSGQ_RX : GH_RESOURCE_TYPE_MSGQ_TX;
	return 0;
}

static void gh_rm_put_action(void *rm)
{
	gh_rm_put(rm);
}

static void gh_rm_destroy_notifications(void *data)
{
	struct gh_rm *rm = data;

	destroy_workqueue(rm->notifications);
}

static void gh_rm_disconnect(void *data)
{
	struct gh_rm *rm = data;

	gh_rm_abort_calls(rm);
	gh_msgq_stop(&rm->msgq);
	/* A message that came in between. */
	gh_rm_abort_calls(rm);
}

static int gh_rm_connect(struct gh_rm *rm)
{
	int ret;

	ret = gh_rm_read_queue(rm, &rm->msgq.tx, 0);
	if (ret)
		return ret;
	ret = gh_rm_read_queue(rm, &rm->msgq.rx, 1);
	if (ret)
		return ret;

	rm->notifications = alloc_ordered_workqueue("gunyah_rm", 0);
	if (!rm->notifications)
		return -ENOMEM;
	ret = devm_add_action_or_reset(rm->dev, gh_rm_destroy_notifications, rm);
	if (ret)
		return ret;

	ret = gh_msgq_start(&rm->msgq);
	if (ret)
		return dev_err_probe(rm->dev, ret, "cannot use the message queues\n");
	return devm_add_action_or_reset(rm->dev, gh_rm_disconnect, rm);
}

static void gh_rm_debugfs_action(void *rm)
{
	gh_rm_debugfs_remove(rm);
}

static void gh_rm_deregister(void *data)
{
	struct gh_rm *rm = data;

	misc_deregister(&rm->miscdev);
}

static int gh_rm_register(struct gh_rm *rm)
{
	int ret;

	rm->miscdev.name = "gunyah";
	rm->miscdev.minor = MISC_DYNAMIC_MINOR;
	rm->miscdev.fops = &gh_dev_fops;
	rm->miscdev.parent = rm->dev;
	ret = misc_register(&rm->miscdev);
	if (ret)
		return dev_err_probe(rm->dev, ret, "cannot make /dev/gunyah\n");
	return devm_add_action_or_reset(rm->dev, gh_rm_deregister, rm);
}

/* What it sets up is undone in reverse order when the device is unbound, or if it fails. */
static int gh_rm_probe(struct platform_device *pdev)
{
	struct device *dev = &pdev->dev;
	struct gh_rm *rm;
	int ret;

	rm = gh_rm_alloc(dev);
	if (!rm)
		return -ENOMEM;
	ret = devm_add_action_or_reset(dev, gh_rm_put_action, rm);
	if (ret)
		return ret;

	ret = gh_rm_connect(rm);
	if (ret)
		return ret;
	ret = gh_rm_read_own_vmid(rm, &rm->own_vmid);
	if (ret)
		return dev_err_probe(dev, ret, "cannot get this VM's VMID\n");
	gh_rm_end_all(rm);

	gh_rm_debugfs_add(rm);
	ret = devm_add_action_or_reset(dev, gh_rm_debugfs_action, rm);
	if (ret)
		return ret;
	ret = gh_rm_register(rm);
	if (ret)
		return ret;

	platform_set_drvdata(pdev, rm);
	dev_info(dev, "connected to the Resource Manager; this is VM %u\n", rm->own_vmid);
	return 0;
}

/*
 * The kernel that kexec starts knows of no VM, and takes all memory for its own: none may be left
 * that is lent. If the machine is switched off, everything ends with it.
 */
static void gh_rm_shutdown(struct platform_device *pdev)
{
	struct gh_rm *rm = platform_get_drvdata(pdev);

	/* kexec says so too, before it begins. */
	if (system_state != SYSTEM_RESTART)
		return;
	gh_vm_end_all(rm);
	gh_rm_abort_calls(rm);
}

static const struct of_device_id gh_rm_of_match[] = {
	{ .compatible = "gunyah-resource-manager" },
	{}
};
MODULE_DEVICE_TABLE(of, gh_rm_of_match);

static struct platform_driver gh_rm_driver = {
	.probe = gh_rm_probe,
	.shutdown = gh_rm_shutdown,
	.driver = {
		.name = "gunyah_rsc_mgr",
		.of_match_table = gh_rm_of_match,
		/* Not to be unbound under running VMs; they hold the module. */
		.suppress_bind_attrs = true,
	},
};
module_platform_driver(gh_rm_driver);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Gunyah Resource Manager driver");
