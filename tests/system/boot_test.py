# SPDX-License-Identifier: BSD-3-Clause
"""The machine boots to the primary VM's shell with one, two and four CPUs, and powers off."""

import unittest
from dataclasses import replace

from machine import boot
from machine.debug_kernel import DEBUG, PRIMARY
from machine.primary_shell import PrimaryShell
from machine.qemu import Configuration, Machine

_BOOT_SECONDS = 300
_POWER_OFF_SECONDS = 60


_two_models_are_enough = unittest.skipIf(
    PRIMARY is DEBUG, "a third of the speed, and the kernel code of max or cortex-a57")


class Boot(unittest.TestCase):
    """One boot per test. models_test.py boots every model with two CPUs."""

    configuration = Configuration()

    def boot(self, cpu: str, cpus: int) -> None:
        """Boots, checks what Linux found, and powers off."""
        with Machine(replace(self.configuration, cpu=cpu, cpus=cpus), f"boot-{cpu}-{cpus}",
                     _BOOT_SECONDS) as machine:
            boot.boot_primary(machine, quiet=True)
            shell = PrimaryShell(machine)
            self.assertEqual(shell.must("nproc"), str(cpus))
            shell.must("[ -c /dev/gunyah ]")
            self.assertEqual(shell.complaints(), "")
            machine.send_line("poweroff -f")
            self.assertEqual(machine.wait(_POWER_OFF_SECONDS), 0)

    def test_max_with_one_cpu(self) -> None:
        self.boot("max", 1)

    def test_max_with_two_cpus(self) -> None:
        self.boot("max", 2)

    def test_max_with_four_cpus(self) -> None:
        self.boot("max", 4)

    def test_cortex_a57_with_one_cpu(self) -> None:
        self.boot("cortex-a57", 1)

    def test_cortex_a57_with_four_cpus(self) -> None:
        self.boot("cortex-a57", 4)

    @_two_models_are_enough
    def test_cortex_a76_with_one_cpu(self) -> None:
        self.boot("cortex-a76", 1)

    @_two_models_are_enough
    def test_cortex_a76_with_four_cpus(self) -> None:
        self.boot("cortex-a76", 4)

    @_two_models_are_enough
    def test_neoverse_n1_with_one_cpu(self) -> None:
        self.boot("neoverse-n1", 1)

    @_two_models_are_enough
    def test_neoverse_n1_with_four_cpus(self) -> None:
        self.boot("neoverse-n1", 4)
