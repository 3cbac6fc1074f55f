/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * eventfd_signal() as of Linux 6.8, for kernels where it takes a count.
 */
#ifndef _GUNYAH_COMPAT_EVENTFD_SIGNAL_H
#define _GUNYAH_COMPAT_EVENTFD_SIGNAL_H

#include <linux/eventfd.h>

#define eventfd_signal(ctx)	eventfd_signal(ctx, 1)

#endif
