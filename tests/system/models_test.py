# SPDX-License-Identifier: BSD-3-Clause
"""All scenarios on every CPU model: with and without VHE, PAuth and a wide physical address."""

import unittest

from machine.debug_kernel import DEBUG, PRIMARY
from machine.qemu import Configuration
from tests.system import refusals


_two_models_are_enough = unittest.skipIf(
    PRIMARY is DEBUG, "a third of the speed, and the kernel code of OnMax or OnCortexA57")


class OnMax(refusals.Refusals):
    """Everything QEMU can emulate."""

    configuration = Configuration(cpu="max")


class OnCortexA57(refusals.Refusals):
    """Armv8.0, without VHE."""

    configuration = Configuration(cpu="cortex-a57")


@_two_models_are_enough
class OnCortexA76(refusals.Refusals):
    """Armv8.2 with 40 bits of physical address."""

    configuration = Configuration(cpu="cortex-a76")
    slowness = 3


@_two_models_are_enough
class OnNeoverseN1(refusals.Refusals):
    """Armv8.2 with 48 bits of physical address."""

    configuration = Configuration(cpu="neoverse-n1")
    slowness = 3
