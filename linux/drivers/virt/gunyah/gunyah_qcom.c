// SPDX-License-Identifier: GPL-2.0-only
/*
 * Platform hooks for Qualcomm: memory that other VMs get must be assigned to them by the
 * firmware as well, which does so by physical range and VMID.
 */
#define pr_fmt(fmt) "gunyah_qcom: " fmt

#include <linux/bits.h>
#include <linux/firmware/qcom/qcom_scm.h>
#include <linux/gunyah.h>
#include <linux/gunyah_rsc_mgr.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/slab.h>

/* The firmware knows VMIDs below this; it knows all others as one, the Resource Manager's. */
#define GH_QCOM_FIRST_MANAGED_VMID	0x40
#define GH_QCOM_VMID_RM_MANAGED		0x3a

static unsigned int gh_qcom_vmid(const struct gh_rm_mem_acl_entry *acl)
{
	const u16 vmid = le16_to_cpu(acl->vmid);

	return vmid < GH_QCOM_FIRST_MANAGED_VMID ? vmid : GH_QCOM_VMID_RM_MANAGED;
}

static int gh_qcom_perms(const struct gh_rm_mem_acl_entry *acl)
{
	return (acl->perms & GH_RM_ACL_X ? QCOM_SCM_PERM_EXEC : 0) |
	       (acl->perms & GH_RM_ACL_W ? QCOM_SCM_PERM_WRITE : 0) |
	       (acl->perms & GH_RM_ACL_R ? QCOM_SCM_PERM_READ : 0);
}

/* The parcel's VMs, as a set. */
static u64 gh_qcom_owners(const struct gh_rm_mem_parcel *parcel)
{
	u64 owners = 0;
	size_t i;

	for (i = 0; i < parcel->n_acl_entries; i++)
		owners |= BIT_ULL(gh_qcom_vmid(&parcel->acl_entries[i]));
	return owners;
}

/* Gives the first n ranges back to this VM. Goes on after an error and returns the last. */
static int gh_qcom_take_back(const struct gh_rm_mem_parcel *parcel, size_t n)
{
	const struct qcom_scm_vmperm ours = {
		.vmid = QCOM_SCM_VMID_HLOS,
		.perm = QCOM_SCM_PERM_EXEC | QCOM_SCM_PERM_WRITE | QCOM_SCM_PERM_READ,
	};
	int result = 0;
	u64 owners;
	size_t i;
	int ret;

	for (i = 0; i < n; i++) {
		owners = gh_qcom_owners(parcel);
		ret = qcom_scm_assign_mem(le64_to_cpu(parcel->mem_entries[i].phys_addr),
					  le64_to_cpu(parcel->mem_entries[i].size), &owners,
					  &ours, 1);
		if (ret)
			result = ret;
	}
	return result;
}

static int gh_qcom_pre_mem_share(struct gh_rm *rm, struct gh_rm_mem_parcel *parcel)
{
	struct qcom_scm_vmperm *perms;
	u64 owners;
	size_t i;
	int ret = 0;

	perms = kcalloc(parcel->n_acl_entries, sizeof(*perms), GFP_KERNEL);
	if (!perms)
		return -ENOMEM;
	for (i = 0; i < parcel->n_acl_entries; i++) {
		perms[i].vmid = gh_qcom_vmid(&parcel->acl_entries[i]);
		perms[i].perm = gh_qcom_perms(&parcel->acl_entries[i]);
	}

	for (i = 0; i < parcel->n_mem_entries && !ret; i++) {
		owners = BIT_ULL(QCOM_SCM_VMID_HLOS);
		ret = qcom_scm_assign_mem(le64_to_cpu(parcel->mem_entries[i].phys_addr),
					  le64_to_cpu(parcel->mem_entries[i].size), &owners,
					  perms, parcel->n_acl_entries);
	}
	kfree(perms);
	/* The one that failed was not given. */
	if (ret && gh_qcom_take_back(parcel, i - 1)) {
		pr_err("memory region %u: the firmware does not give it back\n", parcel->label);
		parcel->state = GH_RM_MEM_UNKNOWN;
	}
	return ret;
}

static int gh_qcom_post_mem_reclaim(struct gh_rm *rm, struct gh_rm_mem_parcel *parcel)
{
	return gh_qcom_take_back(parcel, parcel->n_mem_entries);
}

static const struct gh_rm_platform_ops gh_qcom_platform_ops = {
	.owner = THIS_MODULE,
	.pre_mem_share = gh_qcom_pre_mem_share,
	.post_mem_reclaim = gh_qcom_post_mem_reclaim,
};

static int __init gh_qcom_init(void)
{
	if (!arch_gh_is_qcom())
		return -ENODEV;
	return gh_rm_register_platform_ops(&gh_qcom_platform_ops);
}
module_init(gh_qcom_init);

static void __exit gh_qcom_exit(void)
{
	gh_rm_unregister_platform_ops(&gh_qcom_platform_ops);
}
module_exit(gh_qcom_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Gunyah platform hooks for Qualcomm");
