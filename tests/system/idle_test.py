# SPDX-License-Identifier: BSD-3-Clause
"""When nothing is to be done, physical CPUs sleep: QEMU uses next to no time of the computer."""

import unittest

from machine.qemu import Configuration, Machine
from tests.system import conformance

_LIMIT_SECONDS = 60
_IDLE_SECONDS = 2
# A CPU that spins takes 1.0 of that; the clock of /proc counts hundredths.
_BUSY_SHARE = 0.3


class IdleMachine(unittest.TestCase):
    """All vCPUs of the primary VM are in WFI, the Resource Manager waits for a message."""

    def test_cpus_sleep(self) -> None:
        """Between its two lines the program's CPUs sleep, and the hypervisor's with them."""
        configuration = Configuration(cpu="max", cpus=2, kernel=conformance.PROGRAM, initrd=None,
                                      boot_arguments="conformance only=idle.")
        with Machine(configuration, "idle", _LIMIT_SECONDS) as machine:
            machine.expect("idle begins", _LIMIT_SECONDS, "the sleep's begin")
            before = machine.cpu_seconds
            machine.expect("idle ends", _LIMIT_SECONDS, "the sleep's end")
            used = machine.cpu_seconds - before
            machine.expect(r"^1 passed, 0 failed", _LIMIT_SECONDS, "the program's closing line")
        self.assertLess(used, _BUSY_SHARE * _IDLE_SECONDS)
