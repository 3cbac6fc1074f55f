/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * The Gunyah hypercall numbers, for C and C++.
 *
 * Source: the public "Gunyah API" document. A call n is made either by
 * `hvc #(0x6000 + n)` with arguments from x0, or by SMCCC `hvc #0` with
 * x0 = GH_SMCCC_BASE + n and arguments from x1. The result is an error code
 * in x0 (see error.h), further results follow from x1.
 */
#ifndef GUNYAH_ABI_HYPERCALL_H
#define GUNYAH_ABI_HYPERCALL_H

#define GH_HVC_IMM_BASE 0x6000u
#define GH_HVC_IMM_LAST 0x61ffu
/* SMCCC fast call, 64-bit, owner 6 (vendor-specific hypervisor), function 0x8000 + n. */
#define GH_SMCCC_BASE 0xc6008000u
#define GH_SMCCC_LAST 0xc60081ffu

#define GH_HYPERVISOR_IDENTIFY 0x00u
#define GH_PARTITION_CREATE_PARTITION 0x01u
#define GH_PARTITION_CREATE_CSPACE 0x02u
#define GH_PARTITION_CREATE_ADDRSPACE 0x03u
#define GH_PARTITION_CREATE_MEMEXTENT 0x04u
#define GH_PARTITION_CREATE_THREAD 0x05u
#define GH_PARTITION_CREATE_DOORBELL 0x06u
#define GH_PARTITION_CREATE_MSGQUEUE 0x07u
#define GH_PARTITION_CREATE_WATCHDOG 0x09u
#define GH_PARTITION_CREATE_VIC 0x0au
#define GH_PARTITION_CREATE_VPM_GROUP 0x0bu
#define GH_OBJECT_ACTIVATE 0x0cu
#define GH_OBJECT_ACTIVATE_FROM 0x0du
#define GH_OBJECT_RESET 0x0eu
#define GH_OBJECT_RESET_FROM 0x0fu
#define GH_DOORBELL_BIND_VIRQ 0x10u
#define GH_DOORBELL_UNBIND_VIRQ 0x11u
#define GH_DOORBELL_SEND 0x12u
#define GH_DOORBELL_RECEIVE 0x13u
#define GH_DOORBELL_RESET 0x14u
#define GH_DOORBELL_MASK 0x15u
#define GH_MSGQUEUE_BIND_SEND_VIRQ 0x17u
#define GH_MSGQUEUE_BIND_RECEIVE_VIRQ 0x18u
#define GH_MSGQUEUE_UNBIND_SEND_VIRQ 0x19u
#define GH_MSGQUEUE_UNBIND_RECEIVE_VIRQ 0x1au
#define GH_MSGQUEUE_SEND 0x1bu
#define GH_MSGQUEUE_RECEIVE 0x1cu
#define GH_MSGQUEUE_FLUSH 0x1du
#define GH_MSGQUEUE_CONFIGURE_SEND 0x1fu
#define GH_MSGQUEUE_CONFIGURE_RECEIVE 0x20u
#define GH_MSGQUEUE_CONFIGURE 0x21u
#define GH_CSPACE_DELETE_CAP_FROM 0x22u
#define GH_CSPACE_COPY_CAP_FROM 0x23u
#define GH_CSPACE_REVOKE_CAP_FROM 0x24u
#define GH_CSPACE_CONFIGURE 0x25u
#define GH_HWIRQ_BIND_VIRQ 0x26u
#define GH_HWIRQ_UNBIND_VIRQ 0x27u
#define GH_VIC_CONFIGURE 0x28u
#define GH_VIC_ATTACH_VCPU 0x29u
#define GH_ADDRSPACE_ATTACH_THREAD 0x2au
#define GH_ADDRSPACE_MAP 0x2bu
#define GH_ADDRSPACE_UNMAP 0x2cu
#define GH_ADDRSPACE_UPDATE_ACCESS 0x2du
#define GH_ADDRSPACE_CONFIGURE 0x2eu
#define GH_ADDRSPACE_ATTACH_VDMA 0x2fu
#define GH_MEMEXTENT_MODIFY 0x30u
#define GH_MEMEXTENT_CONFIGURE 0x31u
#define GH_MEMEXTENT_CONFIGURE_DERIVE 0x32u
#define GH_MEMEXTENT_DONATE 0x33u
#define GH_VCPU_CONFIGURE 0x34u
#define GH_VCPU_POWERON 0x38u
#define GH_VCPU_POWEROFF 0x39u
#define GH_VCPU_KILL 0x3au
#define GH_SCHEDULER_YIELD 0x3bu
#define GH_VPM_GROUP_ATTACH_VCPU 0x3cu
#define GH_VCPU_SET_AFFINITY 0x3du
#define GH_CSPACE_ATTACH_THREAD 0x3eu
#define GH_TRACE_UPDATE_CLASS_FLAGS 0x3fu
#define GH_WATCHDOG_ATTACH_VCPU 0x40u
#define GH_WATCHDOG_BIND_VIRQ 0x41u
#define GH_WATCHDOG_UNBIND_VIRQ 0x42u
#define GH_VPM_GROUP_BIND_VIRQ 0x43u
#define GH_VPM_GROUP_UNBIND_VIRQ 0x44u
#define GH_VPM_GROUP_GET_STATE 0x45u
#define GH_VCPU_SET_PRIORITY 0x46u
#define GH_VCPU_SET_TIMESLICE 0x47u
#define GH_PARTITION_CREATE_VIRTIO_MMIO 0x48u
#define GH_VIRTIO_MMIO_CONFIGURE 0x49u
#define GH_VIRTIO_MMIO_BIND_BACKEND_VIRQ 0x4au
#define GH_VIRTIO_MMIO_UNBIND_BACKEND_VIRQ 0x4bu
#define GH_VIRTIO_MMIO_BIND_FRONTEND_VIRQ 0x4cu
#define GH_VIRTIO_MMIO_UNBIND_FRONTEND_VIRQ 0x4du
#define GH_VIRTIO_MMIO_BACKEND_ASSERT_VIRQ 0x4eu
#define GH_VIRTIO_MMIO_BACKEND_SET_DEV_FEATURES 0x4fu
#define GH_VIRTIO_MMIO_BACKEND_SET_QUEUE_NUM_MAX 0x50u
#define GH_VIRTIO_MMIO_BACKEND_GET_DRV_FEATURES 0x51u
#define GH_VIRTIO_MMIO_BACKEND_GET_QUEUE_INFO 0x52u
#define GH_VIRTIO_MMIO_BACKEND_GET_NOTIFICATION 0x53u
#define GH_VIRTIO_MMIO_BACKEND_ACKNOWLEDGE_RESET 0x54u
#define GH_VIRTIO_MMIO_BACKEND_SET_STATUS 0x55u
#define GH_VIC_BIND_MSI_SOURCE 0x56u
#define GH_PRNG_GET_ENTROPY 0x57u
#define GH_WATCHDOG_CONFIGURE 0x58u
#define GH_CSPACE_REVOKE_CAPS_FROM 0x59u
#define GH_ADDRSPACE_LOOKUP 0x5au
#define GH_ADDRSPACE_CONFIGURE_INFO_AREA 0x5bu
#define GH_VCPU_BIND_VIRQ 0x5cu
#define GH_VCPU_UNBIND_VIRQ 0x5du
#define GH_VIRTIO_INPUT_CONFIGURE 0x5eu
#define GH_VIRTIO_INPUT_SET_DATA 0x5fu
#define GH_ADDRSPACE_CONFIGURE_VMMIO 0x60u
#define GH_ADDRSPACE_ATTACH_VDEVICE 0x62u
#define GH_WATCHDOG_MANAGE 0x63u
#define GH_VCPU_REGISTER_WRITE 0x64u
#define GH_VCPU_RUN 0x65u
#define GH_VPM_GROUP_CONFIGURE 0x66u
#define GH_VCPU_RUN_CHECK 0x68u
/* Later public drivers (v15-v17) call donate by this number; the same call as 0x33. */
#define GH_MEMEXTENT_DONATE_V15 0x61u

