# SPDX-License-Identifier: BSD-3-Clause
"""Builds the parts: three CMake presets and the kernel modules."""

import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from machine.command import run_logged
from machine.kernel import KERNELS, Kernel
from machine.paths import BUILD, LOGS, ROOT
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


def kbuild_command(kernel: Kernel, out: Path, *extra: str) -> list[str]:
    """make for our modules and the tests' one for KERNEL into OUT, with EXTRA arguments."""
    return ["make", "-C", str(ROOT / "linux"), f"KDIR={kernel.headers()}", f"OUT={out}",
            "CONFIG_GUNYAH_LIAR=m", f"-j{os.cpu_count() or 1}", *extra]


def built_modules(kernel: Kernel) -> list[Path]:
    """Our modules, each after those it needs, as kbuild lists them (.ko, newer ones .o)."""
    order = (kernel.built / "tree/modules.order").read_text().split()
    return [kernel.built / Path(line).with_suffix(".ko").name for line in order]


def build_modules(kernel: Kernel) -> None:
    """Builds linux/ as modules for KERNEL."""
    release = kernel.release()
    with Step(f"building the modules for {release}"):
        stamp = kernel.built / "built-for"
        if stamp.is_file() and stamp.read_text() != release:
            shutil.rmtree(kernel.built)
        run_logged(f"building the modules for {release}", kbuild_command(kernel, kernel.built),
                   f"build-modules{kernel.suffix}.log", timeout=1800)
        stamp.write_text(release)


def build_machine(kernels: Iterable[Kernel] = KERNELS) -> None:
    """What a run needs: hypervisor, Resource Manager, VMM, and modules for KERNELS."""
    build_preset("el2")
    build_preset("linux-arm64")
    for kernel in kernels:
        build_modules(kernel)
