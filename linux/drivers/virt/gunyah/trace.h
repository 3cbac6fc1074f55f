/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints of all Gunyah drivers, under events/gunyah.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM gunyah

#if !defined(__GUNYAH_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define __GUNYAH_TRACE_H

#include <linux/gunyah.h>
#include <linux/gunyah_vm_mgr.h>
#include <linux/tracepoint.h>

const char *gh_rm_message_name(u32 msg_id);
const char *gh_rm_error_name(u32 error);

#define gh_trace_vcpu_states \
	{ GH_VCPU_STATE_READY,		"ready" }, \
	{ GH_VCPU_STATE_EXPECTS_WAKEUP,	"expects_wakeup" }, \
	{ GH_VCPU_STATE_POWERED_OFF,	"powered_off" }, \
	{ GH_VCPU_STATE_BLOCKED,	"blocked" }, \
	{ GH_VCPU_ADDRSPACE_VMMIO_READ,	"mmio_read" }, \
	{ GH_VCPU_ADDRSPACE_VMMIO_WRITE, "mmio_write" }, \
	{ GH_VCPU_STATE_FAULT,		"fault" }, \
	{ GH_VCPU_ADDRSPACE_PAGE_FAULT,	"page_fault" }, \
	{ GH_VCPU_PSCI_SYSTEM_RESET,	"system_reset" }

/* Programs that read the events do not know the kernel's enumerations. */
TRACE_DEFINE_ENUM(GH_VCPU_STATE_READY);
TRACE_DEFINE_ENUM(GH_VCPU_STATE_EXPECTS_WAKEUP);
TRACE_DEFINE_ENUM(GH_VCPU_STATE_POWERED_OFF);
TRACE_DEFINE_ENUM(GH_VCPU_STATE_BLOCKED);
TRACE_DEFINE_ENUM(GH_VCPU_ADDRSPACE_VMMIO_READ);
TRACE_DEFINE_ENUM(GH_VCPU_ADDRSPACE_VMMIO_WRITE);
TRACE_DEFINE_ENUM(GH_VCPU_STATE_FAULT);
TRACE_DEFINE_ENUM(GH_VCPU_ADDRSPACE_PAGE_FAULT);
TRACE_DEFINE_ENUM(GH_VCPU_PSCI_SYSTEM_RESET);

TRACE_EVENT(gh_rm_call,
	TP_PROTO(u32 msg_id, u16 vmid, size_t size),
	TP_ARGS(msg_id, vmid, size),
	TP_STRUCT__entry(
		__field(u32, msg_id)
		__string(name, gh_rm_message_name(msg_id))
		__field(u16, vmid)
		__field(size_t, size)
	),
	TP_fast_assign(
		__entry->msg_id = msg_id;
		gh_assign_str(name, gh_rm_message_name(msg_id));
		__entry->vmid = vmid;
		__entry->size = size;
	),
	TP_printk("%s (%#x) vmid=%u size=%zu", __get_str(name), __entry->msg_id, __entry->vmid,
		  __entry->size)
);

TRACE_EVENT(gh_rm_reply,
	TP_PROTO(u32 msg_id, u16 vmid, int ret, u32 error),
	TP_ARGS(msg_id, vmid, ret, error),
	TP_STRUCT__entry(
		__field(u32, msg_id)
		__string(name, gh_rm_message_name(msg_id))
		__string(error, gh_rm_error_name(error))
		__field(u16, vmid)
		__field(int, ret)
	),
	TP_fast_assign(
		__entry->msg_id = msg_id;
		gh_assign_str(name, gh_rm_message_name(msg_id));
		gh_assign_str(error, gh_rm_error_name(error));
		__entry->vmid = vmid;
		__entry->ret = ret;
	),
	TP_printk("%s (%#x) vmid=%u ret=%d error=%s", __get_str(name), __entry->msg_id,
		  __entry->vmid, __entry->ret, __get_str(error))
);

TRACE_EVENT(gh_rm_notification,
	TP_PROTO(u32 msg_id, size_t size),
	TP_ARGS(msg_id, size),
	TP_STRUCT__entry(
		__field(u32, msg_id)
		__string(name, gh_rm_message_name(msg_id))
		__field(size_t, size)
	),
	TP_fast_assign(
		__entry->msg_id = msg_id;
		gh_assign_str(name, gh_rm_message_name(msg_id));
		__entry->size = size;
	),
	TP_printk("%s (%#x) size=%zu", __get_str(name), __entry->msg_id, __entry->size)
);

TRACE_EVENT(gh_vcpu_enter,
	TP_PROTO(struct gh_vm *vm, u32 id, u64 resume),
	TP_ARGS(vm, id, resume),
	TP_STRUCT__entry(
		__field(u16, vmid)
		__field(u32, id)
		__field(u64, resume)
	),
	TP_fast_assign(
		__entry->vmid = gh_vm_vmid(vm);
		__entry->id = id;
		__entry->resume = resume;
	),
	TP_printk("vmid=%u vcpu=%u resume=%#llx", __entry->vmid, __entry->id, __entry->resume)
);

TRACE_EVENT(gh_vcpu_exit,
	TP_PROTO(struct gh_vm *vm, u32 id, long error,
		 const struct gh_hypercall_vcpu_run_resp *resp),
	TP_ARGS(vm, id, error, resp),
	TP_STRUCT__entry(
		__field(u16, vmid)
		__field(u32, id)
		__field(long, error)
		__field(u64, state)
		__array(u64, data, 3)
	),
	TP_fast_assign(
		__entry->vmid = gh_vm_vmid(vm);
		__entry->id = id;
		__entry->error = error;
		__entry->state = error ? ~0ULL : resp->state;
		__entry->data[0] = error ? 0 : resp->data[0];
		__entry->data[1] = error ? 0 : resp->data[1];
		__entry->data[2] = error ? 0 : resp->data[2];
	),
	TP_printk("vmid=%u vcpu=%u error=%ld reason=%s data=%#llx,%#llx,%#llx", __entry->vmid,
		  __entry->id, __entry->error,
		  __print_symbolic(__entry->state, gh_trace_vcpu_states), __entry->data[0],
		  __entry->data[1], __entry->data[2])
);

TRACE_EVENT(gh_irqfd_ring,
	TP_PROTO(struct gh_vm *vm, u32 label, bool armed),
	TP_ARGS(vm, label, armed),
	TP_STRUCT__entry(
		__field(u16, vmid)
		__field(u32, label)
		__field(bool, armed)
	),
	TP_fast_assign(
		__entry->vmid = gh_vm_vmid(vm);
		__entry->label = label;
		__entry->armed = armed;
	),
	TP_printk("vmid=%u label=%u armed=%d", __entry->vmid, __entry->label, __entry->armed)
);

TRACE_EVENT(gh_ioeventfd_signal,
	TP_PROTO(struct gh_vm *vm, u64 addr, u32 len, u64 datamatch),
	TP_ARGS(vm, addr, len, datamatch),
	TP_STRUCT__entry(
		__field(u16, vmid)
		__field(u64, addr)
		__field(u32, len)
		__field(u64, datamatch)
	),
	TP_fast_assign(
		__entry->vmid = gh_vm_vmid(vm);
		__entry->addr = addr;
		__entry->len = len;
		__entry->datamatch = datamatch;
	),
	TP_printk("vmid=%u addr=%#llx len=%u datamatch=%#llx", __entry->vmid, __entry->addr,
		  __entry->len, __entry->datamatch)
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace

#include <trace/define_trace.h>
