/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * The Resource Manager's RPC protocol: numbers and layouts on the wire.
 *
 * All integers are little-endian. Source: the public patch series "Drivers for
 * gunyah hypervisor" v11 (rsc_mgr*.c) and the public Resource Manager.
 */
#ifndef GUNYAH_ABI_RM_RPC_H
#define GUNYAH_ABI_RM_RPC_H

#include <stdint.h>

/* Header: u8 api, u8 type | fragments << 2, u16 sequence, u32 message id. */
#define GH_RM_RPC_API 0x21u
#define GH_RM_RPC_HEADER_SIZE 8u
#define GH_RM_RPC_REPLY_HEADER_SIZE 12u
#define GH_RM_RPC_TYPE_MASK 0x3u
#define GH_RM_RPC_FRAGMENTS_SHIFT 2
#define GH_RM_RPC_MAX_FRAGMENTS 62u
#define GH_RM_RPC_MESSAGE_SIZE 240u
#define GH_RM_RPC_PAYLOAD_SIZE 232u
#define GH_RM_RPC_CONTINUATION 0u
#define GH_RM_RPC_REQUEST 1u
#define GH_RM_RPC_REPLY 2u
#define GH_RM_RPC_NOTIFICATION 3u

#define GH_RM_MEM_DONATE 0x51000010u
#define GH_RM_MEM_ACCEPT 0x51000011u
#define GH_RM_MEM_LEND 0x51000012u
#define GH_RM_MEM_SHARE 0x51000013u
#define GH_RM_MEM_RELEASE 0x51000014u
#define GH_RM_MEM_RECLAIM 0x51000015u
#define GH_RM_MEM_NOTIFY 0x51000017u
#define GH_RM_MEM_APPEND 0x51000018u
#define GH_RM_VM_ALLOC_VMID 0x56000001u
#define GH_RM_VM_DEALLOC_VMID 0x56000002u
#define GH_RM_VM_START 0x56000004u
#define GH_RM_VM_STOP 0x56000005u
#define GH_RM_VM_RESET 0x56000006u
#define GH_RM_VM_CONFIG_IMAGE 0x56000009u
#define GH_RM_VM_INIT 0x5600000bu
#define GH_RM_VM_GET_HYP_RESOURCES 0x56000020u
#define GH_RM_VM_GET_VMID 0x56000024u
#define GH_RM_VM_SET_FIRMWARE_MEM 0x56000032u
#define GH_RM_NOTIF_VM_EXITED 0x56100001u
#define GH_RM_NOTIF_VM_SHUTDOWN 0x56100002u
#define GH_RM_NOTIF_VM_STATUS 0x56100008u
/*
 * Ours, for the primary VM alone: empty request; reply u32 n, then n entries
 * of { char name[24], NUL padded; u64 value }.
 */
#define GH_RM_GET_COUNTERS 0x5600ff01u
#define GH_RM_COUNTER_NAME_SIZE 24u
/*
 * Ours, for the primary VM alone: empty request; empty reply. Its VMs end, whatever state they are
 * in, and are gone without a notification; its parcels are reclaimed. A driver that starts has
 * none, so what there is belongs to a kernel that is no more.
 */
#define GH_RM_END_ALL 0x5600ff02u

#define GH_RM_ERROR_OK 0u
#define GH_RM_ERROR_UNIMPLEMENTED 0xffffffffu
#define GH_RM_ERROR_NOMEM 0x1u
#define GH_RM_ERROR_NORESOURCE 0x2u
#define GH_RM_ERROR_DENIED 0x3u
#define GH_RM_ERROR_INVALID 0x4u
#define GH_RM_ERROR_BUSY 0x5u
#define GH_RM_ERROR_ARGUMENT_INVALID 0x6u
#define GH_RM_ERROR_HANDLE_INVALID 0x7u
#define GH_RM_ERROR_VALIDATE_FAILED 0x8u
#define GH_RM_ERROR_MAP_FAILED 0x9u
#define GH_RM_ERROR_MEM_INVALID 0xau
#define GH_RM_ERROR_MEM_INUSE 0xbu
#define GH_RM_ERROR_MEM_RELEASED 0xcu
#define GH_RM_ERROR_VMID_INVALID 0xdu
#define GH_RM_ERROR_LOOKUP_FAILED 0xeu
#define GH_RM_ERROR_IRQ_INVALID 0xfu
#define GH_RM_ERROR_IRQ_INUSE 0x10u
#define GH_RM_ERROR_IRQ_RELEASED 0x11u
#define GH_RM_ERROR_IN_USE 0x12u
#define GH_RM_ERROR_IRQ_NOT_MAPPED 0x13u
#define GH_RM_ERROR_VM_STATE 0x14u

#define GH_RM_VM_STOP_FORCE 1u
#define GH_RM_AUTH_NONE 0u
#define GH_RM_AUTH_ANDROID_PVM 2u
#define GH_RM_MEM_TYPE_NORMAL 0u
#define GH_RM_MEM_FLAG_SANITIZE 1u
#define GH_RM_MEM_FLAG_APPEND 2u
#define GH_RM_MEM_APPEND_END 1u
#define GH_RM_MEM_MAX_ENTRIES 512u

#define GH_RM_RESOURCE_BELL_TX 0u
#define GH_RM_RESOURCE_BELL_RX 1u
#define GH_RM_RESOURCE_MSGQ_TX 2u
#define GH_RM_RESOURCE_MSGQ_RX 3u
#define GH_RM_RESOURCE_VCPU 4u
#define GH_RM_RESOURCE_SIZE 44u

#define GH_RM_VM_STATUS_NO_STATE 0u
#define GH_RM_VM_STATUS_INIT 1u
#define GH_RM_VM_STATUS_READY 2u
#define GH_RM_VM_STATUS_RUNNING 3u
#define GH_RM_VM_STATUS_PAUSED 4u
#define GH_RM_VM_STATUS_LOAD 5u
#define GH_RM_VM_STATUS_AUTH 6u
#define GH_RM_VM_STATUS_INIT_FAILED 8u
#define GH_RM_VM_STATUS_EXITED 9u
#define GH_RM_VM_STATUS_RESETTING 10u
#define GH_RM_VM_STATUS_RESET 11u

#define GH_RM_EXIT_VM_EXIT 0u
#define GH_RM_EXIT_PLATFORM_OFF 1u
#define GH_RM_EXIT_PLATFORM_RESET 2u
#define GH_RM_EXIT_SYSTEM_RESET2 3u
#define GH_RM_EXIT_WATCHDOG_BITE 4u
#define GH_RM_EXIT_SOFTWARE_ERROR 5u
#define GH_RM_EXIT_ASYNC_HW_ERROR 6u
#define GH_RM_EXIT_STOP_FORCED 7u

#define GH_VMID_RM 0xffu
#define GH_VMID_PRIMARY 0x3u
#define GH_VMID_FIRST_DYNAMIC 0x80u

#endif
