# SPDX-License-Identifier: BSD-3-Clause
"""./dev coverage: how much of the core the host tests run, line by line, counted by clang."""

import json
import os
import re
import shutil
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from machine.build import build_preset
from machine.command import run_logged
from machine.failure import Failure
from machine.paths import BUILD, ROOT
from machine.progress import Step, note

_PLACE = BUILD / "coverage"
_PROFILES = _PLACE / "profiles"
_LEAST_PERCENT = 90

# What is compiled for the host is counted: hypervisor/arm64, most of hypervisor/boot and
# resource_manager/arm64 need the machine (tests/guest, tests/root, tests/system).
_PARTS = ("hypervisor", "resource_manager", "runtime")
_NO_PRODUCT = re.compile(r"_test\.cpp$|/(fake|testing|host)/|_fixture\.hpp$")

# A model test as long as it is in ./dev test, and the same each time.
_ENVIRONMENT = {"GUNYAH_MODEL_SEED": "1", "GUNYAH_MODEL_STEPS": "50000"}


@dataclass
class Lines:
    """Lines with code, and those of them that ran."""

    count: int = 0
    covered: int = 0

    def add(self, other: "Lines") -> None:
        """Counts OTHER, too."""
        self.count += other.count
        self.covered += other.covered

    @property
    def percent(self) -> float:
        """Of the lines that ran."""
        return 100.0 * self.covered / self.count if self.count else 100.0


def _programs() -> list[Path]:
    found = [path for pattern in ("*_test", "*_fuzzer") for path in _PLACE.rglob(pattern)
             if path.is_file() and os.access(path, os.X_OK)]
    if not found:
        raise Failure("there is nothing to run in build/coverage")
    return sorted(found)


def _run(program: Path) -> None:
    command = [str(program)]
    if program.name.endswith("_fuzzer"): # its seeds alone: a figure that stays the same
        seeds = ROOT / "tests/fuzz/seeds" / program.name.removesuffix("_fuzzer")
        command += ["-runs=0", str(seeds)]
    profile = {"LLVM_PROFILE_FILE": str(_PROFILES / f"{program.name}.profraw")}
    run_logged(program.name, command, f"coverage-{program.name}.log", timeout=900,
               env={**os.environ, **_ENVIRONMENT, **profile})


def _measure(programs: list[Path]) -> dict[str, Lines]:
    """Lines by file, relative to the top of the work tree."""
    merged = _PLACE / "all.profdata"
    run_logged("merging the profiles",
               ["llvm-profdata-19", "merge", "-sparse", "-o", merged, *sorted(_PROFILES.iterdir())],
               "coverage-merge.log")
    objects = [word for program in programs[1:] for word in ("-object", str(program))]
    text = run_logged("reading the coverage",
                      ["llvm-cov-19", "export", "-summary-only", f"-instr-profile={merged}",
                       str(programs[0]), *objects], "coverage-export.log")
    lines: dict[str, Lines] = {}
    for entry in json.loads(text[text.index("{"):])["data"][0]["files"]:
        path = Path(os.path.normpath(entry["filename"]))
        name = str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else ""
        if name.startswith(_PARTS) and not _NO_PRODUCT.search(name):
            summary = entry["summary"]["lines"]
            lines[name] = Lines(summary["count"], summary["covered"])
    return lines


def _report(lines: dict[str, Lines]) -> Lines:
    folders: dict[str, Lines] = defaultdict(Lines)
    parts: dict[str, Lines] = defaultdict(Lines)
    core = Lines()
    for name, found in sorted(lines.items()):
        folders[str(Path(name).parent)].add(found)
        parts[name.split("/", 1)[0]].add(found)
        core.add(found)
    for name, found in [*folders.items(), *parts.items(), ("the core", core)]:
        note(f"{found.percent:5.1f} %  {found.covered:5} of {found.count:5} lines  {name}")
    weakest = sorted(lines.items(), key=lambda item: item[1].covered - item[1].count)[:8]
    for name, found in weakest:
        note(f"{found.count - found.covered:5} lines never ran in {name}")
    return core


def run() -> int:
    """Builds, runs, prints; the exit status is 1 if less than _LEAST_PERCENT of the lines ran.

    What ran line by line: llvm-cov-19 show -instr-profile=build/coverage/all.profdata PROGRAM.
    """
    build_preset("coverage")
    shutil.rmtree(_PROFILES, ignore_errors=True)
    _PROFILES.mkdir(parents=True)
    programs = _programs()
    with Step("running the tests of the core") as step:
        for program in programs:
            step.detail = program.name
            _run(program)
        step.detail = f"{len(programs)} programs"
    core = _report(_measure(programs))
    print(f"{core.percent:.1f} % of the core's lines ran, {_LEAST_PERCENT} % must")
    return 0 if core.percent >= _LEAST_PERCENT else 1
