# SPDX-License-Identifier: BSD-3-Clause
"""clang-tidy over every C++ file, each only when it or something it includes has changed."""

import hashlib
import json
import os
import re
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from machine.paths import BUILD, ROOT
from machine.results import Results

_PASSED = BUILD / "tidy"
_FILE_SECONDS = 180
# A file that several builds compile is looked at once, as the first of these builds sees it.
_PRESETS = ("host", "el2", "linux-arm64")


@dataclass(frozen=True)
class Unit:
    """A C++ file, the build that compiles it, and a fingerprint of all that it is made of."""

    source: Path
    build: Path
    fingerprint: str


def _dependencies(build: Path) -> dict[str, list[str]]:
    """Object file -> everything in the work tree it was compiled from, as ninja recorded it."""
    listed = subprocess.run(["ninja", "-C", str(build), "-t", "deps"],
                            capture_output=True, text=True, check=True)
    found: dict[str, list[str]] = {}
    current: list[str] = []
    for line in listed.stdout.splitlines():
        if line.startswith("    "):
            path = (build / line.strip()).resolve()
            if path.is_relative_to(ROOT):
                current.append(str(path))
        elif ":" in line:
            current = found.setdefault(line.split(":")[0], [])
    return found


def _fingerprint(paths: list[str], command: str) -> str:
    digest = hashlib.sha256(command.encode() + (ROOT / ".clang-tidy").read_bytes())
    for path in sorted(paths):
        digest.update(Path(path).read_bytes())
    return digest.hexdigest()


def units() -> list[Unit]:
    """Every C++ file that some build compiles."""
    found: dict[Path, Unit] = {}
    for preset in _PRESETS:
        build = BUILD / preset
        commands = json.loads((build / "compile_commands.json").read_text())
        dependencies = _dependencies(build)
        for entry in commands:
            source = Path(entry["file"])
            if source.suffix != ".cpp" or source in found or source.is_relative_to(BUILD):
                continue
            used = dependencies.get(entry.get("output", ""), []) or [str(source)]
            found[source] = Unit(source, build, _fingerprint(used, entry["command"]))
    return list(found.values())


def _check(unit: Unit) -> str:
    """The complaints about one file."""
    cross = [] if unit.build.name == "host" else ["--extra-arg=--target=aarch64-linux-gnu"]
    try:
        done = subprocess.run(
            ["clang-tidy-19", "--quiet", "--warnings-as-errors=*", "-p", str(unit.build), *cross,
             str(unit.source)],
            capture_output=True, text=True, check=False, timeout=_FILE_SECONDS)
    except subprocess.TimeoutExpired:
        return f"clang-tidy was not done after {_FILE_SECONDS} s"
    if done.returncode == 0:
        (_PASSED / unit.fingerprint).touch()
        return ""
    told = [line for line in done.stdout.splitlines() if re.search(r"(error|warning|note):", line)]
    return "\n".join(told) or done.stdout + done.stderr


def run(results: Results) -> None:
    """Looks at every file that has changed since it last passed."""
    _PASSED.mkdir(parents=True, exist_ok=True)

    def examine(unit: Unit) -> None:
        start = time.monotonic()
        problem = _check(unit)
        results.add(f"tidy: {unit.source.relative_to(ROOT)}", problem, time.monotonic() - start)

    todo = []
    for unit in units():
        if (_PASSED / unit.fingerprint).is_file():
            results.add_quietly(1)
        else:
            todo.append(unit)
    with ThreadPoolExecutor(os.cpu_count() or 1) as workers:
        list(workers.map(examine, todo))
