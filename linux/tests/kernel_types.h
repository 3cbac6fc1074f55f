/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What kernel code takes for granted, for the host tests.
 */
#ifndef GUNYAH_TESTS_KERNEL_TYPES_H
#define GUNYAH_TESTS_KERNEL_TYPES_H

#include <linux/types.h>
#include <stddef.h>
#include <string.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;

#endif
