# SPDX-License-Identifier: BSD-3-Clause
"""On a machine that does not run Gunyah, the modules and the VMM refuse and nothing else happens."""

import unittest
from dataclasses import replace

from machine.primary_shell import PrimaryShell
from machine.qemu import Configuration, Machine

_BOOT_SECONDS = 60
_MACHINE_SECONDS = 120


class WithoutHypervisor(unittest.TestCase):
    """The primary VM's images, booted by QEMU itself."""

    configuration = Configuration(hypervisor=None)

    def refuse(self, name: str, *extra: str) -> None:
        """Boots plain QEMU with EXTRA arguments; loads the modules and runs the VMM."""
        configuration = replace(self.configuration, extra=extra)
        with Machine(configuration, f"without-{name}", _MACHINE_SECONDS) as machine:
            machine.expect(r"^\[primary\] shell", _BOOT_SECONDS)
            machine.expect("primary# ", _BOOT_SECONDS)
            shell = PrimaryShell(machine)
            self.assertNotEqual(shell.command("modprobe gunyah_rsc_mgr").status, 0)
            self.assertNotEqual(shell.command("[ -e /dev/gunyah ]").status, 0)
            answer = shell.command("gunyah run")
            self.assertEqual(answer.status, 1)
            self.assertIn("/dev/gunyah", answer.output)

    def test_kernel_at_el1(self) -> None:
        self.refuse("el1")

    def test_kernel_at_el2_where_a_hypercall_would_be_fatal(self) -> None:
        self.refuse("el2", "-machine", "virtualization=on")
