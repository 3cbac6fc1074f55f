# SPDX-License-Identifier: BSD-3-Clause
"""Checks of the text of the sources: format, licence lines, sizes, kernel style, Python types."""

import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from machine import binding, code_lines, documentation, kernel_scripts
from machine.command import run_logged
from machine.paths import ROOT
from machine.results import Results
from machine.sources import cxx_sources, kernel_sources, tracked

_MAX_FILE_LINES = 600
_CODE = (".cpp", ".hpp", ".c", ".h", ".S", ".py", ".sh", ".cmake")


def _output_of(command: list[str]) -> str:
    """What COMMAND complained about, or nothing when it was content."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else (done.stdout + done.stderr or "no message")


def _format() -> str:
    files = [str(path) for path in cxx_sources()]
    said = _output_of(["clang-format-19", "--dry-run", "--Werror", *files]) if files else ""
    wrong = sorted({line.split(":")[0] for line in said.splitlines() if ": error:" in line})
    return "\n".join([*wrong, "./dev format mends them"] if wrong else [said])


def format_sources() -> None:
    """Rewrites every C++ file as clang-format would have it."""
    files = [str(path) for path in cxx_sources()]
    run_logged("formatting", ["clang-format-19", "-i", *files], "format.log")


def _headers() -> str:
    """Every source file names its licence at its top and stays within its size."""
    complaints = []
    for path in tracked():
        if path.suffix not in _CODE:
            continue
        lines = (ROOT / path).read_text(errors="replace").splitlines()
        if not any("SPDX-License-Identifier:" in line for line in lines[:2]):
            complaints.append(f"{path}: no SPDX-License-Identifier in the first two lines")
        if len(lines) > _MAX_FILE_LINES:
            complaints.append(f"{path}: {len(lines)} lines, the limit is {_MAX_FILE_LINES}")
    return "\n".join(complaints)


def _dkms() -> str:
    """dkms.conf names exactly the modules that the makefiles build."""
    built = [name for path in (ROOT / "linux").glob("*/**/Makefile")
             if path.parent.name != "liar"
             for name in re.findall(r"(?m)^obj-\S+ \+= (\S+)\.o$", path.read_text())]
    named = re.findall(r'(?m)^BUILT_MODULE_NAME\[\d+\]="(.+)"$',
                       (ROOT / "linux/dkms.conf").read_text())
    return "" if sorted(built) == sorted(named) else f"dkms.conf has {named}, built are {built}"


def _python_types() -> str:
    return _output_of(["mypy", "--strict", "--explicit-package-bases", "--cache-dir",
                       "build/mypy", "machine", "tests/system", "tests/debian"])


def _kernel_style() -> str:
    sources = kernel_sources()
    # BIT() does not exist for user space, and checkpatch does not know an UAPI header by its name.
    for_users = [path for path in sources if "uapi" in path.parts]
    # Nor that of a trace event, which is no function call although it looks like one.
    events = [path for path in sources if path.name == "trace.h"]
    others = [path for path in sources if path not in for_users and path not in events]
    return (_checkpatch(others) + _checkpatch(for_users, "--ignore=BIT_MACRO")
            + _checkpatch(events, "--ignore=COMPLEX_MACRO,OPEN_ENDED_LINE,PARENTHESIS_ALIGNMENT"))


def _checkpatch(files: list[Path], *options: str) -> str:
    command = ["perl", str(kernel_scripts.folder() / "checkpatch.pl"), "--no-tree", "--strict", "--terse",
               "--no-summary", "--show-types", *options, "--file", *map(str, files)]
    return _output_of(command) if files else ""


def run(results: Results) -> None:
    """Runs every check of this file."""
    checks: tuple[tuple[str, Callable[[], str]], ...] = (
        ("format: C++ is as clang-format writes it", _format),
        ("format: licence lines and file sizes", _headers),
        ("format: EL2 and the Resource Manager stay small", code_lines.check),
        ("format: the kernel code passes checkpatch --strict", _kernel_style),
        ("format: dkms.conf names every module", _dkms),
        ("format: the device tree binding, and the public stack's nodes against it", binding.check),
        ("format: the drivers' documentation through Sphinx and kernel-doc", documentation.check),
        ("format: the Python code passes mypy --strict", _python_types),
    )
    for name, check in checks:
        start = time.monotonic()
        results.add(name, check(), time.monotonic() - start)
