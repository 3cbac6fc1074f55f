/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * What the hypervisor writes at the start of a VM's information area
 * (addrspace_configure_info_area). The public document leaves the content open:
 * this layout is ours. The VM sees it read-only.
 */
#ifndef GUNYAH_ABI_INFO_AREA_H
#define GUNYAH_ABI_INFO_AREA_H

#include <stdint.h>

#define GH_INFO_AREA_MAGIC 0x61666e69u /* "infa", little-endian */
#define GH_INFO_AREA_VERSION 1u

struct gh_info_area {
    uint32_t magic;
    uint32_t version;
    uint64_t size;     /* bytes of this structure */
    uint64_t api_info; /* as hypervisor_identify's first result */
    uint64_t vmid;     /* as addrspace_configure's argument */
};

#endif
