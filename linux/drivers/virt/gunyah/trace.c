// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tracepoints of all Gunyah drivers: the functions' modules use them from here.
 */
/* The second argument went away in Linux 6.10, since it is the one that __string() has. */
#ifdef GUNYAH_COMPAT_ASSIGN_STR
#define gh_assign_str(dst, src)	__assign_str(dst, src)
#else
#define gh_assign_str(dst, src)	__assign_str(dst)
#endif

#define CREATE_TRACE_POINTS
#include "trace.h"

EXPORT_TRACEPOINT_SYMBOL_GPL(gh_vcpu_enter);
EXPORT_TRACEPOINT_SYMBOL_GPL(gh_vcpu_exit);
EXPORT_TRACEPOINT_SYMBOL_GPL(gh_irqfd_ring);
EXPORT_TRACEPOINT_SYMBOL_GPL(gh_ioeventfd_signal);
