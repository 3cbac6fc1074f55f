# SPDX-License-Identifier: BSD-3-Clause
"""The Linux drivers against broken and hostile callers: docs/series-faults.md says which fault of
the v11 series each case reproduces."""

import re
import unittest

from machine.qemu import BOOT_ARGUMENTS, PATIENCE, Configuration
from tests.system import binding, conformance, observing, sample

_CASES_SECONDS = 600
_LINE = re.compile(r"^(ok|FAIL) ([a-z0-9_]+)(?:: (.*))?$", re.MULTILINE)
_SUMMARY = re.compile(r"^(\d+) passed, (\d+) failed$", re.MULTILINE)
# What the kernel says only when something is wrong with it.
_COMPLAINTS = "BUG|WARNING|Oops|Unable to handle|refcount_t|Premature|hung task|blocked for more"
_MODULES = ("gunyah_ioeventfd gunyah_irqfd gunyah_vcpu gunyah_rsc_mgr gunyah_msgq "
            "gunyah_platform_hooks gunyah gunyah_hypercall")
_RELOADS = 100


class Drivers(sample.Sample, binding.Binding, observing.Observing):
    """One boot with 4 GiB, for a region beyond 1 GiB; freed kernel memory is poisoned."""

    configuration = Configuration(memory="4G", boot_arguments=f"{BOOT_ARGUMENTS} slub_debug=FZP")

    def setUp(self) -> None:
        """No case is known yet."""
        self._lines: list[conformance.Line] = []
        super().setUp()

    def tearDown(self) -> None:
        """The kernel has nothing to complain about."""
        super().tearDown()
        if self.shell.machine.running:
            said = self.shell.command(f"dmesg | grep -E '{_COMPLAINTS}'").output
            self.assertEqual(said, "")

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

    def test_modules_unload_and_load_again(self) -> None:
        """Findings 9b, 17, 18, 19."""
        self.shell.must(f"n=0; while [ $n -lt {_RELOADS} ]; do "
                        f"for m in {_MODULES}; do rmmod $m || [ ! -d /sys/module/$m ] || exit 1; "
                        "done; modprobe gunyah_rsc_mgr || exit 1; n=$((n+1)); done",
                        10 * self.limit(_RELOADS))
        self.shell.must("gunyah-driver-test guest_power_off_is_told irqfd_survives_its_eventfd")
