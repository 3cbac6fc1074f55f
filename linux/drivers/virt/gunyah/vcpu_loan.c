// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vCPU that sleeps in WFI is lent to the thread that rings its doorbell.
 *
 * To wake the vCPU's own thread, its owner, costs a wake-up and a change of threads. Where
 * the owner would have to wait for the ringer's CPU, the ringer runs the vCPU itself, a
 * short time:
 *
 *                  gh_vcpu_lend()              gh_vcpu_borrow()
 *               ------------------>           ----------------->
 *         OWNED                       LENT                        BORROWED
 *               <------------------           <-----------------
 *                gh_vcpu_take_back()         gh_vcpu_run_borrowed()
 *
 *   OWNED     the owner runs it, or is not in GH_VCPU_RUN at all
 *   LENT      the owner sleeps because vcpu_run said EXPECTS_WAKEUP
 *   BORROWED  a ringer runs it with interrupts masked. The owner may wake up meanwhile,
 *             but does nothing before it is LENT again
 *
 * If the vCPU goes back to sleep, nobody is woken. Any other answer of vcpu_run is the
 * owner's, who is woken and goes on as if it had got it itself.
 *
 * No wake-up is lost: the hypervisor tells each to one only. Who is told by an interrupt, or
 * finds the vCPU not LENT, kicks the owner as ever; the owner sees that flag whenever it
 * looks, and runs the vCPU after it has taken it back. tests/promela/loan.pml.
 *
 * A ringer cannot be interrupted, and may hold locks: the eventfd's at least. So the vCPU runs
 * no longer than until the CPU has an interrupt, masked or not, which ends vcpu_run; and
 * @bound is one after GH_VCPU_LOAN_NS.
 *
 * @bound costs about 900 instructions. They are lost where the owner is needed in any case: the
 * vCPU needed longer, or its interrupt handler began by asking the VMM something, as it does
 * for a virtio device (InterruptStatus). After either it is not lent for a while.
 */
#include <linux/irqflags.h>
#include <linux/ktime.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/smp.h>
#include <asm/cpufeature.h>

#include "trace.h"
#include "vcpu.h"

/* Enough for an interrupt handler, and what others do with interrupts off takes as long. */
#define GH_VCPU_LOAN_NS		(30 * NSEC_PER_USEC)

/* Rings after a run that came to nothing. */
#define GH_VCPU_LOAN_SKIP	16

enum gh_vcpu_loan_state {
	GH_VCPU_OWNED,
	GH_VCPU_LENT,
	GH_VCPU_BORROWED,
};

static enum hrtimer_restart gh_vcpu_loan_over(struct hrtimer *timer)
{
	/* That the CPU has an interrupt is all that it is for. */
	return HRTIMER_NORESTART;
}

/**
 * gh_vcpu_loan_init() - Not lent
 * @vcpu: The vCPU
 */