/*
 * Ours, outside the public range in use: all need a capability to the root
 * partition with all rights, which only the Resource Manager holds.
 * QUERY_COUNTER: x1 partition, x2 index (enum gh_counter) -> x1 value.
 * TRACE_READ: x1 partition, x2 CPU index, x3 position -> x1 position, x2 time in counter ticks,
 * x3 class in 39:32 and event in 31:0, x4 argument: the oldest record there is at or behind that
 * position; error IDLE: none.
 * CONSOLE_WRITE: x1 partition, x2 length 0..32, x3..x6 the bytes, little-endian.
 */
#define GH_EXT_QUERY_COUNTER 0xf0u
#define GH_EXT_CONSOLE_WRITE 0xf1u
#define GH_EXT_TRACE_READ 0xf2u
#define GH_EXT_DOORBELL_RING 0xf3u

enum gh_counter {
    GH_COUNTER_OBJECTS = 0, /* live hypervisor objects of any type */
    GH_COUNTER_VCPUS = 1,
    GH_COUNTER_ADDRSPACES = 2,
    GH_COUNTER_MEMEXTENTS = 3,
    GH_COUNTER_CAPABILITIES = 4,     /* used slots over all capability spaces */
    GH_COUNTER_PAGE_TABLE_PAGES = 5, /* 4 KiB pages in stage-2 tables */
    GH_COUNTER_HEAP_PAGES_USED = 6,  /* 4 KiB pages taken from the hypervisor's pool */
    GH_COUNTER_HEAP_PAGES_TOTAL = 7,
    GH_COUNTER_COUNT = 8,
};

