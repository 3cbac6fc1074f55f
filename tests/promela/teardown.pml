/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * VM_RESET against vCPUs that are about to run, run, spin, or linger in a CPU that idles, and
 * against MEM_RECLAIM: no CPU holds a VM's address space once its memory is taken away, and the
 * reset comes to an end although no vCPU leaves by itself.
 *
 * Follows hypervisor/vcpu (claim(), begin_run(), kill(), check()), hypervisor/schedule (load(),
 * unload(), idle()) and RM's GuestObjects::~GuestObjects() and Parcel::user.
 *
 * broken: CHECKS_ONLY_RUNNING KICKS_ONLY_LOADED KICKS_ONLY_RUNNING RECLAIMS_IN_USE RUNS_KILLED
 */

#define VCPUS 2

#if defined(KICKS_ONLY_LOADED)
#define KICKS(runs, loaded) (loaded)
#elif defined(KICKS_ONLY_RUNNING)
#define KICKS(runs, loaded) (runs)
#else
#define KICKS(runs, loaded) (runs || loaded)
#endif

typedef Vcpu {
	bool lock;    /* lock_ */
	bool killed;  /* state_ */
	bool running; /* running_on_ is not no_cpu */
	bool loaded;  /* loaded_on_ is not no_cpu */
	bool kicked   /* the SGI that makes the CPU leave its guest, or its idle loop */
};

Vcpu vcpu[VCPUS];
bool in_use = true; /* Parcel::user */
bool reclaimed;     /* the memory is the primary VM's again */

inline acquire(n) { atomic { !vcpu[n].lock -> vcpu[n].lock = true } }
inline release(n) { vcpu[n].lock = false }

/* The CPU on which a vCPU runs. */
active [VCPUS] proctype cpu()
{
	byte n = _pid;

	do
	:: acquire(n);
		if
#ifndef RUNS_KILLED
		:: vcpu[n].killed -> release(n); break
#endif
		:: else -> vcpu[n].running = true; release(n)
		fi;
		vcpu[n].loaded = true;
		assert(!reclaimed);
		if
		:: skip -> vcpu[n].kicked -> vcpu[n].kicked = false /* it does not leave by itself */
		:: skip /* an exit of its own */
		fi;
		assert(!reclaimed);
		if
		:: vcpu[n].loaded = false; /* another runs here */
			acquire(n);
			vcpu[n].running = false;
			release(n)
		:: !vcpu[n].killed -> /* WFI, and nothing else to run */
			acquire(n);
			vcpu[n].running = false;
			release(n);
			if
			:: skip -> vcpu[n].kicked -> vcpu[n].kicked = false
			:: skip /* its interrupt */
			fi;
			vcpu[n].loaded = false
		fi
	od
}

inline kill(n)
{
	acquire(n);
	vcpu[n].killed = true;
	runs = vcpu[n].running;
	release(n);
	if
	:: KICKS(runs, vcpu[n].loaded) -> vcpu[n].kicked = true
	:: else
	fi
}

/* Asks until vcpu_run_check says that it is gone; a deadlock here is a reset that never ends. */
inline wait_until_gone(n)
{
#ifdef CHECKS_ONLY_RUNNING
	!vcpu[n].lock && !vcpu[n].running
#else
	!vcpu[n].lock && !vcpu[n].running && !vcpu[n].loaded
#endif
}

active proctype reset()
{
	bool runs;

	kill(0);
	kill(1);
	wait_until_gone(0);
	wait_until_gone(1);
	in_use = false
}

active proctype reclaim()
{
#ifndef RECLAIMS_IN_USE
	!in_use;
#endif
	assert(!vcpu[0].loaded && !vcpu[1].loaded);
	reclaimed = true
}
