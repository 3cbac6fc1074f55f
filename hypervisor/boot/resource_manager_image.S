// SPDX-License-Identifier: BSD-3-Clause
// The Resource Manager's flat binary, as data of the hypervisor (page-aligned, read-only).

    .section .resource_manager, "a"
    .balign 4096
    .global resource_manager_start, resource_manager_end
resource_manager_start:
    .incbin RESOURCE_MANAGER_BINARY
resource_manager_end:
