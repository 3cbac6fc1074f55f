# SPDX-License-Identifier: BSD-3-Clause
"""All scenarios on every CPU model: with and without VHE, PAuth and a wide physical address."""

import unittest

from machine.debug_kernel import DEBUG, PRIMARY
from machine.qemu import Configuration
from tests.system import refusals


_one_model_is_enough = unittest.skipIf(
    PRIMARY is DEBUG, "slower, and the drivers' code is that of OnMax")


class OnMax(refusals.Refusals):
    """Everything QEMU can emulate."""

    configuration = Configuration(cpu="max")


@_one_model_is_enough
class OnCortexA57(refusals.Refusals):
    """Armv8.0, without VHE."""

    configuration = Configuration(cpu="cortex-a57")


@_one_model_is_enough
class OnCortexA76(refusals.Refusals):
    """Armv8.2 with 40 bits of physical address."""

    configuration = Configuration(cpu="cortex-a76")
    slowness = 3


@_one_model_is_enough
class OnNeoverseN1(refusals.Refusals):
    """Armv8.2 with 48 bits of physical address."""

    configuration = Configuration(cpu="neoverse-n1")
    slowness = 3
