/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Gunyah hypercalls, their errors, and the message queue transport, for drivers.
 */
#ifndef _LINUX_GUNYAH_H
#define _LINUX_GUNYAH_H

#include <linux/bitfield.h>
#include <linux/bits.h>
#include <linux/completion.h>
#include <linux/errno.h>
#include <linux/list.h>
#include <linux/types.h>

struct device;

/* What hypercalls return in x0. */
enum gh_error {
	GH_ERROR_OK			= 0,
	GH_ERROR_UNIMPLEMENTED		= -1,
	GH_ERROR_RETRY			= -2,

	GH_ERROR_ARG_INVAL		= 1,
	GH_ERROR_ARG_SIZE		= 2,
	GH_ERROR_ARG_ALIGN		= 3,

	GH_ERROR_NOMEM			= 10,
	GH_ERROR_NORESOURCES		= 11,

	GH_ERROR_ADDR_OVFL		= 20,
	GH_ERROR_ADDR_UNFL		= 21,
	GH_ERROR_ADDR_INVAL		= 22,

	GH_ERROR_DENIED			= 30,
	GH_ERROR_BUSY			= 31,
	GH_ERROR_IDLE			= 32,
	GH_ERROR_OBJECT_STATE		= 33,
	GH_ERROR_OBJECT_CONFIG		= 34,
	GH_ERROR_OBJECT_CONFIGURED	= 35,
	GH_ERROR_FAILURE		= 36,

	GH_ERROR_IRQ_BOUND		= 40,
	GH_ERROR_IRQ_UNBOUND		= 41,

	GH_ERROR_CSPACE_CAP_NULL	= 50,
	GH_ERROR_CSPACE_CAP_REVOKED	= 51,
	GH_ERROR_CSPACE_WRONG_OBJ_TYPE	= 52,
	GH_ERROR_CSPACE_INSUF_RIGHTS	= 53,
	GH_ERROR_CSPACE_FULL		= 54,

	GH_ERROR_MSGQUEUE_EMPTY		= 60,
	GH_ERROR_MSGQUEUE_FULL		= 61,
};

/**
 * gh_error_remap() - The errno for a hypercall error
 * @error: What the hypercall returned
 */
static inline int gh_error_remap(enum gh_error error)
{
	switch (error) {
	case GH_ERROR_OK:
		return 0;
	case GH_ERROR_NOMEM:
		return -ENOMEM;
	case GH_ERROR_DENIED:
	case GH_ERROR_CSPACE_CAP_NULL:
	case GH_ERROR_CSPACE_CAP_REVOKED:
	case GH_ERROR_CSPACE_WRONG_OBJ_TYPE:
	case GH_ERROR_CSPACE_INSUF_RIGHTS:
	case GH_ERROR_CSPACE_FULL:
		return -EACCES;
	case GH_ERROR_BUSY:
	case GH_ERROR_IDLE:
		return -EBUSY;
	case GH_ERROR_IRQ_BOUND:
	case GH_ERROR_IRQ_UNBOUND:
	case GH_ERROR_MSGQUEUE_EMPTY:
	case GH_ERROR_MSGQUEUE_FULL:
		return -EIO;
	case GH_ERROR_UNIMPLEMENTED:
	case GH_ERROR_RETRY:
		return -EOPNOTSUPP;
	default:
		return -EINVAL;
	}
}

const char *gh_error_name(enum gh_error error);

/* Bits of the first word of API flags that hypervisor_identify returns. */
enum gh_api_feature {
	GH_FEATURE_DOORBELL	= 1,
	GH_FEATURE_MSGQUEUE	= 2,
	GH_FEATURE_VCPU		= 5,
	GH_FEATURE_MEMEXTENT	= 6,
};

/* Bits of the third word, if the variant is GH_API_VARIANT_OPEN: extensions of that variant. */
enum gh_api_extension {
	GH_EXTENSION_BELL_RING	= 0,
};

u16 gh_api_version(void);
bool gh_api_has_feature(enum gh_api_feature feature);
bool gh_api_is_open(void);
bool gh_api_has_extension(enum gh_api_extension extension);

/* Fields of the API info word. */
#define GH_API_V1			1
#define GH_API_INFO_API_VERSION_MASK	GENMASK_ULL(13, 0)
#define GH_API_INFO_BIG_ENDIAN		BIT_ULL(14)
#define GH_API_INFO_IS_64BIT		BIT_ULL(15)
#define GH_API_INFO_VARIANT_MASK	GENMASK_ULL(63, 56)
#define GH_API_VARIANT_OPEN		0x48

