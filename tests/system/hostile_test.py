# SPDX-License-Identifier: BSD-3-Clause
"""A VM that attacks, beside one that works: tests/guest/hostile, on one and two CPUs.

Each run has a seed of its own, which its closing line and every failure name.
GUNYAH_HOSTILE_SEED=N repeats a run, GUNYAH_HOSTILE_ROUNDS=N makes the random parts N times as long.
"""

import os
import random

from machine.paths import BUILD
from machine.qemu import Configuration
from tests.system import conformance

_PROGRAM = BUILD / "el2/tests/guest/hostile_guest.Image"
_SEED = os.environ.get("GUNYAH_HOSTILE_SEED") or str(random.randrange(1, 1 << 31))
_ROUNDS = int(os.environ.get("GUNYAH_HOSTILE_ROUNDS", "1"))


def _machine(cpu: str, cpus: int) -> Configuration:
    return Configuration(cpu=cpu, cpus=cpus, kernel=_PROGRAM, initrd=None,
                         boot_arguments=f"hostile seed={_SEED} rounds={_ROUNDS}")
_SECONDS = 240 * _ROUNDS
_CHECKS = 18


class HostileGuestOnTwoCpus(conformance.Conformance):
    """The attacker's two vCPUs run at the same time."""

    configuration = _machine("max", 2)
    program_seconds = _SECONDS
    least_checks = _CHECKS


class HostileGuestOnOneCpu(conformance.Conformance):
    """All vCPUs of all VMs share the only CPU."""

    configuration = _machine("max", 1)
    program_seconds = _SECONDS
    least_checks = _CHECKS


class HostileGuestOnCortexA57(conformance.Conformance):
    """Armv8.0: other traps, no fine-grained ones."""

    configuration = _machine("cortex-a57", 2)
    program_seconds = _SECONDS
    least_checks = _CHECKS


class HostileGuestByInstructions(conformance.Conformance):
    """A flood of calls costs others a bounded time, which QEMU counts in instructions."""

    configuration = Configuration(
        cpu="max", cpus=1, kernel=_PROGRAM, initrd=None,
        boot_arguments=f"hostile exact only=hostile.call_flood seed={_SEED}",
        extra=("-icount", "shift=0,sleep=off"))
    least_checks = 1
