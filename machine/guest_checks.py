# SPDX-License-Identifier: BSD-3-Clause
"""Boots tests/guest, the bare-metal program that checks the hypervisor from inside a VM."""

import re
import time

from machine.failure import Failure, last_lines
from machine.paths import BUILD
from machine.progress import note
from machine.qemu import Configuration, Machine
from machine.results import Results

_PROGRAM = BUILD / "el2/tests/guest/test_guest.Image"
_MODELS = ("max", "cortex-a57", "cortex-a76", "neoverse-n1")
_CPUS = 2
_LIMIT_SECONDS = 240
_POWER_OFF_SECONDS = 20
_TOTALS = r"^(\d+) passed, (\d+) failed(?:, \d+ skipped)?$"


def _report(results: Results, where: str, text: str, totals: re.Match[str]) -> None:
    """Counts the checks that TEXT reports line by line, and compares with its TOTALS."""
    passed = re.findall(r"^ok (\S+)$", text, re.MULTILINE)
    failed = re.findall(r"^FAIL (\S+): (.*)$", text, re.MULTILINE)
    results.add_quietly(len(passed))
    for name, reason in failed:
        results.add(f"{where}: {name}", reason)
    for name, reason in re.findall(r"^skip (\S+): (.*)$", text, re.MULTILINE):
        note(f"{where}: {name} was skipped: {reason}")
    if (len(passed), len(failed)) != (int(totals[1]), int(totals[2])):
        results.add(f"{where}: report", f"{len(passed)} ok and {len(failed)} FAIL lines, but: {totals[0]}")
    elif not passed:
        results.add(f"{where}: report", "no check passed")


def run(results: Results, keyword: str) -> None:
    """Runs all checks on every CPU model whose name contains KEYWORD."""
    for model in _MODELS:
        where = f"guest: {model}"
        if keyword not in where:
            continue
        start = time.monotonic()
        configuration = Configuration(cpu=model, cpus=_CPUS, kernel=_PROGRAM, initrd=None,
                                      boot_arguments="")
        with Machine(configuration, f"guest-{model}", 2 * _LIMIT_SECONDS) as machine:
            try:
                totals = machine.expect(_TOTALS, _LIMIT_SECONDS, "the checks did not come to an end")
                machine.wait(_POWER_OFF_SECONDS)
            except Failure as failure:
                results.add(where, f"{last_lines(machine.text)}\n{failure.sentence}",
                            time.monotonic() - start)
                continue
            _report(results, where, machine.text, totals)
        results.add(f"{where}: the program came to its end and powered off",
                    seconds=time.monotonic() - start)
