# SPDX-License-Identifier: BSD-3-Clause
"""Both of Debian's kernels, as primary VM and as guest, on the CPU models they may meet.

models_test.py runs the standard kernel on four models; here are the other two, and five with the newer
kernel, which driver_test.py boots on the sixth.
"""

import unittest

from machine.debug_kernel import DEBUG, PRIMARY
from machine.kernel import NEWER
from machine.qemu import Configuration
from tests.system.guest_case import GuestCase


def _newer(cpu: str) -> Configuration:
    return Configuration(cpu=cpu, kernel=NEWER.boot_image, initrd=NEWER.primary_initrd)


class _BootsAndRunsAGuest(GuestCase):
    """Mixed into a class per kernel and CPU model."""

    def test_guest_with_two_vcpus(self) -> None:
        # The newer kernel does not start with 128 MiB.
        self.run_checked_guest(cpus=2, memory="256M")


_one_model_is_enough = unittest.skipIf(PRIMARY is DEBUG, "slower, and the drivers' code is that of OnMax")


@_one_model_is_enough
class KernelOnCortexA53(_BootsAndRunsAGuest):
    """Armv8.0 with 40 bits of physical address."""

    configuration = Configuration(cpu="cortex-a53")


@_one_model_is_enough
class KernelOnCortexA72(_BootsAndRunsAGuest):
    """Armv8.0 with 44 bits of physical address."""

    configuration = Configuration(cpu="cortex-a72")


class NewerKernelOnCortexA53(_BootsAndRunsAGuest):
    """The newer kernel on cortex-a53."""

    configuration = _newer("cortex-a53")


class NewerKernelOnCortexA57(_BootsAndRunsAGuest):
    """The newer kernel on cortex-a57."""

    configuration = _newer("cortex-a57")


class NewerKernelOnCortexA72(_BootsAndRunsAGuest):
    """The newer kernel on cortex-a72."""

    configuration = _newer("cortex-a72")


class NewerKernelOnCortexA76(_BootsAndRunsAGuest):
    """The newer kernel on cortex-a76."""

    configuration = _newer("cortex-a76")
    slowness = 3


class NewerKernelOnNeoverseN1(_BootsAndRunsAGuest):
    """The newer kernel on neoverse-n1."""

    configuration = _newer("neoverse-n1")
    slowness = 3


# unittest would run the class that the others share, too.
del _BootsAndRunsAGuest
