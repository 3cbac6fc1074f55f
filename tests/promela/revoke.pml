/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Revoking and deleting a capability against calls that use it: an object is used only while it
 * exists, ends exactly once, and does end when nobody can name it any more.
 *
 * Follows hypervisor/object (Cspace::lookup(), Cspace::revoke(), Ref).
 *
 * broken: REFERENCE_AFTER_THE_LOCK REVOKES_WITHOUT_LOCK DROPS_TWICE KEEPS_REFERENCE
 */

#define CALLERS 2

bool lock;             /* Cspace's */
bool in_slot = true;   /* a slot names the object, and owns one reference */
byte references = 1;
bool exists = true;
byte ended;

inline acquire() { atomic { !lock -> lock = true } }
inline release() { lock = false }

inline drop()
{
	atomic {
		assert(references > 0);
		references--;
		if
		:: references == 0 -> assert(exists); exists = false; ended++
		:: else
		fi
	}
}

/* One hypercall on the object. */
active [CALLERS] proctype caller()
{
	bool found;

	acquire();
	found = in_slot;
#ifdef REFERENCE_AFTER_THE_LOCK
	release();
#endif
	if
	:: found -> assert(exists); references++
	:: else
	fi;
#ifndef REFERENCE_AFTER_THE_LOCK
	release();
#endif
	if
	:: found ->
		assert(exists); /* the call itself */
#ifndef KEEPS_REFERENCE
		drop()
#endif
	:: else
	fi
}

/* Two at once: a revoke by the parent and a delete by the holder. */
active [2] proctype revoker()
{
	bool mine;

#ifndef REVOKES_WITHOUT_LOCK
	acquire();
#endif
	mine = in_slot;
	in_slot = false;
#ifndef REVOKES_WITHOUT_LOCK
	release();
#endif
	if
	:: mine -> drop()
#ifdef DROPS_TWICE
	:: !mine -> drop()
#endif
	:: else
	fi
}

active proctype observer()
{
	timeout -> assert(ended == 1 && !exists)
}
