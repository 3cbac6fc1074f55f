# SPDX-License-Identifier: BSD-3-Clause
"""Chooses kernel modules and what they depend on, and lays them out as modprobe wants them."""

import lzma
import shutil
from collections.abc import Iterable
from pathlib import Path

from machine.command import run_logged
from machine.cpio import Archive
from machine.failure import Failure
from machine.kernel import Kernel

INDEX_INPUTS = ("modules.builtin", "modules.builtin.modinfo", "modules.order")
_INDEX_OUTPUTS = ("modules.dep", "modules.alias", "modules.softdep", "modules.symbols",
                  "modules.builtin")


def module_name(path: str) -> str:
    """The name the kernel gives the module in PATH: kernel/a/virtio-rng.ko.xz is virtio_rng."""
    return Path(path).name.split(".")[0].replace("-", "_")


def parse_dependencies(text: str) -> dict[str, list[str]]:
    """modules.dep as module path -> paths of everything it needs."""
    dependencies = {}
    for line in text.splitlines():
        path, _, needs = line.partition(":")
        dependencies[path] = needs.split()
    return dependencies


def loadable(kernel: Kernel, names: Iterable[str]) -> list[str]:
    """Those of the modules NAMES that are not part of KERNEL itself."""
    builtin = (kernel.module_tree() / "modules.builtin").read_text().split()
    inside = {module_name(path) for path in builtin}
    return [name for name in names if name not in inside]


def closure(names: Iterable[str], dependencies: dict[str, list[str]]) -> list[str]:
    """The paths of the modules NAMES and of all that they need. Failure names one that is not there."""
    by_name = {module_name(path): path for path in dependencies}
    chosen: dict[str, None] = {}
    for name in names:
        path = by_name.get(name)
        if path is None:
            raise Failure(f"Debian's kernel has no module {name}")
        chosen.update(dict.fromkeys([*dependencies[path], path]))
    return list(chosen)


def _plain(path: Path) -> bytes:
    data = path.read_bytes()
    return lzma.decompress(data) if path.suffix == ".xz" else data


def add_modules(archive: Archive, kernel: Kernel, names: Iterable[str], ours: Iterable[Path],
                work: Path) -> None:
    """Adds KERNEL's modules NAMES, OURS, and modprobe's index to ARCHIVE; WORK is a scratch folder."""
    source = kernel.module_tree()
    inside = f"lib/modules/{kernel.release()}"
    staged = work / inside
    shutil.rmtree(work, ignore_errors=True)
    staged.mkdir(parents=True)
    dependencies = parse_dependencies((source / "modules.dep").read_text())
    chosen = closure(loadable(kernel, names), dependencies)
    files = {path.removesuffix(".xz"): source / path for path in chosen}
    files |= {f"extra/{path.name}": path for path in ours}
    for name, path in files.items():
        (staged / name).parent.mkdir(parents=True, exist_ok=True)
        (staged / name).write_bytes(_plain(path))
        archive.file(f"{inside}/{name}", (staged / name).read_bytes())
    for name in INDEX_INPUTS:
        shutil.copy(source / name, staged / name)
    run_logged("listing module dependencies", ["depmod", "-b", work, kernel.release()],
               "depmod-image.log")
    for name in _INDEX_OUTPUTS:
        archive.file(f"{inside}/{name}", (staged / name).read_bytes())