/* hypervisor_identify results. */
#define GH_API_VERSION 1u
#define GH_API_INFO_64BIT (1ull << 15)
#define GH_API_VARIANT_SHIFT 56
/* What we answer: the variant of public builds, which clients print. */
#define GH_API_INFO (GH_API_VERSION | GH_API_INFO_64BIT | (0x48ull << GH_API_VARIANT_SHIFT))
#define GH_FEATURE_PARTITION_CSPACE (1u << 0)
#define GH_FEATURE_DOORBELL (1u << 1)
#define GH_FEATURE_MSGQUEUE (1u << 2)
#define GH_FEATURE_VIC (1u << 3)
#define GH_FEATURE_VPM (1u << 4)
#define GH_FEATURE_VCPU (1u << 5)
#define GH_FEATURE_MEMEXTENT (1u << 6)
#define GH_FEATURE_TRACE (1u << 7)
/* Fourth result: our extensions that any VM may use. */
#define GH_EXT_FEATURE_DOORBELL_RING (1u << 0)

/* msgqueue_send flags. */
#define GH_MSGQUEUE_SEND_PUSH 1u
#define GH_MSGQUEUE_MAX_MESSAGE_SIZE 240u

/* addrspace_map attributes and flags. Access rights are R 4, W 2, X 1. */
#define GH_ACCESS_X 1u
#define GH_ACCESS_W 2u
#define GH_ACCESS_R 4u
#define GH_ACCESS_RW 6u
#define GH_ACCESS_RX 5u
#define GH_ACCESS_RWX 7u
#define GH_MAP_ATTR_USER_SHIFT 0
#define GH_MAP_ATTR_KERNEL_SHIFT 4
#define GH_MAP_ATTR_MEMTYPE_SHIFT 16
#define GH_MAP_FLAG_PARTIAL (1u << 0)
#define GH_MAP_FLAG_NOSYNC (1u << 31)
/*
 * Memory types of a mapping: the stage-2 MemAttr encoding of Arm ARM D8.6
 * (device nGnRnE 0, nGnRE 1, nGRE 2, GRE 3, normal non-cacheable 5, write-back 15).
 */
#define GH_MAP_MEMTYPE_DEVICE_NGNRNE 0u
#define GH_MAP_MEMTYPE_DEVICE_NGNRE 1u
#define GH_MAP_MEMTYPE_NORMAL_NC 5u
#define GH_MAP_MEMTYPE_NORMAL_WB 15u

/* Memory extent attributes. */
#define GH_MEMEXTENT_ATTR_ACCESS_SHIFT 0
#define GH_MEMEXTENT_ATTR_MEMTYPE_SHIFT 8
#define GH_MEMEXTENT_ATTR_TYPE_SHIFT 16
#define GH_MEMEXTENT_MEMTYPE_ANY 0u
#define GH_MEMEXTENT_MEMTYPE_DEVICE 1u
#define GH_MEMEXTENT_MEMTYPE_UNCACHED 2u
#define GH_MEMEXTENT_MEMTYPE_CACHED 3u
#define GH_MEMEXTENT_TYPE_BASIC 0u
#define GH_MEMEXTENT_TYPE_SPARSE 1u
#define GH_MEMEXTENT_MODIFY_UNMAP_ALL 0u
#define GH_MEMEXTENT_MODIFY_ZERO_RANGE 1u
#define GH_MEMEXTENT_MODIFY_CACHE_CLEAN_RANGE 2u
#define GH_MEMEXTENT_MODIFY_CACHE_FLUSH_RANGE 3u
#define GH_MEMEXTENT_MODIFY_SYNC_ALL 255u
#define GH_MEMEXTENT_MODIFY_NOSYNC (1u << 31)
#define GH_MEMEXTENT_DONATE_TO_CHILD 0u
#define GH_MEMEXTENT_DONATE_TO_PARENT 1u
#define GH_MEMEXTENT_DONATE_TO_SIBLING 2u

