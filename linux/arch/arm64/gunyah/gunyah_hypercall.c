// SPDX-License-Identifier: GPL-2.0-only
/*
 * Gunyah hypercalls by the SMC calling convention, conduit HVC.
 */
#include <linux/arm-smccc.h>
#include <linux/gunyah.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/uuid.h>
#include <asm/gunyah.h>
#include <asm/virt.h>

/* UUIDs that a Gunyah hypervisor answers with; SMCCC gives them four bytes per register. */
static const uuid_t gh_qcom_uuid =
	UUID_INIT(0x19bd54bd, 0x0b37, 0x571b, 0x94, 0x6f, 0x60, 0x9b, 0x54, 0x53, 0x9d, 0xe6);
/* Everybody's but Qualcomm's. */
static const uuid_t gh_standard_uuid =
	UUID_INIT(0xc1d58fcd, 0xa453, 0x5fdb, 0x92, 0x65, 0xce, 0x36, 0x67, 0x3d, 0x5f, 0x14);

/*
 * HVC may only be issued with a hypervisor below: at EL2 it traps into this
 * very kernel, and without EL2 it is undefined. The firmware tables say so
 * either by the conduit of PSCI or, where PSCI is reached by SMC, by a node for the
 * hypervisor itself.
 */
static bool gh_hvc_is_safe(void)
{
	struct device_node *node;

	if (is_kernel_in_hyp_mode())
		return false;
	if (arm_smccc_1_1_get_conduit() == SMCCC_CONDUIT_HVC)
		return true;

	node = of_find_compatible_node(NULL, NULL, "gunyah-resource-manager");
	of_node_put(node);
	return node;
}

/* Who is below: a UUID, or zeroes if nobody is. */
static void gh_read_uuid(uuid_t *uuid)
{
	struct arm_smccc_res res;
	__le32 words[4];

	*uuid = uuid_null;
	if (!gh_hvc_is_safe())
		return;

	arm_smccc_1_1_hvc(ARM_SMCCC_VENDOR_HYP_CALL_UID_FUNC_ID, &res);
	words[0] = cpu_to_le32(lower_32_bits(res.a0));
	words[1] = cpu_to_le32(lower_32_bits(res.a1));
	words[2] = cpu_to_le32(lower_32_bits(res.a2));
	words[3] = cpu_to_le32(lower_32_bits(res.a3));
	import_uuid(uuid, (const u8 *)words);
}

/**
 * arch_is_gh_guest() - Whether this kernel runs on Gunyah
 *
 * Every other hypercall may be made only if it does.
 */
bool arch_is_gh_guest(void)
{
	uuid_t uuid;

	gh_read_uuid(&uuid);
	return uuid_equal(&uuid, &gh_qcom_uuid) || uuid_equal(&uuid, &gh_standard_uuid);
}
EXPORT_SYMBOL_GPL(arch_is_gh_guest);

/**
 * arch_gh_is_qcom() - Whether the hypervisor is Qualcomm's build of Gunyah
 *
 * There the firmware controls access to memory, too.
 */
bool arch_gh_is_qcom(void)
{
	uuid_t uuid;

	gh_read_uuid(&uuid);
	return uuid_equal(&uuid, &gh_qcom_uuid);
}
EXPORT_SYMBOL_GPL(arch_gh_is_qcom);

/**
 * gh_hypercall_hyp_identify() - Version and features of the hypervisor's interface
 * @resp: Filled in
 */
void gh_hypercall_hyp_identify(struct gh_hypercall_hyp_identify_resp *resp)
{
	struct arm_smccc_res res;

	arm_smccc_1_1_hvc(GH_HYPERCALL_HYP_IDENTIFY, &res);
	resp->api_info = res.a0;
	resp->flags[0] = res.a1;
	resp->flags[1] = res.a2;
	resp->flags[2] = res.a3;
}
EXPORT_SYMBOL_GPL(gh_hypercall_hyp_identify);

/**
 * gh_hypercall_bell_send() - Ring a doorbell
 * @capid: Doorbell, right to send
 * @new_flags: Flags to add; not 0
 * @old_flags: Flags it had before, or NULL
 */
enum gh_error gh_hypercall_bell_send(u64 capid, u64 new_flags, u64 *old_flags)
{
	struct arm_smccc_res res;

	arm_smccc_1_1_hvc(GH_HYPERCALL_BELL_SEND, capid, new_flags, 0, &res);
	if (res.a0 == GH_ERROR_OK && old_flags)
		*old_flags = res.a1;
	return res.a0;
}
EXPORT_SYMBOL_GPL(gh_hypercall_bell_send);

