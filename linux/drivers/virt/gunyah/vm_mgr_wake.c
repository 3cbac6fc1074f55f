// SPDX-License-Identifier: GPL-2.0-only
/*
 * vCPUs that can run again, as somebody within the kernel knows without an interrupt.
 */
#include <linux/gunyah_vm_mgr.h>
#include <linux/irqflags.h>
#include <linux/preempt.h>
#include <linux/spinlock.h>

#include "vm_mgr.h"

/**
 * gh_vm_add_waker() - From now on this wakes a vCPU
 * @vm: The VM
 * @waker: Stays until gh_vm_remove_waker()
 */
void gh_vm_add_waker(struct gh_vm *vm, struct gh_vm_waker *waker)
{
	spin_lock_irq(&vm->waker_lock);
	list_add(&waker->list, &vm->wakers);
	spin_unlock_irq(&vm->waker_lock);
}
EXPORT_SYMBOL_GPL(gh_vm_add_waker);

/**
 * gh_vm_remove_waker() - From now on not any more
 * @vm: The VM
 * @waker: Not called any more when this returns
 */
void gh_vm_remove_waker(struct gh_vm *vm, struct gh_vm_waker *waker)
{
	spin_lock_irq(&vm->waker_lock);
	list_del(&waker->list);
	spin_unlock_irq(&vm->waker_lock);
}
EXPORT_SYMBOL_GPL(gh_vm_remove_waker);

/**
 * gh_vm_wake_vcpus() - Have some vCPUs go on. Any context
 * @vm: The VM
 * @vcpus: Bit n is for vCPU n
 *
 * Wakes the threads that run them. In a thread, with interrupts off, the first that can be
 * borrowed may have run before this returns instead.
 */
void gh_vm_wake_vcpus(struct gh_vm *vm, u64 vcpus)
{
	bool may_borrow = in_task() && irqs_disabled();
	struct gh_vm_waker *borrowed = NULL;
	struct gh_vm_waker *waker;
	unsigned long flags;

	spin_lock_irqsave(&vm->waker_lock, flags);
	list_for_each_entry(waker, &vm->wakers, list) {
		if (waker->vcpu >= BITS_PER_TYPE(vcpus) || !(vcpus & BIT_ULL(waker->vcpu)))
			continue;
		if (may_borrow && !borrowed && waker->borrow(waker))
			borrowed = waker;
		else
			waker->wake(waker);
	}
	spin_unlock_irqrestore(&vm->waker_lock, flags);
	/* Nobody waits for a guest at the lock. Without it, too, what is borrowed stays. */
	if (borrowed)
		borrowed->run(borrowed);
}
EXPORT_SYMBOL_GPL(gh_vm_wake_vcpus);
