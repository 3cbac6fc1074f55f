# SPDX-License-Identifier: BSD-3-Clause
"""The Resource Manager dies: guests that run go on, calls fail with a sentence, and nothing waits for ever.

docs/threat-model.md says what it means.
"""

import re
import subprocess
import tempfile
import time
from pathlib import Path
from typing import ClassVar

from machine.paths import BUILD
from machine.qemu import PATIENCE, Configuration
from tests.system.debugger import Debugger, stub_options
from tests.system.guest_case import GUEST_SECONDS, GuestCase
from tests.system.guest_command import GuestCommand

_PROGRAM = BUILD / "el2/resource_manager/resource_manager.elf"
# Where the Resource Manager's own code stands for it: GH_RM_IPA_BASE.
_LINKED_AT = 0x8000_0000
_HANDLER = "rm::RequestService::handle("
# An instruction that is permanently undefined.
_UNDEFINED = bytes(4)
# How long the driver waits for the first reply that does not come, instead of a minute.
_REPLY_SECONDS = 5
_REPLY_PARAMETER = "/sys/module/gunyah_rsc_mgr/parameters/reply_seconds"
_BYSTANDER = "/tmp/bystander.log"
_MODULES = ("gunyah_ioeventfd gunyah_irqfd gunyah_vcpu gunyah_rsc_mgr gunyah_msgq "
            "gunyah_platform_hooks")


def _handler_offset() -> int:
    """Where in its image the Resource Manager takes requests."""
    symbols = subprocess.run(["aarch64-linux-gnu-nm", "-C", _PROGRAM], capture_output=True,
                             text=True, check=True).stdout
    line = next(line for line in symbols.splitlines() if _HANDLER in line)
    return int(line.split()[0], 16) - _LINKED_AT


class ResourceManagerDies(GuestCase):
    """It meets an undefined instruction with the next request."""

    folder: ClassVar[tempfile.TemporaryDirectory[str]] = tempfile.TemporaryDirectory()
    stub: ClassVar[Path] = Path(folder.name) / "stub"
    configuration = Configuration(extra=stub_options(stub))

    def tearDown(self) -> None:
        """There is nobody to ask for counters any more."""
        self.tearDownClass()

    def sums(self) -> int:
        """How many right sums the guest that runs on has found."""
        return int(self.shell.must(f"grep -c 'right sum' {_BYSTANDER}"))

    def kill_resource_manager(self) -> None:
        """A request brings it to its end."""
        machine = self.shell.machine
        memory = re.search(r"^\[hyp\]   Resource Manager 0x([0-9a-f]+)", machine.text, re.MULTILINE)
        assert memory
        self.shell.must(f"echo {_REPLY_SECONDS} >{_REPLY_PARAMETER}")
        with Debugger(self.stub) as debugger:
            debugger.write_memory(int(memory[1], 16) + _handler_offset(), _UNDEFINED)
            debugger.detach()
        machine.send_line("cat /sys/kernel/debug/gunyah/counters 2>&1 | sed s/^/counters:/ &")
        # Not the whole line at once: what has come of it so far would be fatal.
        machine.expect(r"\[rm\] PANIC:", 60, "the Resource Manager's end")
        machine.expect(r" exception .*$", 60, "what it dies of")
        machine.expect(r"counters:cat: .*timed out$", 60, "the end of the call that it did not answer")

    def pinned(self) -> int:
        """Pages that guests have."""
        return int(self.shell.must("echo 1 >/proc/sys/vm/stat_refresh; awk '/^nr_foll_pin_acquired/ "
                                   "{n+=$2} /^nr_foll_pin_released/ {n-=$2} END {print n}' /proc/vmstat"))

    def test_guests_go_on_and_calls_fail_with_a_sentence(self) -> None:
        process = self.start_in_background(GuestCommand("checksum", console=_BYSTANDER))
        self.shell.wait_for("right sum", _BYSTANDER, self.limit(GUEST_SECONDS))
        self.kill_resource_manager()
        self.shell.must("dmesg | grep 'the Resource Manager does not answer: VMs that run go on'")
        before = self.sums()
        pinned = self.pinned()
        begin = time.monotonic()
        refused = self.shell.command(str(GuestCommand("check")), self.limit(60))
        self.assertEqual(refused.status, 1, refused.output)
        self.assertRegex(refused.output, r"(?m)^gunyah: .*the Resource Manager does not answer.*")
        self.assertLess(time.monotonic() - begin, 15 * PATIENCE)
        self.assertEqual(self.pinned(), pinned)
        self.shell.must(f"n=0; until [ $(grep -c 'right sum' {_BYSTANDER}) -gt {before} ]; do sleep 1; "
                        f"n=$((n+1)); [ $n -lt {30 * PATIENCE:.0f} ] || break; done; [ $n -lt {30 * PATIENCE:.0f} ]", self.limit(60))
        # Its memory stays locked: nobody knows whether the hypervisor still maps it.
        self.shell.must(f"kill -KILL {process}")
        self.wait_until_ended(process, self.limit(30))
        self.assertEqual(self.pinned(), pinned)
        self.shell.must("dmesg | grep 'is not given back; its .* pages stay pinned'")
        self.shell.must(f"rmmod {_MODULES}", self.limit(30))
        self.shell.must("modprobe gunyah_rsc_mgr reply_seconds=1; "
                        "dmesg | grep \"cannot get this VM's VMID\"", self.limit(30))
        self.assertEqual(self.shell.complaints(), "")
        self.shell.machine.send_line("poweroff -f")
        self.assertEqual(self.shell.machine.wait(60), 0)
