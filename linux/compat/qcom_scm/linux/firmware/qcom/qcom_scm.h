/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * <linux/firmware/qcom/qcom_scm.h> as of Linux 6.5, for kernels where it stood elsewhere and
 * knew VMIDs up to 31 only.
 */
#ifndef _GUNYAH_COMPAT_QCOM_SCM_H
#define _GUNYAH_COMPAT_QCOM_SCM_H

#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/qcom_scm.h>

static inline int gh_compat_scm_assign_mem(phys_addr_t addr, size_t size, u64 *owners,
					   const struct qcom_scm_vmperm *perms, unsigned int n)
{
	unsigned int narrow = lower_32_bits(*owners);
	unsigned int i;
	int ret;

	/* What cannot be taken back must not be given. */
	if (upper_32_bits(*owners))
		return -EOPNOTSUPP;
	for (i = 0; i < n; i++) {
		if (perms[i].vmid >= 32)
			return -EOPNOTSUPP;
	}
	ret = qcom_scm_assign_mem(addr, size, &narrow, perms, n);
	*owners = narrow;
	return ret;
}

#define qcom_scm_assign_mem	gh_compat_scm_assign_mem

#endif
