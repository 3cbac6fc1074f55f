/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A proxy-scheduled vCPU that waits for its own timer: the runner is woken a little early, by EL2's timer,
 * and the vCPU waits for the rest inside vcpu_run, with its timer in the hardware, unless its caller has
 * an interrupt. Whatever comes between, the guest gets its timer interrupt.
 *
 *       time:  0 --------------- EARLY ---------------- DUE
 *                EL2's timer is armed |  hardware timer, in doze()
 *
 * Follows Vcpu (arm_wake_timer(), timer_expired(), begin_run(), end_run()), Scheduler (run_proxy(),
 * proxy_is_due(), doze(), unload()), and the driver's gh_vcpu_sleep(). EL2 runs with interrupts masked, so
 * that its timer's interrupt comes between the steps below only where EL2 waits or has left. One CPU; what
 * another one does to the same vCPU is in wakeup.pml.
 *
 * broken: SLEEPS_ON_A_DUE_TIMER LEAVES_THE_TIMER_UNARMED FORGETS_WHO_WAITS
 */

#define INTERRUPTS 3	/* of the caller */
#define EARLY 1
#define DUE 2

byte time;
bool waiting = true;	/* VcpuState::waiting; not: the guest has its interrupt */
bool timer_due;		/* Vcpu::timer_due_ */
bool armed = true;	/* Vcpu::wake_timer, for EARLY */
bool at_el2;		/* interrupts are masked */
bool wakeup;		/* the driver's flag, set by its interrupt handler */
byte interrupts;	/* that the caller has, not handled yet */

inline expire() /* Vcpu::timer_expired(), of a vCPU that is not loaded */
{
	armed = false;
	timer_due = true;
#ifndef FORGETS_WHO_WAITS
	if
	:: waiting -> wakeup = true
	:: else
	fi
#endif
}

active proctype clock()
{
	do
	:: time < DUE -> time++
	:: else -> break
	od
}

/* The EL2 timer's interrupt, while something else than EL2 runs. */
active proctype el2_timer()
{
end:
	do
	:: atomic { armed && time >= EARLY && !at_el2 -> expire() }
	od
}

active proctype others()
{
	byte sent;

	do
	:: sent < INTERRUPTS -> sent++; interrupts++
	:: else -> break
	od
}

active proctype runner()
{
	bool report_waiting;

	do
	:: !waiting -> break
	:: else ->
		/* The caller's own interrupts, before it calls or when it is back. */
		atomic { interrupts = 0; at_el2 = true };
		if
		:: !timer_due -> report_waiting = true; goto returned /* begin_run() */
		:: else
		fi;
		if
		:: interrupts > 0 -> goto ended /* proxy_is_due(), before anything was loaded */
		:: else
		fi;
		timer_due = false; /* load() */
		do
		:: time >= DUE -> waiting = false; break
		:: time < DUE && interrupts > 0 -> break
		od;
#ifndef LEAVES_THE_TIMER_UNARMED
		armed = waiting; /* unload() */
#endif
ended:
#ifdef SLEEPS_ON_A_DUE_TIMER
		report_waiting = waiting;
#else
		report_waiting = waiting && !timer_due;
#endif
returned:
		at_el2 = false;
		if
		:: report_waiting ->
end_asleep:
			atomic { wakeup -> wakeup = false }
		:: else
		fi
	od
}

active proctype observer()
{
	timeout -> assert(!waiting)
}
