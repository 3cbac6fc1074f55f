# SPDX-License-Identifier: BSD-3-Clause
"""The kernel modules once more with the compiler's extra warnings and under sparse."""

import shutil
import time

from machine import build
from machine.command import run_logged
from machine.paths import BUILD, MODULES, ROOT
from machine.results import Results

_TREE = BUILD / "linux-check"


def _complaints(output: str) -> str:
    """The warnings about our own files; Debian's headers are not ours to mend."""
    said = [line for line in output.splitlines() if "warning:" in line or "error:" in line]
    return "\n".join(line for line in said if str(_TREE) in line or not line.startswith("/"))


def run(results: Results) -> None:
    """One result: whether compiler (W=1) and sparse are content with every module."""
    if not (ROOT / "linux/Kbuild").is_file():
        results.add("sparse: kernel modules", "linux/Kbuild is missing")
        return
    start = time.monotonic()
    shutil.rmtree(_TREE, ignore_errors=True)
    shutil.copytree(ROOT / "linux", _TREE)
    command = [word.replace(str(MODULES), str(_TREE)) for word in
               build.kbuild_command("W=1", "C=1", "CHECK=sparse", "CF=-D__CHECK_ENDIAN__")]
    output = run_logged("building the kernel modules under sparse", command, "sparse.log",
                        timeout=1200)
    results.add("sparse: kernel modules under sparse and W=1", _complaints(output),
                time.monotonic() - start)