/**
 * gh_hypercall_bell_ring() - Ring a doorbell, and see to the vCPUs that this wakes
 * @capid: Doorbell, right to send
 * @new_flags: Flags to add; not 0
 * @woken: vCPUs, as bits by number, that can run now and raise no interrupt to say so
 *
 * Only with GH_EXTENSION_BELL_RING.
 */
enum gh_error gh_hypercall_bell_ring(u64 capid, u64 new_flags, u64 *woken)
{
	struct arm_smccc_res res;

	arm_smccc_1_1_hvc(GH_HYPERCALL_BELL_RING, capid, new_flags, 0, &res);
	*woken = res.a0 == GH_ERROR_OK ? res.a2 : 0;
	return res.a0;
}
EXPORT_SYMBOL_GPL(gh_hypercall_bell_ring);

/**
 * gh_hypercall_bell_set_mask() - Say which flags of a doorbell interrupt the receiver
 * @capid: Doorbell, right to receive
 * @enable_mask: Flags that raise the interrupt
 * @ack_mask: Flags that are cleared when it is raised
 */
enum gh_error gh_hypercall_bell_set_mask(u64 capid, u64 enable_mask, u64 ack_mask)
{
	struct arm_smccc_res res;

	arm_smccc_1_1_hvc(GH_HYPERCALL_BELL_SET_MASK, capid, enable_mask, ack_mask, 0, &res);
	return res.a0;
}
EXPORT_SYMBOL_GPL(gh_hypercall_bell_set_mask);

/**
 * gh_hypercall_msgq_send() - Put a message into a queue
 * @capid: Message queue, right to send
 * @size: Bytes of the message, not 0
 * @buf: The message
 * @flags: 0 or GH_HYPERCALL_MSGQ_TX_FLAGS_PUSH
 * @ready: Whether there is space for another one
 */
enum gh_error gh_hypercall_msgq_send(u64 capid, size_t size, const void *buf, u64 flags,
				     bool *ready)
{
	struct arm_smccc_res res;

	arm_smccc_1_1_hvc(GH_HYPERCALL_MSGQ_SEND, capid, size, (uintptr_t)buf, flags, 0, &res);
	if (res.a0 == GH_ERROR_OK)
		*ready = res.a1;
	return res.a0;
}
EXPORT_SYMBOL_GPL(gh_hypercall_msgq_send);

/**
 * gh_hypercall_msgq_recv() - Take a message out of a queue
 * @capid: Message queue, right to receive
 * @buf: Where to put it
 * @size: Bytes at @buf
 * @received: Bytes of the message
 * @ready: Whether there is another one
 */
enum gh_error gh_hypercall_msgq_recv(u64 capid, void *buf, size_t size, size_t *received,
				     bool *ready)
{
	struct arm_smccc_res res;

	arm_smccc_1_1_hvc(GH_HYPERCALL_MSGQ_RECV, capid, (uintptr_t)buf, size, 0, &res);
	if (res.a0 == GH_ERROR_OK) {
		*received = res.a1;
		*ready = res.a2;
	}
	return res.a0;
}
EXPORT_SYMBOL_GPL(gh_hypercall_msgq_recv);

/**
 * gh_hypercall_vcpu_run() - Lend this CPU's time to a vCPU
 * @capid: vCPU
 * @resume: What the state it was left in asks for: the value of a read; otherwise 0
 * @resp: State it is in now, and the state's data; valid if GH_ERROR_OK
 *
 * By hand, for every exit of a guest comes through here: it has more results
 * than SMCCC 1.1 has registers for, and arm_smccc_1_2_hvc() moves 36.
 */
enum gh_error gh_hypercall_vcpu_run(u64 capid, u64 resume,
				    struct gh_hypercall_vcpu_run_resp *resp)
{
	register u64 x0 asm("x0") = GH_HYPERCALL_VCPU_RUN;
	register u64 x1 asm("x1") = capid;
	register u64 x2 asm("x2") = resume;
	register u64 x3 asm("x3") = 0;
	register u64 x4 asm("x4") = 0;
	register u64 x5 asm("x5") = 0;

	asm volatile("hvc #0"
		     : "+r" (x0), "+r" (x1), "+r" (x2), "+r" (x3), "+r" (x4), "+r" (x5)
		     :
		     : "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15",
		       "x16", "x17", "memory");
	resp->state = x1;
	resp->data[0] = x2;
	resp->data[1] = x3;
	resp->data[2] = x4;
	return x0;
}
EXPORT_SYMBOL_GPL(gh_hypercall_vcpu_run);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Gunyah hypercalls");
