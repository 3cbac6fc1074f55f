/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A proxy-scheduled vCPU that waits for interrupts: none is lost between the guest's WFI, the end
 * of vcpu_run, and the sleep of the thread that called it.
 *
 * Follows hypervisor/vcpu (wait(), virq_pending(), begin_run(), end_run()) and the driver's
 * gh_vcpu_sleep(). Ends well if, when nothing can happen any more, no interrupt is pending.
 *
 * broken: LOOKS_BEFORE_THE_LOCK ENDS_RUN_WITHOUT_LOCK FORGETS_BEFORE_SLEEP NO_KICK
 */

#define INTERRUPTS 3

mtype = { ready, waiting };

bool lock;              /* Vcpu::lock_ */
mtype state = ready;    /* Vcpu::state_ */
bool running;           /* Vcpu::running_on_ */
bool pending;           /* in the VIC, not yet in a list register */
bool in_list_register;
bool kicked;            /* the SGI that makes a CPU leave its guest */
bool wakeup;            /* the driver's flag, set by its interrupt handler */

inline acquire() { atomic { !lock -> lock = true } }
inline release() { lock = false }

active proctype runner()
{
	bool deliverable;
	mtype report;

vcpu_run:
	acquire();
	if
	:: state == waiting && pending -> state = ready
	:: else
	fi;
	report = state;
	running = (state == ready);
	release();
	if
	:: report == waiting -> goto returned
	:: else
	fi;
enter:
	atomic {
		if
		:: pending -> pending = false; in_list_register = true
		:: else
		fi
	};
	if
	:: in_list_register -> in_list_register = false; goto enter /* handled; looks again */
	:: !in_list_register -> /* computes, and does not trap */
end_computes:
		atomic { kicked -> kicked = false };
		goto enter
	:: !in_list_register -> /* WFI */
#ifdef LOOKS_BEFORE_THE_LOCK
		deliverable = pending;
		acquire();
#else
		acquire();
		deliverable = pending;
#endif
		if
		:: deliverable -> release(); goto enter
		:: else -> state = waiting; release()
		fi
	fi;
#ifdef ENDS_RUN_WITHOUT_LOCK
	report = state;
	running = false;
#else
	acquire();
	running = false;
	report = state;
	release();
#endif
returned:
#ifdef FORGETS_BEFORE_SLEEP
	wakeup = false;
#endif
	if
	:: report == waiting ->
end_asleep:
		atomic { wakeup -> wakeup = false }
	:: else
	fi;
	goto vcpu_run
}

active proctype source()
{
	byte raised;
	bool woken, runs;

	do
	:: raised < INTERRUPTS ->
		raised++;
		pending = true;
		acquire();
		woken = (state == waiting);
		if
		:: woken -> state = ready
		:: else
		fi;
		runs = running;
		release();
		if
		:: woken && !runs -> wakeup = true
#ifndef NO_KICK
		:: runs -> kicked = true
#endif
		:: else
		fi
	:: else -> break
	od
}

active proctype observer()
{
	timeout -> assert(!pending && !in_list_register)
}
