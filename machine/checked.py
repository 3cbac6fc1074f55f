# SPDX-License-Identifier: BSD-3-Clause
"""Hypervisor and Resource Manager with a trap at all undefined behaviour, under the bare-metal checks."""

import os
import re
import time

from machine.command import run_logged
from machine.paths import BUILD, ROOT
from machine.progress import Step
from machine.qemu import Configuration, Machine
from machine.results import Results
from tests.system.conformance import PROGRAM

_FOLDER = BUILD / "el2-checked"
_IMAGE = "hypervisor/gunyah.Image"
_SECONDS = 300


def _build() -> None:
    with Step("building the hypervisor with checks"):
        if not (_FOLDER / "build.ninja").is_file():
            run_logged("configuring it", [
                "cmake", "-S", str(ROOT), "-B", str(_FOLDER), "-G", "Ninja", "-DGUNYAH_BUILD=el2",
                f"-DCMAKE_TOOLCHAIN_FILE={ROOT / 'cmake/el2.toolchain.cmake'}",
                "-DCMAKE_CXX_FLAGS=-fsanitize=undefined -fsanitize-undefined-trap-on-error"],
                "configure-checked.log", timeout=300)
        run_logged("building it", ["ninja", "-C", str(_FOLDER), f"-j{os.cpu_count() or 1}", _IMAGE],
                   "build-checked.log", timeout=3600)


def _check() -> str:
    configuration = Configuration(hypervisor=_FOLDER / _IMAGE, kernel=PROGRAM, initrd=None,
                                  boot_arguments="conformance")
    with Machine(configuration, "checked", _SECONDS) as machine:
        summary = machine.expect(r"^\d+ passed, (\d+) failed", _SECONDS, "the checks' end")
        text = machine.text
    return "" if summary[1] == "0" else "\n".join(re.findall(r"^FAIL .*", text, re.MULTILINE))


def run(results: Results) -> None:
    """Expects that build/el2 is built, which has the program of the checks."""
    _build()
    start = time.monotonic()
    results.add("checked: no undefined behaviour of EL2 or RM under the bare-metal checks", _check(),
                time.monotonic() - start)
