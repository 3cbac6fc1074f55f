/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vm_flags_set() as of Linux 6.3, for kernels without it.
 */
#ifndef _GUNYAH_COMPAT_VM_FLAGS_H
#define _GUNYAH_COMPAT_VM_FLAGS_H

#include <linux/mm.h>

/* The caller holds the mmap lock for writing, or nobody else sees the area yet. */
static inline void vm_flags_set(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags |= flags;
}

#endif