#define GH_VMMIO_ADD_RANGE 0u
#define GH_VMMIO_REMOVE_RANGE 1u

/* vcpu_run states (see the public document; FAULT carries no documented data). */
#define GH_VCPU_STATE_READY 0u
#define GH_VCPU_STATE_EXPECTS_WAKEUP 1u
#define GH_VCPU_STATE_POWERED_OFF 2u
#define GH_VCPU_STATE_BLOCKED 3u
#define GH_VCPU_STATE_VMMIO_READ 4u
#define GH_VCPU_STATE_VMMIO_WRITE 5u
#define GH_VCPU_STATE_FAULT 6u
#define GH_VCPU_STATE_PSCI_SYSTEM_RESET 0x100u
/* Ours: data 1 of FAULT tells a watchdog's bite from an error of the hardware, which has 0. */
#define GH_VCPU_FAULT_WATCHDOG_BITE 1u
#define GH_VCPU_POWEROFF_RECOVERABLE 0u
#define GH_VCPU_POWEROFF_TERMINATED 1u

/* vcpu_bind_virq types: HALT tells a manager that run_check has news. */
#define GH_VCPU_VIRQ_HALT 0u
#define GH_VCPU_VIRQ_RUN_WAKEUP 1u

#define GH_VCPU_POWERON_PRESERVE_ENTRY (1u << 0)
#define GH_VCPU_POWERON_PRESERVE_CONTEXT (1u << 1)
#define GH_VCPU_POWEROFF_LAST (1u << 0)
#define GH_VCPU_REGISTER_SET_X 0u
#define GH_VCPU_REGISTER_SET_PC 1u
#define GH_VCPU_REGISTER_SET_SP_EL 2u
/* Ours, docs/interfaces.md: index 0 is the IPA of the stolen-time structure (Arm DEN0057). */
#define GH_VCPU_REGISTER_SET_EXT_PV_TIME 0x100u
#define GH_VCPU_OPTION_DEBUG (1u << 0)
#define GH_VCPU_OPTION_HLOS (1u << 1)
/* Ours, docs/interfaces.md: what the vCPU may use. Where the CPU lacks it, so does the vCPU. */
#define GH_VCPU_OPTION_EXT_SVE (1ull << 32)
#define GH_VCPU_OPTION_EXT_PMU (1ull << 33)
#define GH_VCPU_OPTION_EXT_ALL (GH_VCPU_OPTION_EXT_SVE | GH_VCPU_OPTION_EXT_PMU)
#define GH_VCPU_PRIORITY_MAX 63u
#define GH_VCPU_PRIORITY_DEFAULT 32u
#define GH_VCPU_TIMESLICE_DEFAULT_NS 5000000u
#define GH_VCPU_TIMESLICE_MIN_NS 1000000u
#define GH_VCPU_TIMESLICE_MAX_NS 100000000u
/* vcpu_set_affinity: no physical CPU in particular. */
#define GH_CPU_INDEX_ANY (~0ull)
/* scheduler_yield: control. */
#define GH_YIELD_GENERIC 0u
#define GH_YIELD_TO_THREAD 1u
#define GH_YIELD_TO_LOWER_PRIORITY 2u

#define GH_VPM_GROUP_OPTION_NO_AGGREGATION (1u << 0)

/* Watchdogs: option and bind flags, operations of watchdog_manage. */
#define GH_WATCHDOG_OPTION_CRITICAL_BITE (1u << 0)
#define GH_WATCHDOG_BIND_BITE (1u << 0)
#define GH_WATCHDOG_MANAGE_FREEZE 0u
#define GH_WATCHDOG_MANAGE_FREEZE_AND_RESET 1u
#define GH_WATCHDOG_MANAGE_UNFREEZE 2u

/* virtio_mmio_configure's flags and device types; interrupts; backend_get_notification's reasons.
 */
#define GH_VIRTIO_OPTION_TYPE_VALID (1u << 6)
#define GH_VIRTIO_DEVICE_INPUT 18u
#define GH_VIRTIO_NOTIFY_NEW_BUFFER (1u << 0)
#define GH_VIRTIO_NOTIFY_RESET (1u << 1)
#define GH_VIRTIO_NOTIFY_DRIVER_OK (1u << 3)
#define GH_VIRTIO_NOTIFY_FAILED (1u << 4)

/* Virtual IRQ info: number in 23:0, target vCPU index in 31:24 for private numbers. */
#define GH_VIRQ_INFO_NUMBER_MASK 0x00ffffffu
#define GH_VIRQ_INFO_VCPU_SHIFT 24

#define GH_CAPID_INVALID 0xffffffffffffffffull

#endif
