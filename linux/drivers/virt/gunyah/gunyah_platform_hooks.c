// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hooks for platforms where memory needs more than the Resource Manager's consent
 * to be shared, such as those with access control in the firmware.
 */
#include <linux/device.h>
#include <linux/gunyah_rsc_mgr.h>
#include <linux/module.h>
#include <linux/rwsem.h>

static DECLARE_RWSEM(gh_rm_platform_lock);
/* At most one; guarded by gh_rm_platform_lock. */
static const struct gh_rm_platform_ops *gh_rm_platform_ops;

/**
 * gh_rm_platform_pre_mem_share() - Prepare memory to be shared
 * @rm: Resource Manager
 * @parcel: The memory
 *
 * The hooks in force now stay responsible for this parcel until
 * gh_rm_platform_post_mem_reclaim().
 *
 * Return: 0 or an error; then it must not be shared.
 */
int gh_rm_platform_pre_mem_share(struct gh_rm *rm, struct gh_rm_mem_parcel *parcel)
{
	const struct gh_rm_platform_ops *ops;
	int ret = 0;

	parcel->platform_ops = NULL;

	down_read(&gh_rm_platform_lock);
	ops = gh_rm_platform_ops;
	if (ops && !try_module_get(ops->owner))
		ret = -ENODEV;
	up_read(&gh_rm_platform_lock);
	if (!ops || ret)
		return ret;

	if (ops->pre_mem_share)
		ret = ops->pre_mem_share(rm, parcel);
	if (ret)
		module_put(ops->owner);
	else
		parcel->platform_ops = ops;
	return ret;
}
EXPORT_SYMBOL_GPL(gh_rm_platform_pre_mem_share);

/**
 * gh_rm_platform_post_mem_reclaim() - Undo gh_rm_platform_pre_mem_share()
 * @rm: Resource Manager
 * @parcel: The memory
 *
 * Return: 0 or an error; then the memory must not be used.
 */
int gh_rm_platform_post_mem_reclaim(struct gh_rm *rm, struct gh_rm_mem_parcel *parcel)
{
	const struct gh_rm_platform_ops *ops = parcel->platform_ops;
	int ret = 0;

	if (!ops)
		return 0;

	if (ops->post_mem_reclaim)
		ret = ops->post_mem_reclaim(rm, parcel);
	if (ret)
		return ret;

	parcel->platform_ops = NULL;
	module_put(ops->owner);
	return 0;
}
EXPORT_SYMBOL_GPL(gh_rm_platform_post_mem_reclaim);

/**
 * gh_rm_register_platform_ops() - Install the platform's hooks
 * @ops: Valid as long as its owner is loaded
 *
 * Return: 0, or -EEXIST if there are hooks.
 */
int gh_rm_register_platform_ops(const struct gh_rm_platform_ops *ops)
{
	int ret = 0;

	down_write(&gh_rm_platform_lock);
	if (gh_rm_platform_ops)
		ret = -EEXIST;
	else
		gh_rm_platform_ops = ops;
	up_write(&gh_rm_platform_lock);
	return ret;
}
EXPORT_SYMBOL_GPL(gh_rm_register_platform_ops);

/**
 * gh_rm_unregister_platform_ops() - Remove the platform's hooks
 * @ops: What was registered
 */
void gh_rm_unregister_platform_ops(const struct gh_rm_platform_ops *ops)
{
	down_write(&gh_rm_platform_lock);
	if (gh_rm_platform_ops == ops)
		gh_rm_platform_ops = NULL;
	up_write(&gh_rm_platform_lock);
}
EXPORT_SYMBOL_GPL(gh_rm_unregister_platform_ops);

static void gh_rm_unregister_platform_ops_action(void *ops)
{
	gh_rm_unregister_platform_ops(ops);
}

/**
 * devm_gh_rm_register_platform_ops() - Install the platform's hooks while a device is bound
 * @dev: The device
 * @ops: Valid as long as its owner is loaded
 */
int devm_gh_rm_register_platform_ops(struct device *dev, const struct gh_rm_platform_ops *ops)
{
	int ret = gh_rm_register_platform_ops(ops);

	if (ret)
		return ret;
	return devm_add_action_or_reset(dev, gh_rm_unregister_platform_ops_action, (void *)ops);
}
EXPORT_SYMBOL_GPL(devm_gh_rm_register_platform_ops);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Gunyah platform hooks");
