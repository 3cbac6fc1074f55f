# SPDX-License-Identifier: BSD-3-Clause
"""Builds the parts: three CMake presets and the kernel modules."""

import os
import re
import shutil
from pathlib import Path

from machine import kernel
from machine.command import run_logged
from machine.failure import Failure
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


def _mirror_sources(source: Path, copy: Path) -> bool:
    """Brings COPY up to date with the files of SOURCE; returns whether anything changed.

    kbuild writes beside the sources, so the work tree's own linux/ is never built in.
    """
    changed = False
    wanted = {path.relative_to(source) for path in source.rglob("*") if path.is_file()}
    listing = copy / ".sources"
    known = set(map(Path, listing.read_text().split("\n"))) if listing.is_file() else set()
    for gone in known - wanted:
        (copy / gone).unlink(missing_ok=True)
        changed = True
    for name in wanted:
        data = (source / name).read_bytes()
        target = copy / name
        if not target.is_file() or target.read_bytes() != data:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
            changed = True
    listing.write_text("\n".join(sorted(map(str, wanted))))
    return changed


def kbuild_command(*extra: str) -> list[str]:
    """make for our modules against the fetched headers, with EXTRA arguments."""
    return ["make", "-C", str(kernel.headers()), f"M={MODULES}", "ARCH=arm64",
            "CROSS_COMPILE=aarch64-linux-gnu-", "CC=aarch64-linux-gnu-gcc-12",
            f"-j{os.cpu_count() or 1}", *extra, "modules"]


def built_modules() -> list[Path]:
    """Our modules, in the order in which kbuild lists them."""
    order = MODULES / "modules.order"
    if not order.is_file():
        return []
    names = [Path(line.strip()) for line in order.read_text().splitlines() if line.strip()]
    return [name.with_suffix(".ko") if name.is_absolute() else MODULES / name for name in names]


def build_modules() -> None:
    """Builds linux/ as modules for the fetched kernel, in build/linux."""
    if not (ROOT / "linux/Kbuild").is_file():
        raise Failure("linux/Kbuild is missing: there are no modules to build")
    MODULES.mkdir(parents=True, exist_ok=True)
    with Step("building the kernel modules") as step:
        stamp = MODULES / ".built-for"
        if stamp.is_file() and stamp.read_text() != kernel.release():
            shutil.rmtree(MODULES)
            MODULES.mkdir()
        changed = _mirror_sources(ROOT / "linux", MODULES)
        if not changed and stamp.is_file() and all(map(Path.is_file, built_modules())):
            step.detail = "nothing to do"
            return
        stamp.unlink(missing_ok=True)
        run_logged("building the kernel modules", kbuild_command(), "build-modules.log",
                   timeout=1800)
        stamp.write_text(kernel.release())


def build_machine() -> None:
    """What a run needs: hypervisor, Resource Manager, VMM and modules."""
    build_preset("el2")
    build_preset("linux-arm64")
    build_modules()
