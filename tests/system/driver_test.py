# SPDX-License-Identifier: BSD-3-Clause
"""The Linux drivers against broken and hostile callers: docs/series-faults.md says which fault of
the v11 series each case reproduces."""

import re
import unittest
from typing import ClassVar

from machine.kernel import NEWER
from machine.qemu import BOOT_ARGUMENTS, PATIENCE, Configuration
from tests.system import binding, conformance, guest_case, observing, sample

_CASES_SECONDS = 600
_LINE = re.compile(r"^(ok|FAIL) ([a-z0-9_]+)(?:: (.*))?$", re.MULTILINE)
_SUMMARY = re.compile(r"^(\d+) passed, (\d+) failed$", re.MULTILINE)
_MODULES = ("gunyah_ioeventfd gunyah_irqfd gunyah_vcpu gunyah_rsc_mgr gunyah_msgq "
            "gunyah_platform_hooks gunyah gunyah_hypercall")
# 4 GiB for a region beyond 1 GiB; freed kernel memory is poisoned.
_MEMORY = "4G"
_ARGUMENTS = f"{BOOT_ARGUMENTS} slub_debug=FZP"


class _Drivers(observing.Observing):
    """Mixed into a class per kernel: all that may differ between kernels."""

    reloads: ClassVar[int]

    def setUp(self) -> None:
        """No case is known yet."""
        self._lines: list[conformance.Line] = []
        super().setUp()

    def run(self, result: unittest.TestResult | None = None) -> unittest.TestResult | None:
        """Runs the test, then reports each case of the program as one of its own."""
        outcome = super().run(result)
        for line in getattr(self, "_lines", []):
            line.run(result)
        return outcome

    def test_all_cases_report(self) -> None:
        names = self.shell.must("gunyah-driver-test list").split("\n")
        names = [name for name in names if re.fullmatch("[a-z0-9_]+", name)]
        answer = self.shell.command(f"GUNYAH_PATIENCE={PATIENCE} gunyah-driver-test all",
                                    _CASES_SECONDS)
        for mark, name, reason in _LINE.findall(answer.output):
            problem = (reason or "failed") if mark == "FAIL" else ""
            self._lines.append(conformance.Line(self.id().rsplit(".", 1)[0], name, problem))
        self.assertRegex(answer.output, _SUMMARY)
        self.assertEqual(len(self._lines), len(names), answer.output[-1000:])
        self.assertGreaterEqual(len(names), 30)

    def test_lies_of_the_hypervisor_are_bounded(self) -> None:
        """Findings 23 and 27: lengths, states and sizes that cannot be."""
        self.shell.must("modprobe gunyah_liar")
        answer = self.shell.command("gunyah-driver-test $(gunyah-driver-test list | grep ^lie_)",
                                    self.limit(120))
        self.shell.must("rmmod gunyah_liar")
        self.assertEqual(answer.status, 0, answer.output[-1000:])
        self.assertGreaterEqual(len(re.findall("^ok lie_", answer.output, re.MULTILINE)), 6)

    def test_modules_unload_and_load_again(self) -> None:
        """Findings 9b, 17, 18, 19."""
        self.shell.must(f"n=0; while [ $n -lt {self.reloads} ]; do "
                        f"for m in {_MODULES}; do rmmod $m || [ ! -d /sys/module/$m ] || exit 1; "
                        "done; modprobe gunyah_rsc_mgr || exit 1; n=$((n+1)); done",
                        10 * self.limit(self.reloads))
        self.shell.must("gunyah-driver-test guest_power_off_is_told irqfd_survives_its_eventfd")


class Drivers(_Drivers, sample.Sample, binding.Binding):
    """Debian 12's own kernel."""

    configuration = Configuration(memory=_MEMORY, boot_arguments=_ARGUMENTS)
    reloads = 100


class DriversOnNewerKernel(_Drivers, guest_case.GuestCase):
    """The kernel of Debian 12's backports; kernels_test.py need not boot it on this CPU model."""

    configuration = Configuration(memory=_MEMORY, boot_arguments=_ARGUMENTS,
                                  kernel=NEWER.boot_image, initrd=NEWER.primary_initrd)
    reloads = 10

    def test_guest_with_two_vcpus(self) -> None:
        # The newer kernel does not start with 128 MiB.
        self.run_checked_guest(cpus=2, memory="256M")


# unittest would run the class that the others share, too.
del _Drivers
