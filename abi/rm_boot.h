/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * What the hypervisor tells the Resource Manager at its first instruction.
 *
 * The Resource Manager is entered at GH_RM_IPA_BASE, the start of its image, at
 * EL1 with MMU off, interrupts masked, x0 = intermediate physical address (IPA)
 * of this structure. Its memory is one range of normal memory that starts
 * there; nothing else is mapped. It maps what it needs with addrspace_map and
 * attaches its own virtual GIC with addrspace_attach_vdevice.
 */
#ifndef GUNYAH_ABI_RM_BOOT_H
#define GUNYAH_ABI_RM_BOOT_H

#include <stdint.h>

#define GH_RM_BOOT_MAGIC 0x746f6f626d722d67ull /* "g-rmboot", little-endian */
#define GH_RM_BOOT_VERSION 1u
#define GH_RM_BOOT_MAX_RAM 16u
#define GH_RM_IPA_BASE 0x80000000u /* link address of the Resource Manager */
#define GH_RM_BOOT_MAX_RESERVED 8u

/* The first bytes of the image, which is entered at its first instruction. */
struct gh_rm_image_header {
    uint32_t branch;
    uint32_t reserved;
    uint64_t memory_size; /* of the image in memory; what the file lacks of it is zero */
};

struct gh_rm_boot_range {
    uint64_t base; /* physical address, 4 KiB aligned */
    uint64_t size; /* bytes, 4 KiB multiple */
};

struct gh_rm_boot_ram {
    struct gh_rm_boot_range range;
    uint64_t extent_cap; /* sparse memory extent that covers exactly this range */
};

struct gh_rm_boot {
    uint64_t magic;
    uint32_t version;
    uint32_t cpu_count; /* physical CPUs the hypervisor runs on; CPU index 0..n-1 */

    /* Capabilities in the Resource Manager's own capability space, all rights. */
    uint64_t partition_cap;
    uint64_t cspace_cap;
    uint64_t addrspace_cap;
    uint64_t vcpu_cap;
    uint64_t vic_cap;
    uint64_t device_extent_cap; /* basic extent: every physical address that is no RAM */
    /* Capability of the hardware interrupt with GIC INTID i is hwirq_caps[i - 32], at this IPA. */
    uint64_t hwirq_caps_ipa;
    uint32_t hwirq_count; /* SPIs 32 .. 32 + hwirq_count - 1 */
    uint32_t ram_count;
    struct gh_rm_boot_ram ram[GH_RM_BOOT_MAX_RAM];

    /* The Resource Manager's own memory: image at its start, then free for stack and heap. */
    struct gh_rm_boot_range memory; /* IPA; memory.base == GH_RM_IPA_BASE */
    uint64_t free_base;             /* IPA: first byte behind image, boot data and DTB */

    /* The firmware's device tree, a copy within `memory`. */
    uint64_t dtb_ipa;
    uint64_t dtb_size;

    /* Physical ranges kept by the hypervisor: neither RAM nor device of any VM. */
    uint32_t reserved_count;
    uint32_t flags; /* bit 0: a physical ITS exists and is kept from VMs */
    struct gh_rm_boot_range reserved[GH_RM_BOOT_MAX_RESERVED];

    uint64_t dtb_pa; /* where firmware left the DTB: ordinary RAM now */
    /* MPIDR affinity (Aff3..Aff0 as in MPIDR_EL1) of each CPU index. */
    uint64_t cpu_mpidr[64];
};

#define GH_RM_BOOT_FLAG_ITS 1u

#endif
