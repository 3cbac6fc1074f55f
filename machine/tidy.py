# SPDX-License-Identifier: BSD-3-Clause
"""clang-tidy over every C++ file, each only when it or something it includes has changed.

Unit tests are left out: GoogleTest's macros alone take half a minute each.
"""

import hashlib
import json
import os
import re
import shlex
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
# GCC's options that clang does not know, and those that only say where the output goes.
_DROPPED = {"-c", "-MD", "-fno-tree-loop-distribute-patterns", "-mno-outline-atomics"}
_DROPPED_WITH_VALUE = {"-o", "-MF", "-MT"}


@dataclass(frozen=True)
class Unit:
    """A C++ file, the compiler options it is built with, and a fingerprint of all it is made of.

    Without a fingerprint it is looked at every time.
    """

    source: Path
    options: tuple[str, ...]
    fingerprint: str | None


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


def _object(command: str) -> str:
    """The object file that COMMAND writes, as ninja names it."""
    words = shlex.split(command)
    return words[words.index("-o") + 1]


def _options(command: str, source: Path, cross: bool) -> tuple[str, ...]:
    """The options in COMMAND that mean something to clang-tidy."""
    kept = ["--target=aarch64-linux-gnu"] if cross else []
    words = iter(shlex.split(command)[1:])
    for word in words:
        if word in _DROPPED_WITH_VALUE:
            next(words)
        elif word not in _DROPPED and word != str(source):
            kept.append(word)
    return tuple(kept)


def units() -> list[Unit]:
    """Every C++ file that some build compiles."""
    found: dict[Path, Unit] = {}
    for preset in _PRESETS:
        build = BUILD / preset
        database = build / "compile_commands.json"
        # CMake writes none for a build without targets.
        commands = json.loads(database.read_text()) if database.is_file() else []
        dependencies = _dependencies(build)
        for entry in commands:
            source = Path(entry["file"])
            ours = source.suffix == ".cpp" and not source.is_relative_to(BUILD)
            if not ours or source in found or source.stem.endswith("_test"):
                continue
            # Never compiled: nobody knows what it is made of, and it gets no fingerprint.
            used = dependencies.get(_object(entry["command"]), [])
            found[source] = Unit(source, _options(entry["command"], source, preset != "host"),
                                 _fingerprint(used, entry["command"]) if used else None)
    return list(found.values())


def _check(unit: Unit) -> str:
    """The complaints about one file."""
    try:
        done = subprocess.run(
            ["clang-tidy-19", "--quiet", "--warnings-as-errors=*", str(unit.source), "--",
             *unit.options],
            cwd=BUILD, capture_output=True, text=True, check=False, timeout=_FILE_SECONDS)
    except subprocess.TimeoutExpired:
        return f"clang-tidy was not done after {_FILE_SECONDS} s"
    if done.returncode == 0:
        if unit.fingerprint:
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
        if unit.fingerprint and (_PASSED / unit.fingerprint).is_file():
            results.add_quietly(1)
        else:
            todo.append(unit)
    with ThreadPoolExecutor(os.cpu_count() or 1) as workers:
        list(workers.map(examine, todo))
