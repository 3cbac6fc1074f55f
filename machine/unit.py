# SPDX-License-Identifier: BSD-3-Clause
"""The host's unit tests: CTest for the C++ parts, unittest for the Python in machine/."""

import os
import time
import unittest
import xml.etree.ElementTree as ElementTree

from machine.command import run_logged
from machine.failure import Failure
from machine.paths import BUILD, ROOT
from machine.progress import Step
from machine.results import Results

_REPORT = BUILD / "logs/unit.xml"
_LIMIT_SECONDS = 900
_CASE_SECONDS = 300

# What cmake/run_fuzzer.sh looks at.
FUZZ_SECONDS = "GUNYAH_FUZZ_SECONDS"
_MOST_FUZZ_TARGETS = 30
# And tests/model, which makes more of them in a second on any computer that does the rest in time.
MODEL_STEPS = "GUNYAH_MODEL_STEPS"
_MODEL_STEPS_PER_SECOND = 2000


def run(results: Results, keyword: str) -> None:
    """Runs every unit test whose name contains KEYWORD; only failures get a line of their own."""
    _run_python(results, keyword)
    _run_ctest(results, keyword)


def _run_ctest(results: Results, keyword: str) -> None:
    _REPORT.unlink(missing_ok=True)
    only = ["-R", keyword] if keyword else []
    with Step("running the unit tests") as step:
        try:
            fuzzing = int(os.environ.get(FUZZ_SECONDS, "0"))
            model = int(os.environ.get(MODEL_STEPS, "0")) // _MODEL_STEPS_PER_SECOND
            run_logged("unit tests",
                       ["ctest", "--preset", "host", "--timeout", str(_CASE_SECONDS + fuzzing + model),
                        "--output-junit", _REPORT, *only],
                       "ctest.log", timeout=_LIMIT_SECONDS + fuzzing * _MOST_FUZZ_TARGETS + model)
        except Failure as failure:
            if not _REPORT.is_file():
                results.add("unit: CTest", f"{failure.sentence}\n{failure.log_tail}")
                return
        cases = list(ElementTree.parse(_REPORT).getroot().iter("testcase"))
        step.detail = f"{len(cases)} cases"
    if not cases and not keyword:
        results.add("unit: CTest", "there are no unit tests")
    for case in cases:
        if case.get("status") == "run":
            results.add_quietly(1)
        else:
            results.add(f"unit: {case.get('name')}", case.findtext("system-out") or "no output",
                        float(case.get("time") or 0))


def _cases(suite: unittest.TestSuite) -> list[unittest.TestCase]:
    found: list[unittest.TestCase] = []
    for entry in suite:
        found += _cases(entry) if isinstance(entry, unittest.TestSuite) else [entry]
    return found


def _run_python(results: Results, keyword: str) -> None:
    loader = unittest.TestLoader()
    suite = loader.discover(str(ROOT / "machine"), pattern="*_test.py", top_level_dir=str(ROOT))
    for case in _cases(suite):
        if keyword not in case.id():
            continue
        start = time.monotonic()
        outcome = unittest.TestResult()
        case.run(outcome)
        problems = [text for _, text in outcome.errors + outcome.failures]
        if problems:
            results.add(f"unit: {case.id()}", "\n".join(problems), time.monotonic() - start)
        else:
            results.add_quietly(1)
