# SPDX-License-Identifier: BSD-3-Clause
"""Runs tests/system and the like: whole machines on QEMU, two at a time, within a time limit for all."""

import os
import sys
import threading
import time
import unittest
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from machine.debug_kernel import DEBUG, PRIMARY
from machine.failure import Failure
from machine.paths import ROOT
from machine.progress import note
from machine.qemu import PATIENCE
from machine.results import Results
from tests.system.machine_case import MachineCase

_AT_ONCE = 2
_LIMIT_SECONDS = int(os.environ.get("GUNYAH_SYSTEM_SECONDS", 40 * 60))
_WORTH_A_LINE_SECONDS = 0.5
_INTERRUPTED = 130  # as shells say it of Ctrl-C


def _title(test: unittest.TestCase) -> str:
    """The kind of the test TEST and its name."""
    _, kind, name = test.id().split(".", 2)
    return f"{kind}: {name}"


class _Recorder(unittest.TestResult):
    """Passes the outcome of each test on to Results as soon as it is known."""

    def __init__(self, results: Results) -> None:
        super().__init__()
        self._results = results
        self._started: dict[str, float] = {}

    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        self._started[test.id()] = time.monotonic()

    def _record(self, test: unittest.TestCase, problem: str) -> None:
        seconds = time.monotonic() - self._started.get(test.id(), time.monotonic())
        if problem or seconds >= _WORTH_A_LINE_SECONDS:
            self._results.add(_title(test), problem, seconds)
        else:
            self._results.add_quietly(1)

    def addSuccess(self, test: unittest.TestCase) -> None:
        self._record(test, "")

    def addFailure(self, test: unittest.TestCase, err: object) -> None:
        super().addFailure(test, err)  # type: ignore[arg-type]
        self._record(test, _explain(err))

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        super().addSkip(test, reason)
        note(f"left out: {test.id().removeprefix('tests.system.')}: {reason}")

    def addError(self, test: unittest.TestCase, err: object) -> None:
        super().addError(test, err)  # type: ignore[arg-type]
        self._record(test, _explain(err))


def _explain(error: object) -> str:
    """What a person needs of an exception: a Failure's log and sentence, else type and text."""
    assert isinstance(error, tuple)
    kind, value = error[0], error[1]
    if isinstance(value, Failure):
        return f"{value.log_tail}\n{value.sentence}"
    return f"{kind.__name__}: {value}"


def _classes(suite: unittest.TestSuite) -> Iterator[list[unittest.TestCase]]:
    """The test cases of SUITE, grouped by the class that shares a machine."""
    groups: dict[type, list[unittest.TestCase]] = {}

    def collect(entry: unittest.TestSuite | unittest.TestCase) -> None:
        if isinstance(entry, unittest.TestSuite):
            for inner in entry:
                collect(inner)
        else:
            groups.setdefault(type(entry), []).append(entry)

    collect(suite)
    yield from groups.values()


def _look_for_leaks(results: Results, group: type) -> None:
    """The debug kernel of the machine that GROUP shared has lost no memory."""
    leaks = group.leaks() if PRIMARY is DEBUG and issubclass(group, MachineCase) else None
    if leaks is not None:
        results.add(f"system: {group.__name__} has leaked no memory of the kernel", leaks)


def boots_primary(case: unittest.TestCase) -> bool:
    """Whether CASE runs the usual kernel in the primary VM."""
    configuration = getattr(case, "configuration", None)
    return configuration is not None and configuration.kernel == PRIMARY.boot_image


def run(results: Results, keyword: str,
        is_wanted: Callable[[unittest.TestCase], bool] = lambda _: True,
        folder: str = "tests/system") -> None:
    """Runs every test in FOLDER whose name contains KEYWORD and that IS_WANTED."""
    loader = unittest.TestLoader()
    suite = loader.discover(str(ROOT / folder), pattern="*_test.py", top_level_dir=str(ROOT))
    for error in loader.errors:
        results.add(f"{folder}: a file of tests cannot be imported", str(error))
    groups = [[case for case in group if keyword in case.id() and is_wanted(case)]
              for group in _classes(suite)]
    out_of_time = threading.Event()
    timer = threading.Timer(_LIMIT_SECONDS * PATIENCE, out_of_time.set)
    timer.daemon = True
    timer.start()

    def run_group(cases: list[unittest.TestCase]) -> None:
        recorder = _Recorder(results)
        group = type(cases[0])
        try:
            for case in cases:
                if out_of_time.is_set():
                    results.add(_title(case), "not run: the system tests took too long")
                else:
                    case.run(recorder)
            _look_for_leaks(results, group)
        finally:
            group.tearDownClass()

    with ThreadPoolExecutor(_AT_ONCE) as workers:
        try:
            list(workers.map(run_group, [group for group in groups if group]))
        except KeyboardInterrupt:
            # Threads cannot be interrupted, but their machines die with this process.
            print("\n./dev: interrupted", file=sys.stderr, flush=True)
            os._exit(_INTERRUPTED)
    timer.cancel()
