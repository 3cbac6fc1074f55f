// SPDX-License-Identifier: GPL-2.0-only
/*
 * The state of a VM, as the Resource Manager's notifications tell it.
 */
#include <linux/gunyah_vm_mgr.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "vm_mgr.h"

/**
 * gh_vm_state() - Where a VM is in its life
 * @vm: The VM
 */
enum gh_vm_state gh_vm_state(struct gh_vm *vm)
{
	return READ_ONCE(vm->state);
}
EXPORT_SYMBOL_GPL(gh_vm_state);

/**
 * gh_vm_change_state() - Change the state, if it is still what one thinks
 * @vm: The VM
 * @from: State it should be in
 * @to: State it gets then
 *
 * Return: Whether it was in state @from.
 */
bool gh_vm_change_state(struct gh_vm *vm, enum gh_vm_state from, enum gh_vm_state to)
{
	bool changed;

	spin_lock(&vm->state_lock);
	changed = vm->state == from;
	if (changed)
		WRITE_ONCE(vm->state, to);
	spin_unlock(&vm->state_lock);

	wake_up_all(&vm->state_wait);
	return changed;
}

/**
 * gh_vm_set_state() - Change the state, whatever it was
 * @vm: The VM
 * @state: The new state
 */
void gh_vm_set_state(struct gh_vm *vm, enum gh_vm_state state)
{
	spin_lock(&vm->state_lock);
	WRITE_ONCE(vm->state, state);
	spin_unlock(&vm->state_lock);
	wake_up_all(&vm->state_wait);
}

/**
 * gh_vm_set_vmid() - Say which VM of the Resource Manager's it is
 * @vm: The VM
 * @vmid: GH_VMID_INVAL: none; notifications are not for it any more
 */
void gh_vm_set_vmid(struct gh_vm *vm, u16 vmid)
{
	spin_lock(&vm->state_lock);
	vm->vmid = vmid;
	spin_unlock(&vm->state_lock);
}

/**
 * gh_vm_set_rm_status() - Note a step that the Resource Manager has done
 * @vm: The VM
 * @status: State that the VM is in for the Resource Manager
 *
 * A notification about a later step may have been quicker than the reply: that
 * it has exited is not forgotten because it was started.
 */
void gh_vm_set_rm_status(struct gh_vm *vm, enum gh_rm_vm_status status)
{
	spin_lock(&vm->state_lock);
	if (status != GH_RM_VM_STATUS_RUNNING || vm->rm_status != GH_RM_VM_STATUS_EXITED)
		WRITE_ONCE(vm->rm_status, status);
	spin_unlock(&vm->state_lock);
}

/**
 * gh_vm_rm_status() - The last step that the Resource Manager is known to have done
 * @vm: The VM
 */
enum gh_rm_vm_status gh_vm_rm_status(struct gh_vm *vm)
{
	return READ_ONCE(vm->rm_status);
}

/**
 * gh_vm_wait_rm_status() - Wait until the Resource Manager has done a step
 * @vm: The VM
 * @status: The step
 * @timeout: How long at most, jiffies
 *
 * Return: Whether it has. Not interruptible.
 */
bool gh_vm_wait_rm_status(struct gh_vm *vm, enum gh_rm_vm_status status, unsigned long timeout)
{
	return wait_event_timeout(vm->state_wait, gh_vm_rm_status(vm) == status, timeout);
}

/**
 * gh_vm_wait_started() - Wait while the VM is being started
 * @vm: The VM
 *
 * Return: 0, or -EINTR for a signal.
 */
int gh_vm_wait_started(struct gh_vm *vm)
{
	if (wait_event_interruptible(vm->state_wait, gh_vm_state(vm) != GH_VM_STARTING))
		return -EINTR;
	return 0;
}
EXPORT_SYMBOL_GPL(gh_vm_wait_started);

/**
 * gh_vm_wait_ended() - Wait until the VM does not run any more
 * @vm: The VM
 * @timeout: How long at most, jiffies
 *
 * Return: 0, -EINTR for a signal, or -ETIMEDOUT.
 */
int gh_vm_wait_ended(struct gh_vm *vm, unsigned long timeout)
{
	long ret;

	ret = wait_event_interruptible_timeout(vm->state_wait, gh_vm_state(vm) != GH_VM_RUNNING,
					       timeout);
	if (ret < 0)
		return -EINTR;
	return ret ? 0 : -ETIMEDOUT;
}
EXPORT_SYMBOL_GPL(gh_vm_wait_ended);

/**
 * gh_vm_status() - What to tell the VMM about a VM that does not run
 * @vm: The VM
 * @exit_info: How it ended; zeroes if it did not end
 */
enum gh_vm_status gh_vm_status(struct gh_vm *vm, struct gh_vm_exit_info *exit_info)
{
	enum gh_vm_status status;

	memset(exit_info, 0, sizeof(*exit_info));
	spin_lock(&vm->state_lock);
	switch (vm->state) {
	case GH_VM_FAILED:
		status = GH_VM_STATUS_LOAD_FAILED;
		break;
	case GH_VM_EXITED:
		status = GH_VM_STATUS_EXITED;
		*exit_info = vm->exit_info;
		break;
	default:
		status = GH_VM_STATUS_CRASHED;
		break;
	}
	spin_unlock(&vm->state_lock);
	return status;
}
EXPORT_SYMBOL_GPL(gh_vm_status);

