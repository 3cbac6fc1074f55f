# SPDX-License-Identifier: BSD-3-Clause
"""Mixed into a class that has booted the primary VM: debugfs, tracepoints and messages."""

import re

from tests.system.machine_case import MachineCase

_TRACING = "/sys/kernel/tracing"
_VMS = "/sys/kernel/debug/gunyah/vms"


class Observing(MachineCase):
    """What a person can see of VMs from outside."""

    def test_debugfs_lists_vms(self) -> None:
        self.assertEqual(self.shell.must(f"cat {_VMS}"), "")
        process = self.shell.must("gunyah_vmm -i /root/Image -d /root/sample_vm.dtb >/dev/null 2>&1 "
                                  "& echo $!").split()[-1]
        self.shell.wait_for("mmio_write [1-9]", _VMS, self.limit(60))
        said = self.shell.must(f"cat {_VMS}")
        self.assertRegex(said, r"vm \d+: running")
        self.assertRegex(said, r"memory 0: 0x80000000, 102400 KiB shared in \d+ ranges")
        self.assertRegex(said, r"vcpu 0: ready \d+ expects_wakeup \d+ .* mmio_write [1-9]")
        self.shell.must(f"kill {process}")
        self.shell.command(f"n=0; while [ -s {_VMS} ] && [ $n -lt 30 ]; do sleep 1; n=$((n+1)); done")

    def test_tracepoints_tell_a_vms_life(self) -> None:
        self.shell.must(f"mount -t tracefs none {_TRACING} || [ -d {_TRACING}/events ]")
        self.shell.must(f"echo 1 >{_TRACING}/events/gunyah/enable")
        self.shell.must("gunyah-driver-test guest_power_off_is_told irqfd_signalled_early_is_harmless "
                        "ioeventfd_matches_by_value", self.limit(120))
        self.shell.must(f"echo 0 >{_TRACING}/events/gunyah/enable")
        for event in (r"gh_rm_call: VM_START .*vmid=[1-9]", r"gh_rm_reply: VM_START .*error=OK",
                      "gh_rm_notification: VM_EXITED", "gh_vcpu_enter: vmid=[1-9].* vcpu=0",
                      "gh_vcpu_exit: .*reason=mmio_read data=0x10000000",
                      "gh_irqfd_ring: .*label=40 armed=1",
                      "gh_ioeventfd_signal: .*addr=0x10100000 len=4 datamatch=0x5"):
            self.shell.must(f"grep -m 1 -E '{event}' {_TRACING}/trace")
        self.shell.must(f"echo >{_TRACING}/trace")

    def test_notifications_come_in_order(self) -> None:
        """Finding 11: a VM's exit is told before its reset, whatever is going on beside it."""
        self.shell.must(f"mount -t tracefs none {_TRACING} || [ -d {_TRACING}/events ]")
        self.shell.must(f"echo >{_TRACING}/trace; "
                        f"echo 1 >{_TRACING}/events/gunyah/gh_rm_notification/enable")
        cases = " ".join(["guest_power_off_is_told", "guest_reset_is_told",
                          "guest_is_stopped_while_it_runs"])
        self.shell.must(f"(for i in 1 2 3 4 5; do gunyah-driver-test {cases} || exit 1; done)",
                        self.limit(120))
        self.shell.must(f"echo 0 >{_TRACING}/events/gunyah/gh_rm_notification/enable")
        told = re.findall(r"gh_rm_notification: (\w+)", self.shell.must(f"cat {_TRACING}/trace"))
        self.assertGreaterEqual(len(told), 30)
        self.assertEqual(told, ["VM_EXITED", "VM_STATUS"] * (len(told) // 2))

    def test_failing_calls_leave_a_message(self) -> None:
        """VM, stage, and the Resource Manager's error by its name."""
        self.shell.must("dmesg -c >/dev/null; gunyah-driver-test failed_start_gives_memory_back",
                        self.limit(60))
        said = self.shell.must("dmesg")
        self.assertRegex(said, r"VM \d+: VM_INIT failed: Resource Manager error UNIMPLEMENTED")
        self.assertRegex(said, r"VM \d+ of process \d+: GH_VM_START: -EOPNOTSUPP")
