# SPDX-License-Identifier: BSD-3-Clause
"""One image boots everywhere: RAM of any size and layout, 1 to 8 CPUs, a second board, U-Boot."""

import re
import unittest

from machine import kernel
from machine.boards import UBoot, Versal
from machine.qemu import Configuration, Machine
from tests.system import conformance

_MACHINE_SECONDS = 120
_LINE_SECONDS = 60
_GIB = 1 << 30
_SIZES = {"M": 1 << 20, "G": _GIB}
# The least RAM on which hypervisor, Resource Manager and a small primary VM start (docs/status.md).
_LEAST = "16M"
# Cheap checks of the bare-metal program that need what a layout is about: RAM, CPUs, GIC.
_CHECKS = "stage2.all_ram_is_there"


def _bytes(memory: str) -> int:
    return int(memory[:-1]) * _SIZES[memory[-1]]


class _Boots(unittest.TestCase):
    """Starts a machine and says what it must print."""

    def start(self, configuration: Configuration) -> Machine:
        """A running machine that is stopped at the end of the test."""
        machine = Machine(configuration, f"boards-{self.id().split('.', 3)[-1]}", _MACHINE_SECONDS)
        self.addCleanup(machine.kill)
        return machine

    def check_ram(self, machine: Machine, expected: int) -> None:
        """The hypervisor has found EXPECTED bytes of RAM."""
        ranges = re.findall(r"^\[hyp\]   RAM 0x([0-9a-f]+) \.\. 0x([0-9a-f]+)", machine.text,
                            re.MULTILINE)
        found = sum(int(last, 16) + 1 - int(first, 16) for first, last in ranges)
        self.assertEqual(found, expected)

    def expect_linux(self, machine: Machine, cpus: int) -> None:
        """Debian's kernel starts all CPUs and finds its initrd."""
        machine.expect(r"^\[rm\] starting the primary VM", _LINE_SECONDS, unless="^ERROR: .*")
        machine.expect(rf"smp: Brought up \d+ nodes?, {cpus} CPUs?$", _LINE_SECONDS)
        machine.expect(r"^\[guest\] init", _LINE_SECONDS)


class OnVirt(_Boots):
    """Layouts of QEMU's `virt`, with the bare-metal program as primary VM."""

    def boot(self, memory: str, cpus: int, options: str = "", extra: tuple[str, ...] = (),
             cpu: str = "max") -> None:
        """All CPUs run, all RAM is known to the hypervisor and there for the primary VM."""
        machine = self.start(Configuration(
            cpu=cpu, cpus=cpus, memory=memory, kernel=conformance.PROGRAM, initrd=None,
            boot_arguments=f"only={_CHECKS}", board="virt,gic-version=3" + options, extra=extra,
            kernel_address=0x40e0_0000 if memory == _LEAST else Configuration.kernel_address))
        machine.expect(rf"^\[hyp\] {cpus} of {cpus} CPUs run the hypervisor$", _LINE_SECONDS)
        machine.expect(rf"^checks on {cpus} CPUs$", _LINE_SECONDS)
        machine.expect(r"^1 passed, 0 failed$", _LINE_SECONDS)
        self.check_ram(machine, _bytes(memory))
        self.assertEqual(machine.wait(_LINE_SECONDS), 0)

    def test_least_memory(self) -> None:
        self.boot(_LEAST, 1)

    def test_256_mib(self) -> None:
        self.boot("256M", 2)

    def test_1_gib_without_its(self) -> None:
        self.boot("1G", 4, ",its=off")

    def test_3_gib_without_high_memory(self) -> None:
        self.boot("3G", 8, ",highmem=off")

    def test_8_gib(self) -> None:
        self.boot("8G", 3)

    def test_16_gib_with_40_bits_of_address(self) -> None:
        self.boot("16G", 8, cpu="cortex-a76")

    def test_two_nodes_of_memory(self) -> None:
        memory = ("-object", "memory-backend-ram,id=low,size=1G",
                  "-object", "memory-backend-ram,id=high,size=3G",
                  "-numa", "node,memdev=low,cpus=0-1", "-numa", "node,memdev=high,cpus=2-3")
        self.boot("4G", 4, extra=memory)


class OnVersal(_Boots):
    """RAM in two banks from address 0, UART and GIC elsewhere, Armv8.0 CPUs."""

    def test_linux_boots(self) -> None:
        configuration = Versal(initrd=kernel.STANDARD.guest_initrd)
        configuration.prepare()
        machine = self.start(configuration)
        self.expect_linux(machine, 2)
        self.check_ram(machine, 4 * _GIB)


class ThroughUBoot(_Boots):
    """Typed commands, a disk, `booti`; the initrd comes the way U-Boot hands one to Linux."""

    def test_linux_boots(self) -> None:
        configuration = UBoot(cpu="cortex-a57", cpus=2, initrd=kernel.STANDARD.guest_initrd)
        configuration.prepare()
        machine = self.start(configuration)
        configuration.type_commands(machine)
        self.expect_linux(machine, 2)
        self.check_ram(machine, 2 * _GIB)
