/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A vCPU as the vCPU function's own files see it.
 */
#ifndef __GUNYAH_VCPU_H
#define __GUNYAH_VCPU_H

#include <linux/gunyah.h>
#include <linux/gunyah_vm_mgr.h>
#include <linux/hrtimer.h>
#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/wait.h>

struct page;
struct task_struct;

/* States that are counted each; the others are counted together, behind them. */
#define GH_VCPU_COUNTED_STATES	(GH_VCPU_ADDRSPACE_VMMIO_WRITE + 1)

/**
 * struct gh_vcpu_loan - How a ringer may run a vCPU that sleeps: see vcpu_loan.c
 * @state: enum gh_vcpu_loan_state
 * @owner: The thread that sleeps in GH_VCPU_RUN
 * @bound: Ends the ringer's run
 * @skip: Rings that only wake the owner, because the last run came to nothing
 * @runs: Runs by ringers; read without a lock
 * @answered: @answer is for the owner
 * @answer: What vcpu_run told the ringer
 *
 * All but @state belong to who has the vCPU: the ringer while @state says so,
 * else the owner, with the vCPU's run_lock.
 */
struct gh_vcpu_loan {
	atomic_t state;
	struct task_struct *owner;
	struct hrtimer bound;
	unsigned int skip;
	u64 runs;
	bool answered;
	struct gh_hypercall_vcpu_run_resp answer;
};

/**
 * struct gh_vcpu - A vCPU
 * @vm: Whose
 * @kref: One of the function, one of the file
 * @ticket: Claim on the vCPU resource
 * @waker: For those who know that it can go on
 * @end_nb: Called when the VM does not run any more
 * @wait: Where the thread sleeps until the vCPU can go on
 * @wakeup: The hypervisor said that it can
 * @removed: The function was removed
 * @leave: The resource is about to go: leave the loop
 * @loan: For ringers
 * @run_lock: Held while it runs; guards the rest. Inside the VM's lock
 * @resource: The vCPU, or NULL
 * @run: Run page. The VMM may change it at any time
 * @page: The same
 * @read_len: Bytes of the read that the VMM has been asked to do; 0 if none
 * @resume: Value to give the vCPU when it runs next
 * @blocked: Times in a row that it was found blocked
 * @exits: Times that it came back, by state; read without a lock
 * @served: Writes of these that were served within the kernel
 */
struct gh_vcpu {
	struct gh_vm *vm;
	struct kref kref;
	struct gh_vm_resource_ticket ticket;
	struct gh_vm_waker waker;
	struct notifier_block end_nb;
	wait_queue_head_t wait;
	bool wakeup;
	bool removed;
	bool leave;
	struct gh_vcpu_loan loan;

	struct mutex run_lock; /* while it runs; for all below */
	struct gh_resource *resource;
	struct gh_vcpu_run *run;
	struct page *page;
	u32 read_len;
	u64 resume;
	unsigned int blocked;
	u64 exits[GH_VCPU_COUNTED_STATES + 1];
	u64 served;
};

static inline void gh_vcpu_count_exit(struct gh_vcpu *vcpu,
				      const struct gh_hypercall_vcpu_run_resp *resp)
{
	vcpu->exits[min_t(u64, resp->state, GH_VCPU_COUNTED_STATES)]++;
}

/* Whether the thread that runs the vCPU has something else to do first. */
static inline bool gh_vcpu_is_disturbed(struct gh_vcpu *vcpu)
{
	return READ_ONCE(vcpu->removed) || READ_ONCE(vcpu->leave) ||
	       gh_vm_state(vcpu->vm) != GH_VM_RUNNING;
}

/* vcpu.c */
void gh_vcpu_kick(struct gh_vcpu *vcpu);

/* vcpu_loan.c */
void gh_vcpu_loan_init(struct gh_vcpu *vcpu);
void gh_vcpu_lend(struct gh_vcpu *vcpu);
bool gh_vcpu_take_back(struct gh_vcpu *vcpu, struct gh_hypercall_vcpu_run_resp *resp);
bool gh_vcpu_borrow(struct gh_vm_waker *waker);
void gh_vcpu_run_borrowed(struct gh_vm_waker *waker);

#endif
