# SPDX-License-Identifier: BSD-3-Clause
"""A Linux guest of our VMM learns what share of its time other vCPUs took (Arm DEN0057)."""

import re
import unittest

from machine.debug_kernel import DEBUG, PRIMARY
from machine.qemu import Configuration
from tests.system.guest_case import GuestCase
from tests.system.guest_command import GuestCommand

_LINE = re.compile(r"working on: ([01 ]+): (\d+) of 500 stolen")
# Two that share a CPU in turns get half each. One that has it alone loses what the VMM's other
# threads take, which is more on a busy computer.
_LEAST_SHARED = 150


@unittest.skipIf(PRIMARY is DEBUG, "measures time, which the debug kernel takes itself")
class StolenTime(GuestCase):
    """Both vCPUs of a guest, on one CPU of the primary VM."""

    configuration = Configuration(cpu="max")

    def test_half_of_the_time_is_stolen_while_two_vcpus_share_a_cpu(self) -> None:
        answer = self.shell.command(f"taskset 2 {GuestCommand('steal', cpus=2)}", self.limit(120))
        self.assertIn("using stolen time PV", answer.output)
        stolen = {cpus: int(ticks) for cpus, ticks in _LINE.findall(answer.output)}
        self.assertEqual(stolen.keys(), {"0", "0 1"}, answer.output[-1000:])
        self.assertGreater(stolen["0 1"], _LEAST_SHARED)
        self.assertGreater(stolen["0 1"], 2 * stolen["0"])
