# SPDX-License-Identifier: BSD-3-Clause
"""A kernel of the same version as Debian 12's, with everything that looks for mistakes turned on.

Debian's own source, the small configuration of debug_kernel.config. It runs in the primary VM of
`./dev test --debug-kernel`; guests have Debian's kernel as always, since their mistakes are not ours.
"""

import os
import shutil
import tarfile
from dataclasses import dataclass
from pathlib import Path

from machine import archive
from machine.command import run_logged
from machine.failure import Failure
from machine.kernel import STANDARD, Kernel
from machine.paths import BUILD, ROOT, relative
from machine.progress import Step

_CONFIGURATION = ROOT / "machine/debug_kernel.config"
_FOLDER = BUILD / "debug-kernel"
_SOURCE = _FOLDER / "source"
_OUT = _FOLDER / "out"
_BUILD_SECONDS = 4 * 3600
# Chooses the debug kernel for the primary VM, for this process and those that it starts.
ENVIRONMENT = "GUNYAH_DEBUG_KERNEL"


@dataclass(frozen=True)
class DebugKernel(Kernel):
    """Built here instead of fetched."""

    @property
    def tree(self) -> Path:
        return _FOLDER / "tree"

    def release(self) -> str:
        file = _OUT / "include/config/kernel.release"
        if not file.is_file():
            raise Failure(f"no kernel in {relative(_OUT)} yet (./dev test --debug-kernel builds it)")
        return file.read_text().strip()

    def headers(self) -> Path:
        return _OUT

    def image(self) -> bytes:
        return (_OUT / "arch/arm64/boot/Image").read_bytes()

    def guest_kernel(self) -> Kernel:
        return STANDARD

    def fetch(self) -> None:
        """Unpacks Debian's source of the kernel that is in use."""
        version = ".".join(STANDARD.release().split(".")[:2])
        archive.OWN_RELEASE.update()
        deb = archive.OWN_RELEASE.download(f"linux-source-{version}:arm64")
        with Step(f"unpacking {deb.name}"):
            scratch = _FOLDER / "new"
            shutil.rmtree(_FOLDER, ignore_errors=True)
            archive.unpack(deb, scratch / "package")
            with tarfile.open(next((scratch / "package/usr/src").glob("*.tar.xz"))) as packed:
                packed.extractall(scratch)
            next(scratch.glob("linux-source-*")).rename(_SOURCE)
            shutil.rmtree(scratch)
            deb.unlink()

    def build(self) -> None:
        """Builds it unless it is there already, built from the configuration of today."""
        wanted = _CONFIGURATION.read_text()
        stamp = _FOLDER / "built-from"
        if stamp.is_file() and stamp.read_text() == wanted:
            return
        if not _SOURCE.is_dir():
            self.fetch()
        with Step("building the debug kernel, which takes 10 to 30 minutes"):
            self._make("configuring the debug kernel", "allnoconfig")
            self._check_configuration(wanted)
            self._make("building the debug kernel", "Image", "modules")
            self._make("installing the debug kernel's modules", "modules_install")
        stamp.write_text(wanted)

    def _make(self, what: str, *targets: str) -> None:
        run_logged(what, ["nice", "make", "-C", _SOURCE, f"O={_OUT}", "ARCH=arm64",
                          "CROSS_COMPILE=aarch64-linux-gnu-", "CC=aarch64-linux-gnu-gcc-12",
                          "KBUILD_BUILD_TIMESTAMP=0", f"INSTALL_MOD_PATH={self.tree}",
                          f"-j{os.cpu_count() or 1}", *targets],
                   f"debug-kernel-{targets[0]}.log",
                   env=os.environ | {"KCONFIG_ALLCONFIG": str(_CONFIGURATION)},
                   timeout=_BUILD_SECONDS)

    @staticmethod
    def _check_configuration(wanted: str) -> None:
        """Kconfig drops without a word what something else forbids."""
        got = set((_OUT / ".config").read_text().splitlines())
        missing = [line for line in wanted.splitlines()
                   if line.startswith("CONFIG_") and line not in got]
        if missing:
            raise Failure(f"the debug kernel cannot be configured with {' '.join(missing)}")


DEBUG = DebugKernel("a debug kernel", "-debug", archive.OWN_RELEASE, on_demand=())
# What the primary VM of ordinary tests runs.
PRIMARY: Kernel = DEBUG if ENVIRONMENT in os.environ else STANDARD