/* Answer of hypervisor_identify. */
struct gh_hypercall_hyp_identify_resp {
	u64 api_info;
	u64 flags[3];
};

/* States in which vcpu_run returns, with the state's data. */
enum gh_vcpu_state {
	GH_VCPU_STATE_READY			= 0,
	GH_VCPU_STATE_EXPECTS_WAKEUP		= 1,
	GH_VCPU_STATE_POWERED_OFF		= 2,
	GH_VCPU_STATE_BLOCKED			= 3,
	GH_VCPU_ADDRSPACE_VMMIO_READ		= 4,
	GH_VCPU_ADDRSPACE_VMMIO_WRITE		= 5,
	GH_VCPU_STATE_FAULT			= 6,
	GH_VCPU_ADDRSPACE_PAGE_FAULT		= 7,
	GH_VCPU_PSCI_SYSTEM_RESET		= 0x100,
};

struct gh_hypercall_vcpu_run_resp {
	u64 state;
	u64 data[3];
};

#define GH_CAPID_INVAL			U64_MAX

/* Push the message to the receiver although its threshold is not reached. */
#define GH_HYPERCALL_MSGQ_TX_FLAGS_PUSH	BIT(0)

/*
 * Hypercalls. Any context. Buffers are kernel virtual addresses that the
 * hypervisor reads or writes through the caller's own translation; they must not
 * cross a page.
 */
bool arch_is_gh_guest(void);
bool arch_gh_is_qcom(void);
void gh_hypercall_hyp_identify(struct gh_hypercall_hyp_identify_resp *resp);
enum gh_error gh_hypercall_bell_send(u64 capid, u64 new_flags, u64 *old_flags);
enum gh_error gh_hypercall_bell_ring(u64 capid, u64 new_flags, u64 *woken);
enum gh_error gh_hypercall_bell_set_mask(u64 capid, u64 enable_mask, u64 ack_mask);
enum gh_error gh_hypercall_msgq_send(u64 capid, size_t size, const void *buf, u64 flags,
				     bool *ready);
enum gh_error gh_hypercall_msgq_recv(u64 capid, void *buf, size_t size, size_t *received,
				     bool *ready);
enum gh_error gh_hypercall_vcpu_run(u64 capid, u64 resume,
				    struct gh_hypercall_vcpu_run_resp *resp);

/* Kinds of resources; the numbers are those of the Resource Manager. */
enum gh_resource_type {
	GH_RESOURCE_TYPE_BELL_TX	= 0,
	GH_RESOURCE_TYPE_BELL_RX	= 1,
	GH_RESOURCE_TYPE_MSGQ_TX	= 2,
	GH_RESOURCE_TYPE_MSGQ_RX	= 3,
	GH_RESOURCE_TYPE_VCPU		= 4,
};

/**
 * struct gh_resource - Something of the hypervisor's that this VM may use
 * @type: Kind of object that the capability names
 * @capid: Capability in this VM's capability space
 * @irq: Linux interrupt number that belongs to it, 0 if none
 * @rm_label: What the Resource Manager calls it within the VM it came with
 * @list: For whoever owns it
 */
struct gh_resource {
	enum gh_resource_type type;
	u64 capid;
	unsigned int irq;
	u32 rm_label;
	struct list_head list;
};

/* Bytes of the longest message. */
#define GH_MSGQ_MAX_MSG_SIZE		240

/**
 * struct gh_msgq - A pair of message queues to one other VM
 * @dev: Whose interrupts these are; for messages in the log
 * @tx: Send side: capability and interrupt "not full"
 * @rx: Receive side: capability and interrupt "not empty"
 * @received: Called for each message in order, in a thread that may sleep.
 *            @data is valid until it returns
 * @tx_space: Private: completed by the "not full" interrupt
 * @tx_buf: Private
 * @rx_buf: Private
 */
struct gh_msgq {
	struct device *dev;
	struct gh_resource tx;
	struct gh_resource rx;
	void (*received)(struct gh_msgq *msgq, const void *data, size_t size);

	struct completion tx_space;
	void *tx_buf;
	void *rx_buf;
};

int gh_msgq_start(struct gh_msgq *msgq);
void gh_msgq_stop(struct gh_msgq *msgq);
int gh_msgq_send(struct gh_msgq *msgq, const void *data, size_t size, bool push,
		 unsigned long timeout);

#endif
