# SPDX-License-Identifier: BSD-3-Clause
"""The files of the work tree that checks look at."""

import subprocess
from pathlib import Path

from machine.paths import ROOT

CXX = (".cpp", ".hpp")


def tracked() -> list[Path]:
    """Every file that git knows or would add, relative to the top."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True)
    paths = sorted({Path(name) for name in listed.stdout.split("\0") if name})
    return [path for path in paths if (ROOT / path).is_file()]


def kernel_sources() -> list[Path]:
    """The C files in kernel style."""
    return [path for path in tracked() if path.parts[0] == "linux" and path.suffix in (".c", ".h")]


def cxx_sources() -> list[Path]:
    """The files that clang-format governs: all C++ and the headers that C and C++ share."""
    return [path for path in tracked() if path.parts[0] != "linux"
            and (path.suffix in CXX or path.suffix == ".h")]
