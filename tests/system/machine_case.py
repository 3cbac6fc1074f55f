# SPDX-License-Identifier: BSD-3-Clause
"""The base of all system tests: a booted machine that the tests of one class share.

After every test the counters of hypervisor and Resource Manager are what they were before the first:
whatever guests did, nothing of them is left. The primary VM's kernel has nothing to complain about.
"""

import unittest
from typing import ClassVar

from machine import boot
from machine.failure import Failure
from machine.primary_shell import PrimaryShell
from machine.qemu import Configuration, Machine

_SETTLE_READINGS = 20
# Memory that has no owner any more is reported when it is 5 s old; only debug kernels look.
_LEAKS = "/sys/kernel/debug/kmemleak"
_LOOK_FOR_LEAKS = f"sleep 6; echo scan >{_LEAKS}; cat {_LEAKS}"
_COUNTED = {"vms", "memextents", "capabilities", "page_table_pages"}


class MachineCase(unittest.TestCase):
    """Boots CONFIGURATION once per class, and again after a test that failed."""

    configuration: ClassVar[Configuration] = Configuration()
    # Emulation of this CPU model is so many times slower than of `max`.
    slowness: ClassVar[int] = 1
    # All tests of one class on the slowest CPU model end well before this many seconds.
    machine_seconds: ClassVar[int] = 15 * 60

    _shell: ClassVar[PrimaryShell | None] = None
    _boot_failure: ClassVar[Failure | None] = None
    _boots: ClassVar[int] = 0
    _counters: ClassVar[dict[str, int]] = {}

    @property
    def shell(self) -> PrimaryShell:
        """The shell of the running primary VM."""
        assert self._shell is not None
        return self._shell

    def limit(self, seconds: float) -> float:
        """SECONDS as `max` needs them, stretched for this class's CPU model."""
        return seconds * self.slowness

    @classmethod
    def _boot(cls) -> None:
        cls._boots += 1
        machine = Machine(cls.configuration, f"system-{cls.__name__}-{cls._boots}", cls.machine_seconds)
        try:
            boot.boot_primary(machine, quiet=True)
            cls._shell = PrimaryShell(machine)
            cls._counters = cls._shell.counters()
        except Failure as failure:
            machine.kill()
            cls._boot_failure = failure
            raise

    @classmethod
    def tearDownClass(cls) -> None:
        """Ends the machine."""
        if cls._shell is not None:
            cls._shell.machine.kill()
            cls._shell = None

    def setUp(self) -> None:
        """Makes sure that there is a machine; one that could not boot is not tried again."""
        if self._boot_failure is not None:
            raise Failure(f"no machine: {self._boot_failure.sentence}")
        if self._shell is not None and not self._shell.machine.running:
            self.tearDownClass()
        if self._shell is None:
            self._boot()

    def tearDown(self) -> None:
        """Nothing of any guest is left."""
        if self.shell.machine.running:
            self.assertTrue(_COUNTED <= self._counters.keys())
            self.assertEqual(self._settled_counters(), self._counters)
            self.assertEqual(self.shell.complaints(), "")

    @classmethod
    def leaks(cls) -> str | None:
        """On a debug kernel: memory of it that has no owner any more, with who allocated it. None
        without a machine. A look takes half a minute, and what has leaked does not go away: one at
        the end is enough.
        """
        if cls._shell is None or not cls._shell.machine.running:
            return None
        try:
            return cls._shell.must(_LOOK_FOR_LEAKS, 300) or cls._shell.complaints()
        except Failure as failure:
            return failure.sentence

    def _settled_counters(self) -> dict[str, int]:
        """The counters once the driver's deferred teardown is over: as at first, or unchanged."""
        counters: dict[str, int] = {}
        for _ in range(_SETTLE_READINGS):
            previous, counters = counters, self.shell.counters()
            if counters in (previous, self._counters):
                break
            self.shell.must("sleep 1")
        return counters

    def run(self, result: unittest.TestResult | None = None) -> unittest.TestResult | None:
        """Runs the test; a machine on which one failed is not handed to the next."""
        problems = len(result.errors) + len(result.failures) if result else 0
        outcome = super().run(result)
        if result and len(result.errors) + len(result.failures) > problems:
            self.tearDownClass()
        return outcome
