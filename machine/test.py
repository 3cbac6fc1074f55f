# SPDX-License-Identifier: BSD-3-Clause
"""./dev test: every check and test of the project, closed by one line that counts them."""

import re
import time
from collections.abc import Callable

from machine import (build, checked, cppcheck, debian, dkms, image, promela, reproducible, sparse, style,
                     system, tidy, unit)
from machine.failure import Failure
from machine.debug_kernel import DEBUG, PRIMARY
from machine.kernel import KERNELS, STANDARD
from machine.paths import LOGS, relative
from machine.primary_shell import NOT_OURS
from machine.progress import note
from machine.results import Results

KINDS = ("format", "unit", "promela", "tidy", "cppcheck", "sparse", "dkms", "system", "debian",
         "checked", "reproducible")
_ONLY_LONG = ("checked", "reproducible")  # with --long or by name: each builds the hypervisor anew


def _unit(results: Results, keyword: str) -> None:
    build.build_preset("host")
    unit.run(results, keyword)


def _tidy(results: Results, _: str) -> None:
    for preset in build.PRESETS:
        build.build_preset(preset)
    tidy.run(results)


def _checked(results: Results, _: str) -> None:
    build.build_preset("el2")
    checked.run(results)


def _reproducible(results: Results, _: str) -> None:
    build.build_preset("el2")
    reproducible.run(results)


def _system(results: Results, keyword: str) -> None:
    build.build_machine()
    for kernel in KERNELS:
        image.pack(kernel)
    system.run(results, keyword)


def _debian(results: Results, keyword: str) -> None:
    build.build_machine([STANDARD])
    image.pack(STANDARD)
    debian.make_disk()
    system.run(results, keyword, folder="tests/debian")


def _system_on_debug_kernel(results: Results, keyword: str) -> None:
    DEBUG.build()
    build.build_machine([DEBUG])
    image.pack(DEBUG)
    begin = time.time()
    system.run(results, keyword, system.boots_primary)
    _look_for_reports(results, begin)


# As a kernel says it: behind the time, which what we type has not.
_REPORT = re.compile(r"^\[ *\d+\.\d+\](?:\[[^]]*\])? (?:BUG: |WARNING: |INFO: (?:possible|trying|task)|"
                     r"UBSAN: |Unable to handle|kmemleak: \d)")
_REPORT_LINES = 40


def _look_for_reports(results: Results, begin: float) -> None:
    """No machine since BEGIN has told of a mistake on its serial line, at whatever time."""
    for log in sorted(LOGS.glob("*.serial")):
        if log.stat().st_mtime < begin:
            continue
        lines = log.read_text(errors="replace").splitlines()
        first = next((i for i, line in enumerate(lines)
                      if _REPORT.match(line) and not re.search(NOT_OURS, line)), None)
        report = "" if first is None else "\n".join(lines[first:first + _REPORT_LINES])
        results.add(f"debug kernel: no report in {relative(log)}", report)


_ACTIONS: dict[str, Callable[[Results, str], None]] = {
    "format": lambda results, _: style.run(results),
    "unit": _unit,
    "promela": promela.run,
    "tidy": _tidy,
    "cppcheck": lambda results, _: cppcheck.run(results),
    "sparse": lambda results, _: sparse.run(results),
    "dkms": lambda results, _: dkms.run(results),
    "system": _system,
    "debian": _debian,
    "checked": _checked,
    "reproducible": _reproducible,
}


def run(only: str | None, keyword: str, long: bool) -> int:
    """Runs all KINDS, some only when it may take LONG, or ONLY one; with KEYWORD only tests named so. Returns the exit status.

    A kind that cannot be run at all counts as one failure, and the next ones still run.
    """
    results = Results()
    start = time.monotonic()
    actions = _ACTIONS | {"system": _system_on_debug_kernel} if PRIMARY is DEBUG else _ACTIONS
    for kind in [only] if only else [kind for kind in KINDS if long or kind not in _ONLY_LONG]:
        try:
            actions[kind](results, keyword)
        except Failure as failure:
            results.add(f"{kind}: could not be run", f"{failure.log_tail}\n{failure.sentence}")
    if not results.passed and not results.failed:
        results.add("selection", f"no test is named '{keyword}'")
    note(f"{time.monotonic() - start:.0f} s in all")
    for name in results.failed:
        note(f"failed: {name}")
    print(results.summary())
    return 1 if results.failed else 0