void gh_vcpu_loan_init(struct gh_vcpu *vcpu)
{
	atomic_set(&vcpu->loan.state, GH_VCPU_OWNED);
	hrtimer_init(&vcpu->loan.bound, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
	vcpu->loan.bound.function = gh_vcpu_loan_over;
}

/**
 * gh_vcpu_lend() - From now on ringers may run it
 * @vcpu: Its run_lock is held, until after gh_vcpu_take_back()
 */
void gh_vcpu_lend(struct gh_vcpu *vcpu)
{
	vcpu->loan.owner = current;
	atomic_set_release(&vcpu->loan.state, GH_VCPU_LENT);
}

/**
 * gh_vcpu_take_back() - From now on not any more
 * @vcpu: Was lent by this thread
 * @resp: Where the answer goes that a ringer left
 *
 * Waits for a ringer that runs it: for GH_VCPU_LOAN_NS at most, and never for one on this CPU.
 *
 * Return: Whether there is an answer.
 */
bool gh_vcpu_take_back(struct gh_vcpu *vcpu, struct gh_hypercall_vcpu_run_resp *resp)
{
	struct gh_vcpu_loan *loan = &vcpu->loan;

	while (atomic_cmpxchg_acquire(&loan->state, GH_VCPU_LENT, GH_VCPU_OWNED) != GH_VCPU_LENT)
		cpu_relax();
	if (!loan->answered)
		return false;
	loan->answered = false;
	*resp = loan->answer;
	return true;
}

/*
 * Whether the CPU's scheduler could have chosen the owner just as well as this thread, which
 * goes on instead. Only threads of the VMM that count the same, so that what the vCPU uses is
 * charged to whom it would be charged, but for the thread.
 */
static bool gh_vcpu_may_stand_in(struct task_struct *owner)
{
	const unsigned int cpu = smp_processor_id();

#ifdef CONFIG_CGROUP_SCHED
	if (owner->sched_task_group != current->sched_task_group)
		return false;
#endif
	return task_cpu(owner) == cpu && cpumask_test_cpu(cpu, owner->cpus_ptr) &&
	       owner->mm == current->mm && !need_resched() &&
	       owner->policy == SCHED_NORMAL && current->policy == SCHED_NORMAL &&
	       owner->prio == current->prio;
}

/* A coarse timer would not end the run in time; nor interrupts that the priority mask holds. */
static bool gh_vcpu_can_be_ended(void)
{
	return hrtimer_resolution < GH_VCPU_LOAN_NS && !system_uses_irq_prio_masking();
}

static bool gh_vcpu_is_wanted(struct gh_vcpu *vcpu)
{
	if (vcpu->loan.skip) {
		vcpu->loan.skip--;
		return false;
	}
	return !gh_vcpu_is_disturbed(vcpu) && !READ_ONCE(vcpu->run->immediate_exit) &&
	       !signal_pending(vcpu->loan.owner);
}

/**
 * gh_vcpu_borrow() - Take a vCPU that can go on from its sleeping owner
 * @waker: The vCPU's
 *
 * Interrupts are off, and stay so until gh_vcpu_run_borrowed() has returned.
 *
 * Return: Whether the caller has it, and must call gh_vcpu_run_borrowed(). If not, its owner is
 * to be woken.
 */
bool gh_vcpu_borrow(struct gh_vm_waker *waker)
{
	struct gh_vcpu *vcpu = container_of(waker, struct gh_vcpu, waker);
	struct gh_vcpu_loan *loan = &vcpu->loan;

	if (!gh_vcpu_can_be_ended() ||
	    atomic_cmpxchg_acquire(&loan->state, GH_VCPU_LENT, GH_VCPU_BORROWED) != GH_VCPU_LENT)
		return false;
	if (gh_vcpu_may_stand_in(loan->owner) && gh_vcpu_is_wanted(vcpu))
		return true;
	atomic_set_release(&loan->state, GH_VCPU_LENT);
	return false;
}

/* Whether the owner has to go on with it. */
static bool gh_vcpu_end_loan(struct gh_vcpu *vcpu, enum gh_error error)
{
	struct gh_vcpu_loan *loan = &vcpu->loan;

	/* The owner gets the same when it tries. */
	if (error != GH_ERROR_OK)
		return true;
	gh_vcpu_count_exit(vcpu, &loan->answer);
	switch (loan->answer.state) {
	case GH_VCPU_STATE_EXPECTS_WAKEUP:
		return false;
	case GH_VCPU_STATE_READY:
	case GH_VCPU_STATE_BLOCKED:
		loan->skip = GH_VCPU_LOAN_SKIP;
		return true;
	case GH_VCPU_ADDRSPACE_VMMIO_READ:
		loan->skip = GH_VCPU_LOAN_SKIP;
		fallthrough;
	default:
		loan->answered = true;
		return true;
	}
}

/**
 * gh_vcpu_run_borrowed() - Run it, and give it back
 * @waker: Of a vCPU for which gh_vcpu_borrow() was true
 */
void gh_vcpu_run_borrowed(struct gh_vm_waker *waker)
{
	struct gh_vcpu *vcpu = container_of(waker, struct gh_vcpu, waker);
	struct gh_vcpu_loan *loan = &vcpu->loan;
	enum gh_error error;

	loan->runs++;
	hrtimer_start(&loan->bound, ns_to_ktime(GH_VCPU_LOAN_NS), HRTIMER_MODE_REL_PINNED_HARD);
	/* Before it went to sleep it took what it was to be resumed with. */
	trace_gh_vcpu_enter(vcpu->vm, vcpu->ticket.label, 0);
	error = gh_hypercall_vcpu_run(vcpu->resource->capid, 0, &loan->answer);
	trace_gh_vcpu_exit(vcpu->vm, vcpu->ticket.label, error, &loan->answer);
	/* Does not run: its interrupt would have to come to this CPU. */
	hrtimer_try_to_cancel(&loan->bound);

	/* First: once it is not borrowed any more, owner and vCPU may be gone. */
	if (gh_vcpu_end_loan(vcpu, error))
		gh_vcpu_kick(vcpu);
	atomic_set_release(&loan->state, GH_VCPU_LENT);
}
