# SPDX-License-Identifier: BSD-3-Clause
"""The primary VM's kernel starts another one in its place while guests run, or panics, and another one takes its place:
the guests are taken down, and their memory, what was lent too, is the primary VM's again.
"""

import unittest

from machine import boot
from machine.debug_kernel import DEBUG, PRIMARY
from machine.primary_shell import PrimaryShell
from machine.qemu import BOOT_ARGUMENTS, Configuration
from tests.system.guest_case import GUEST_SECONDS, GuestCase
from tests.system.guest_command import GuestCommand

_INITRD = "/tmp/again.cpio"
_LOG = "/tmp/running.log"
# Of the 2 GiB that the machine has, more than can be free of what the guests had.
_FILL_MIB = 1400


class _Kexec(GuestCase):
    """kexec(8)'s part is tests/system/programs/driver/kexec.cpp."""

    def start_guests(self) -> None:
        """One in shared memory, one in lent memory."""
        self.start_in_background(GuestCommand("wait", cpus=2, console=_LOG))
        self.shell.wait_for(r"\[guest\] waiting", _LOG, self.limit(GUEST_SECONDS))
        self.shell.must("(gunyah-driver-test hold >/tmp/held 2>&1 &)")
        self.shell.wait_for("holds lent memory", "/tmp/held", self.limit(60))

    def pack_initrd(self) -> None:
        """What this kernel has booted with, for the next one."""
        self.shell.must(f"find / -xdev ! -path '/tmp/*' ! -path '/proc/*' ! -path '/sys/*' "
                        f"| cpio -o -H newc >{_INITRD} 2>/dev/null", self.limit(120))

    def become_the_next_kernel(self, command: str, last_words: str = "") -> None:
        """Types what makes the next kernel boot; all that was a guest's is gone then."""
        machine = self.shell.machine
        machine.send_line(command)
        machine.expect(last_words, 60)
        boot.boot_again(machine)
        type(self)._shell = PrimaryShell(machine)
        self.assertEqual(self.shell.counters(), self._counters)


@unittest.skipIf(PRIMARY is DEBUG, "the debug kernel is configured without kexec")
class Kexec(_Kexec):
    """A kernel that ends in good order."""

    def test_next_kernel_has_all_memory_and_no_guests(self) -> None:
        self.start_guests()
        self.pack_initrd()
        self.become_the_next_kernel(f"gunyah-driver-test kexec /root/Image {_INITRD}")
        self.shell.must(f"dd if=/dev/zero of=/tmp/fill bs=1M count={_FILL_MIB} 2>/dev/null; rm /tmp/fill",
                        self.limit(120))
        self.run_checked_guest()


@unittest.skipIf(PRIMARY is DEBUG, "the debug kernel is configured without kexec")
class KexecOnPanic(_Kexec):
    """A kernel that ends as it must not."""

    configuration = Configuration(boot_arguments=f"{BOOT_ARGUMENTS} crashkernel=448M")

    def test_crash_kernel_starts_without_guests(self) -> None:
        self.pack_initrd()
        self.shell.must(f"gunyah-driver-test kexec-on-panic /root/Image {_INITRD}; rm {_INITRD}")
        self.start_guests()
        self.become_the_next_kernel("echo c >/proc/sysrq-trigger",
                                    "Kernel panic - not syncing: sysrq triggered crash")
        self.run_checked_guest(memory="64M")
