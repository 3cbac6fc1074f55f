# SPDX-License-Identifier: BSD-3-Clause
"""The primary VM's kernel starts another one in its place while guests run: these are taken down first, and the
new kernel has all memory, what was lent too.
"""

import unittest

from machine import boot
from machine.debug_kernel import DEBUG, PRIMARY
from machine.primary_shell import PrimaryShell
from tests.system.guest_case import GUEST_SECONDS, GuestCase
from tests.system.guest_command import GuestCommand

_INITRD = "/tmp/again.cpio"
_LOG = "/tmp/running.log"
# Of the 2 GiB that the machine has, more than can be free of what the guests had.
_FILL_MIB = 1400


@unittest.skipIf(PRIMARY is DEBUG, "the debug kernel is configured without kexec")
class Kexec(GuestCase):
    """kexec(8)'s part is tests/system/programs/driver/kexec.cpp."""

    def test_next_kernel_has_all_memory_and_no_guests(self) -> None:
        self.start_in_background(GuestCommand("wait", cpus=2, console=_LOG))
        self.shell.wait_for(r"\[guest\] waiting", _LOG, self.limit(GUEST_SECONDS))
        self.shell.must("(gunyah-driver-test hold >/tmp/held 2>&1 &)")
        self.shell.wait_for("holds lent memory", "/tmp/held", self.limit(60))
        self.shell.must(f"find / -xdev ! -path '/tmp/*' ! -path '/proc/*' ! -path '/sys/*' "
                        f"| cpio -o -H newc >{_INITRD} 2>/dev/null", self.limit(120))
        machine = self.shell.machine
        machine.send_line(f"gunyah-driver-test kexec /root/Image {_INITRD}")
        boot.boot_again(machine)
        type(self)._shell = PrimaryShell(machine)
        self.assertEqual(self.shell.counters(), self._counters)
        self.shell.must(f"dd if=/dev/zero of=/tmp/fill bs=1M count={_FILL_MIB} 2>/dev/null; rm /tmp/fill",
                        self.limit(120))
        self.run_checked_guest()
