// SPDX-License-Identifier: GPL-2.0-only
/*
 * For tests: makes what the drivers hear from hypervisor and Resource Manager a lie, a number of
 * times, by probes behind the two hypercalls that bring lengths, states and messages in. And it is
 * the platform, whose hooks are asked before memory is shared.
 */
#include <linux/atomic.h>
#include <linux/gunyah.h>
#include <linux/gunyah_rsc_mgr.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/ptrace.h>
#include <linux/string.h>
#include <asm/byteorder.h>

/* As many threads as may be within one hypercall, preempted ones included. */
#define LIAR_THREADS	64

/* Of Resource Manager messages; see rsc_mgr_msg.h. */
#define LIAR_MSG_ID_OFFSET	4
#define LIAR_MSG_ID_END		8

/* vcpu_run: where it says this state, the first word of its answer is changed, then counted. */
static int vcpu_lies;
module_param(vcpu_lies, int, 0600);
MODULE_PARM_DESC(vcpu_lies, "Times to lie about a vCPU; counts down");
static ulong vcpu_state;
module_param(vcpu_state, ulong, 0600);
MODULE_PARM_DESC(vcpu_state, "State in which to lie");
static uint vcpu_word;
module_param(vcpu_word, uint, 0600);
MODULE_PARM_DESC(vcpu_word, "What to change: 0 the state, 1 to 3 its data");
static ulong vcpu_value;
module_param(vcpu_value, ulong, 0600);
MODULE_PARM_DESC(vcpu_value, "What to say instead");

static int message_lies;
module_param(message_lies, int, 0600);
MODULE_PARM_DESC(message_lies, "Times to lie in a message; counts down");
static uint message_id;
module_param(message_id, uint, 0600);
MODULE_PARM_DESC(message_id, "Message in which to lie");
static ulong message_size;
module_param(message_size, ulong, 0600);
MODULE_PARM_DESC(message_size, "Size to claim; 0: the true one");
static uint message_offset;
module_param(message_offset, uint, 0600);
MODULE_PARM_DESC(message_offset, "Byte at which to put message_value; 0: nowhere");
static uint message_value;
module_param(message_value, uint, 0600);
MODULE_PARM_DESC(message_value, "What to put there, 32 bits, little-endian");

static int hook_refusals;
module_param(hook_refusals, int, 0600);
MODULE_PARM_DESC(hook_refusals, "Times to refuse that memory is shared; counts down");
static int hook_spared;
module_param(hook_spared, int, 0600);
MODULE_PARM_DESC(hook_spared, "Times not to refuse before; counts down");
static atomic_t hook_shared = ATOMIC_INIT(0);
static int hook_balance;
module_param(hook_balance, int, 0400);
MODULE_PARM_DESC(hook_balance, "Parcels that were prepared and not given back");

static bool liar_take(int *lies)
{
	int left = READ_ONCE(*lies);

	while (left > 0) {
		if (try_cmpxchg(lies, &left, left - 1))
			return true;
	}
	return false;
}

/* What is known when the hypercall begins and needed when it ends. */
struct liar_call {
	void *answer;
	size_t *size;
};

static int liar_vcpu_begins(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	struct liar_call *call = (void *)instance->data;

	call->answer = (void *)regs_get_kernel_argument(regs, 2);
	return 0;
}

static int liar_vcpu_ends(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	const struct liar_call *call = (void *)instance->data;
	struct gh_hypercall_vcpu_run_resp *resp = call->answer;

	if (regs_return_value(regs) != GH_ERROR_OK || resp->state != READ_ONCE(vcpu_state))
		return 0;
	if (!liar_take(&vcpu_lies))
		return 0;
	if (!vcpu_word)
		resp->state = vcpu_value;
	else if (vcpu_word <= ARRAY_SIZE(resp->data))
		resp->data[vcpu_word - 1] = vcpu_value;
	return 0;
}

static int liar_message_begins(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	struct liar_call *call = (void *)instance->data;

	call->answer = (void *)regs_get_kernel_argument(regs, 1);
	call->size = (void *)regs_get_kernel_argument(regs, 3);
	return 0;
}

static int liar_message_ends(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	const struct liar_call *call = (void *)instance->data;
	const __le32 value = cpu_to_le32(message_value);
	__le32 id;

	if (regs_return_value(regs) != GH_ERROR_OK || *call->size < LIAR_MSG_ID_END)
		return 0;
	memcpy(&id, call->answer + LIAR_MSG_ID_OFFSET, sizeof(id));
	if (le32_to_cpu(id) != READ_ONCE(message_id) || !liar_take(&message_lies))
		return 0;
	if (message_offset && message_offset <= GH_MSGQ_MAX_MSG_SIZE - sizeof(value))
		memcpy(call->answer + message_offset, &value, sizeof(value));
	if (message_size)
		*call->size = message_size;
	return 0;
}

static struct kretprobe liar_vcpu = {
	.kp.symbol_name = "gh_hypercall_vcpu_run",
	.entry_handler = liar_vcpu_begins,
	.handler = liar_vcpu_ends,
	.data_size = sizeof(struct liar_call),
	.maxactive = LIAR_THREADS,
};

static struct kretprobe liar_message = {
	.kp.symbol_name = "gh_hypercall_msgq_recv",
	.entry_handler = liar_message_begins,
	.handler = liar_message_ends,
	.data_size = sizeof(struct liar_call),
	.maxactive = LIAR_THREADS,
};

static int liar_pre_mem_share(struct gh_rm *rm, struct gh_rm_mem_parcel *parcel)
{
	if (!liar_take(&hook_spared) && liar_take(&hook_refusals))
		return -EPERM;
	WRITE_ONCE(hook_balance, atomic_inc_return(&hook_shared));
	return 0;
}

static int liar_post_mem_reclaim(struct gh_rm *rm, struct gh_rm_mem_parcel *parcel)
{
	WRITE_ONCE(hook_balance, atomic_dec_return(&hook_shared));
	return 0;
}

static const struct gh_rm_platform_ops liar_hooks = {
	.owner = THIS_MODULE,
	.pre_mem_share = liar_pre_mem_share,
	.post_mem_reclaim = liar_post_mem_reclaim,
};

static struct kretprobe *liar_probes[] = { &liar_vcpu, &liar_message };

static int __init liar_init(void)
{
	int ret = register_kretprobes(liar_probes, ARRAY_SIZE(liar_probes));

	if (ret)
		return ret;
	ret = gh_rm_register_platform_ops(&liar_hooks);
	if (ret)
		unregister_kretprobes(liar_probes, ARRAY_SIZE(liar_probes));
	return ret;
}
module_init(liar_init);

static void __exit liar_exit(void)
{
	gh_rm_unregister_platform_ops(&liar_hooks);
	unregister_kretprobes(liar_probes, ARRAY_SIZE(liar_probes));
}
module_exit(liar_exit);

MODULE_SOFTDEP("pre: gunyah_hypercall");
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Test of the Gunyah drivers: a hypervisor that lies");
