# SPDX-License-Identifier: BSD-3-Clause
"""Boots the bare-metal test program in place of Linux and turns each of its lines into a result."""

import re
import unittest
from typing import ClassVar

from machine.failure import Failure
from machine.paths import BUILD, relative
from machine.qemu import Configuration, Machine

PROGRAM = BUILD / "el2/tests/guest/test_guest.Image"
# The hypervisor with the program of tests/root in place of the Resource Manager.
ROOT_IMAGE = BUILD / "el2/tests/root/conformance.Image"

_PROGRAM_SECONDS = 240
_POWER_OFF_SECONDS = 30
# What a machine may honestly lack; any other reason to skip a check is a failure.
_GOOD_REASONS = {"only one CPU", "the CPU has no pointer authentication",
                 "the CPU has no performance counters", "the CPU has no SVE",
                 "the distributor has all interrupts",
                 "the board has no interrupt of the counters",
                 "every device of the board ends with its page"}
_LINE = re.compile(r"^(ok|FAIL|skip) ([a-z0-9_]+\.[a-z0-9_]+)(?:: (.*))?$", re.MULTILINE)
_SUMMARY = r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$"


class Line(unittest.TestCase):
    """One check of the program as a test of its own."""

    def __init__(self, group: str, name: str, problem: str) -> None:
        super().__init__()
        self._id = f"{group}.{name}"
        self._problem = problem

    def id(self) -> str:
        """The machine's class and the name of the check."""
        return self._id

    def runTest(self) -> None:
        """Fails with the program's own words."""
        if self._problem:
            self.fail(self._problem)


class Conformance(unittest.TestCase):
    """Runs the program once on CONFIGURATION."""

    configuration: ClassVar[Configuration]
    least_checks: ClassVar[int] = 150
    program_seconds: ClassVar[int] = _PROGRAM_SECONDS
    bare: ClassVar[bool] = False

    def setUp(self) -> None:
        """No check is known yet."""
        self._lines: list[Line] = []

    def run(self, result: unittest.TestResult | None = None) -> unittest.TestResult | None:
        """Runs the program, then reports each of its checks."""
        outcome = super().run(result)
        for line in self._lines:
            line.run(result)
        return outcome

    def _take_line(self, match: re.Match[str]) -> None:
        mark, name, reason = match[1], match[2], match[3] or ""
        if mark == "skip":
            accepted = reason in _GOOD_REASONS or (self.bare and reason.startswith("no hypervisor"))
            problem = "" if accepted else f"skipped: {reason}"
        else:
            problem = reason or "failed" if mark == "FAIL" else ""
        self._lines.append(Line(self.id().rsplit(".", 1)[0], name, problem))

    def test_all_checks_report(self) -> None:
        """The program comes to its end, and no line of it is lost."""
        program = self.configuration.kernel
        if not program.is_file():
            raise Failure(f"{relative(program)} is not built")
        self.configuration.prepare()
        name = f"conformance-{type(self).__name__}"
        seconds = self.program_seconds
        with Machine(self.configuration, name, seconds + _POWER_OFF_SECONDS) as machine:
            try:
                total = machine.expect(_SUMMARY, seconds, "the program's closing line")
            finally:
                for match in _LINE.finditer(machine.text):
                    self._take_line(match)
            self.assertEqual(machine.wait(_POWER_OFF_SECONDS), 0)
        counted = sum(int(number or 0) for number in total.groups())
        self.assertEqual(len(self._lines), counted, "lines and the closing line's sum")
        self.assertGreaterEqual(counted, self.least_checks)
