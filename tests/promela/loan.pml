/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A vCPU that sleeps is lent to who rings its doorbell: none of its interrupts is lost, no answer of
 * vcpu_run is, only one has it at a time, and nobody touches it after its owner has left.
 *
 * Follows the driver's vcpu.c (gh_vcpu_wait_for_interrupt(), gh_vcpu_unpopulate()), vcpu_loan.c and
 * vm_mgr_wake.c. The hypervisor is what wakeup.pml shows it to be: a vcpu_run handles what is pending and
 * says that the vCPU sleeps, or comes back before, because of an interrupt of the caller (ready) or an
 * access for the VMM (mmio), which it says once. Who makes a sleeping vCPU ready is told so, or an
 * interrupt is raised for it.
 *
 * broken: TELLS_NOBODY KICKS_AFTER_GIVING_BACK GIVES_BACK_BEFORE_ANSWER TAKES_WITHOUT_WAITING DROPS_A_FAILED_LOAN
 */

#define RINGERS 2
#define RINGS 2		/* of each */
#define ACCESSES 1	/* of the guest, for the VMM */

mtype = { owned, lent, borrowed };
mtype = { ready, waiting, mmio };

/* The hypervisor's */
byte pending;		/* interrupts that the guest has not handled */
bool asleep;		/* VcpuState::waiting */
byte accesses;		/* that the guest has made */
byte inside;		/* how many are in its vcpu_run */

/* The driver's */
mtype loan = owned;
bool answered;
bool wakeup;
bool listed = true;	/* in vm->wakers */
bool waker_lock;
bool gone;		/* the owner has left, and with it the vCPU may have */
bool leave;		/* the VM is taken down */
byte served;		/* accesses that the VMM saw */
byte done;		/* ringers at their end */

/* A step that needs the vCPU's structure. */
inline touch() { assert(!gone) }

/* Within the hypervisor only one can be; how long it takes is up to the guest and the interrupts. */
inline vcpu_run(answer)
{
	inside++;
	assert(inside == 1);
	atomic {
		if
		:: asleep && pending == 0 -> answer = waiting
		:: !asleep || pending > 0 ->
			asleep = false;
			if
			:: answer = ready
			:: accesses < ACCESSES -> accesses++; answer = mmio
			:: pending = 0; asleep = true; answer = waiting
			fi
		fi;
		inside--
	}
}

inline kick() { touch(); wakeup = true }

proctype ringer()
{
	byte rung;
	bool told, mine;
	mtype answer;

	do
	:: rung < RINGS ->
		rung++;
		atomic { /* doorbell_ring */
			pending++;
			told = asleep;
			asleep = false
		};
		if
#ifndef TELLS_NOBODY
		:: told ->
			/* gh_vm_wake_vcpus() */
			atomic { !waker_lock -> waker_lock = true };
			mine = false;
			if
			:: listed ->
				touch();
				atomic {
					if
					:: loan == lent -> loan = borrowed; mine = true
					:: else
					fi
				};
				if
				:: mine -> /* gh_vcpu_may_stand_in() */
					if
					:: mine = true
					:: touch(); loan = lent; mine = false
					fi
				:: else
				fi;
#ifndef DROPS_A_FAILED_LOAN
				if
				:: !mine -> kick()
				:: else
				fi
#endif
			:: else
			fi;
			waker_lock = false;
			if
			:: mine -> /* gh_vcpu_run_borrowed() */
				touch();
				vcpu_run(answer);
#ifdef GIVES_BACK_BEFORE_ANSWER
				touch();
				loan = lent;
#endif
				if
				:: answer == waiting
				:: answer == ready -> kick()
				:: answer == mmio ->
					answered = true;
#ifndef KICKS_AFTER_GIVING_BACK
					kick()
#endif
				fi;
#ifndef GIVES_BACK_BEFORE_ANSWER
				touch();
				loan = lent;
#endif
#ifdef KICKS_AFTER_GIVING_BACK
				if
				:: answer == mmio -> kick()
				:: else
				fi
#endif
			:: else
			fi
#else
		:: true
#endif
		:: !told
		fi
	:: else -> break
	od;
	done++
}

/* In GH_VCPU_RUN, time and again; leaves it for the VMM, for a signal, and for good. */
active proctype owner()
{
	mtype answer;

	do
	:: leave -> break
	:: else ->
		vcpu_run(answer);
handle:
		if
		:: answer == ready
		:: answer == mmio -> served++
		:: answer == waiting ->
			loan = lent;
end_asleep:
			if
			:: atomic { wakeup -> wakeup = false }
			:: leave
			:: done < RINGERS -> skip /* a signal */
			fi;
#ifdef TAKES_WITHOUT_WAITING
			loan = owned;
#else
			atomic { loan == lent -> loan = owned };
#endif
			if
			:: answered -> answered = false; answer = mmio; goto handle
			:: else
			fi
		fi
	od;
	/* gh_vcpu_unpopulate() gets run_lock, then nobody finds the vCPU any more */
	atomic { !waker_lock -> waker_lock = true };
	listed = false;
	waker_lock = false;
	gone = true
}

/* The VM ends at any time, or when nothing else happens. */
active proctype teardown()
{
	do
	:: done < RINGERS -> leave = true; break
	:: timeout ->
		assert(pending == 0 && asleep && served == accesses);
		leave = true;
		break
	od
}

init
{
	byte i;

	atomic {
		for (i : 1 .. RINGERS) {
			run ringer()
		}
	}
}
