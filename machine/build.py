# SPDX-License-Identifier: BSD-3-Clause
"""Builds the parts: three CMake presets and the kernel modules."""

import os
import re
import shutil
from pathlib import Path

from machine import kernel
from machine.command import run_logged
from machine.paths import BUILD, LOGS, MODULES, ROOT
from machine.progress import Step

PRESETS = ("host", "el2", "linux-arm64")


def _ninja_progress(log: Path) -> str:
    """How far ninja is, e.g. [12/80], from the end of its log."""
    try:
        found = list(re.finditer(r"(?m)^\[(\d+/\d+)\]", log.read_text(errors="replace")))
    except OSError:
        return ""
    return str(found[-1][1]) if found else ""


def build_preset(preset: str) -> None:
    """Configures (once) and builds the CMake preset PRESET in build/PRESET."""
    with Step(f"building {preset}") as step:
        if not (BUILD / preset / "build.ninja").is_file():
            run_logged(f"configuring {preset}", ["cmake", "--preset", preset],
                       f"configure-{preset}.log", timeout=300)
        log = f"build-{preset}.log"
        step.detail = lambda: _ninja_progress(LOGS / log)
        output = run_logged(f"building {preset}", ["cmake", "--build", "--preset", preset], log,
                            timeout=3600)
        step.detail = "nothing to do" if "ninja: no work to do" in output else ""


def kbuild_command(out: Path, *extra: str) -> list[str]:
    """make for our modules against the fetched headers into OUT, with EXTRA arguments."""
    return ["make", "-C", str(ROOT / "linux"), f"KDIR={kernel.headers()}", f"OUT={out}",
            f"-j{os.cpu_count() or 1}", *extra]


def built_modules() -> list[Path]:
    """Our modules, each after those it needs, as kbuild lists them."""
    order = (MODULES / "tree/modules.order").read_text().split()
    return [MODULES / Path(line).with_suffix(".ko").name for line in order]


def build_modules() -> None:
    """Builds linux/ as modules for the fetched kernel, in build/linux."""
    with Step("building the kernel modules"):
        stamp = MODULES / "built-for"
        if stamp.is_file() and stamp.read_text() != kernel.release():
            shutil.rmtree(MODULES)
        run_logged("building the kernel modules", kbuild_command(MODULES), "build-modules.log",
                   timeout=1800)
        stamp.write_text(kernel.release())


def build_machine() -> None:
    """What a run needs: hypervisor, Resource Manager, VMM and modules."""
    build_preset("el2")
    build_preset("linux-arm64")
    build_modules()
