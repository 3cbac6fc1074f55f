# SPDX-License-Identifier: BSD-3-Clause
"""Two builds of the hypervisor's image, in different folders, are the same to the byte."""

import hashlib
import os
import shutil
import time

from machine.command import run_logged
from machine.paths import BUILD, HYPERVISOR_IMAGE, ROOT
from machine.progress import Step
from machine.results import Results

_IMAGE = "hypervisor/gunyah.Image"
_AGAIN = BUILD / "el2-again/another/folder"


def _check() -> str:
    shutil.rmtree(_AGAIN, ignore_errors=True)
    with Step("building the hypervisor a second time"):
        run_logged("configuring it", [
            "cmake", "-S", str(ROOT), "-B", str(_AGAIN), "-G", "Ninja", "-DGUNYAH_BUILD=el2",
            "-DCMAKE_C_COMPILER_LAUNCHER=", "-DCMAKE_CXX_COMPILER_LAUNCHER=",
            f"-DCMAKE_TOOLCHAIN_FILE={ROOT / 'cmake/el2.toolchain.cmake'}"],
            "configure-again.log", timeout=300)
        run_logged("building it", ["ninja", "-C", str(_AGAIN), f"-j{os.cpu_count() or 1}", _IMAGE],
                   "build-again.log", timeout=3600)
    first, second = (hashlib.sha256(path.read_bytes()).hexdigest()
                     for path in (HYPERVISOR_IMAGE, _AGAIN / _IMAGE))
    shutil.rmtree(_AGAIN.parents[1])
    return "" if first == second else f"the first build's image is {first},\nthe second's {second}"


def run(results: Results) -> None:
    """Expects that build/el2 is built."""
    start = time.monotonic()
    problem = _check()
    results.add("reproducible: hypervisor and Resource Manager, built twice", problem,
                time.monotonic() - start)