/**
 * gh_vm_end_notifier_register() - Ask to be told when the VM does not run any more
 * @vm: The VM
 * @nb: Called, in process context, until unregistered
 */
int gh_vm_end_notifier_register(struct gh_vm *vm, struct notifier_block *nb)
{
	return blocking_notifier_chain_register(&vm->end_notifiers, nb);
}
EXPORT_SYMBOL_GPL(gh_vm_end_notifier_register);

/**
 * gh_vm_end_notifier_unregister() - Undo gh_vm_end_notifier_register()
 * @vm: The VM
 * @nb: Not called any more when this returns
 */
int gh_vm_end_notifier_unregister(struct gh_vm *vm, struct notifier_block *nb)
{
	return blocking_notifier_chain_unregister(&vm->end_notifiers, nb);
}
EXPORT_SYMBOL_GPL(gh_vm_end_notifier_unregister);

static bool gh_vm_is_for_us(struct gh_vm *vm, __le16 vmid)
{
	lockdep_assert_held(&vm->state_lock);
	return vm->vmid != GH_VMID_INVAL && vm->vmid == le16_to_cpu(vmid);
}

static void gh_vm_note_exit(struct gh_vm *vm, const struct gh_rm_vm_exited_payload *payload,
			    size_t reason_size)
{
	struct gh_vm_exit_info *info = &vm->exit_info;

	/* No more than it says, than has come, and than there is room for. */
	reason_size = min_t(size_t, reason_size, le32_to_cpu(payload->exit_reason_size));
	reason_size = min_t(size_t, reason_size, sizeof(info->reason));

	memset(info, 0, sizeof(*info));
	info->type = le16_to_cpu(payload->exit_type);
	info->reason_size = reason_size;
	memcpy(info->reason, payload->exit_reason, reason_size);
}

static int gh_vm_exited(struct gh_vm *vm, const struct gh_rm_notification *notification)
{
	const struct gh_rm_vm_exited_payload *payload = notification->payload;
	bool ended = false;

	if (notification->size < sizeof(*payload))
		return NOTIFY_DONE;

	spin_lock(&vm->state_lock);
	if (gh_vm_is_for_us(vm, payload->vmid)) {
		if (vm->state == GH_VM_RUNNING || vm->state == GH_VM_STARTING) {
			gh_vm_note_exit(vm, payload, notification->size - sizeof(*payload));
			WRITE_ONCE(vm->state, GH_VM_EXITED);
			ended = true;
		}
		/* Reset cannot come before exited: never goes back. */
		if (vm->rm_status != GH_RM_VM_STATUS_RESET)
			WRITE_ONCE(vm->rm_status, GH_RM_VM_STATUS_EXITED);
	}
	spin_unlock(&vm->state_lock);

	wake_up_all(&vm->state_wait);
	if (ended)
		blocking_notifier_call_chain(&vm->end_notifiers, 0, NULL);
	return ended ? NOTIFY_OK : NOTIFY_DONE;
}

static int gh_vm_status_changed(struct gh_vm *vm, const struct gh_rm_notification *notification)
{
	const struct gh_rm_vm_status_payload *payload = notification->payload;

	if (notification->size < sizeof(*payload))
		return NOTIFY_DONE;

	/*
	 * The other states are known from the replies to what was asked for. The VM
	 * itself goes to GH_VM_EXITED with VM_EXITED only, which says why.
	 */
	if (payload->vm_status != GH_RM_VM_STATUS_EXITED &&
	    payload->vm_status != GH_RM_VM_STATUS_RESET)
		return NOTIFY_DONE;

	spin_lock(&vm->state_lock);
	if (gh_vm_is_for_us(vm, payload->vmid) && vm->rm_status != GH_RM_VM_STATUS_RESET)
		WRITE_ONCE(vm->rm_status, payload->vm_status);
	spin_unlock(&vm->state_lock);
	wake_up_all(&vm->state_wait);
	return NOTIFY_OK;
}

static int gh_vm_notified(struct notifier_block *nb, unsigned long action, void *data)
{
	struct gh_vm *vm = container_of(nb, struct gh_vm, rm_nb);

	switch (action) {
	case GH_RM_NOTIFICATION_VM_EXITED:
		return gh_vm_exited(vm, data);
	case GH_RM_NOTIFICATION_VM_STATUS:
		return gh_vm_status_changed(vm, data);
	default:
		return NOTIFY_DONE;
	}
}

/**
 * gh_vm_state_init() - Initialise the state of a VM
 * @vm: Zeroed
 */
void gh_vm_state_init(struct gh_vm *vm)
{
	vm->vmid = GH_VMID_INVAL;
	vm->state = GH_VM_CREATED;
	vm->rm_status = GH_RM_VM_STATUS_NO_STATE;
	spin_lock_init(&vm->state_lock);
	init_waitqueue_head(&vm->state_wait);
	BLOCKING_INIT_NOTIFIER_HEAD(&vm->end_notifiers);
	vm->rm_nb.notifier_call = gh_vm_notified;
}
