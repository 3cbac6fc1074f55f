# SPDX-License-Identifier: BSD-3-Clause
"""The kernel modules once more with the compiler's extra warnings and under sparse."""

import shutil
import time

from machine import build
from machine.command import run_logged
from machine.kernel import STANDARD
from machine.paths import BUILD, ROOT
from machine.results import Results

_TREE = BUILD / "linux-check"


def _complaints(output: str) -> str:
    """The warnings about our own files; Debian's headers are not ours to mend."""
    ours = (str(_TREE), str(ROOT / "linux"))
    return "\n".join(line for line in output.splitlines()
                     if ("warning:" in line or "error:" in line) and line.startswith(ours))


def run(results: Results) -> None:
    """One result: whether compiler (W=1) and sparse are content with every module."""
    start = time.monotonic()
    shutil.rmtree(_TREE, ignore_errors=True)
    command = build.kbuild_command(STANDARD, _TREE, "W=1", "C=1", "CHECK=sparse", "CF=-D__CHECK_ENDIAN__")
    output = run_logged("building the kernel modules under sparse", command, "sparse.log",
                        timeout=1200)
    results.add("sparse: kernel modules under sparse and W=1", _complaints(output),
                time.monotonic() - start)
