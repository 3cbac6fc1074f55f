# SPDX-License-Identifier: BSD-3-Clause
"""Debian's current arm64 kernels and what is needed to build modules for them."""

import gzip
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from machine import archive
from machine.command import run_logged
from machine.failure import Failure
from machine.paths import BUILD, CACHE, relative
from machine.progress import Step

_ARM64_MAGIC = b"ARM\x64"
_MAGIC_OFFSET = 0x38


@dataclass(frozen=True)
class Kernel:
    """One of the kernels. Its files lie in folders of its own, whose names end in SUFFIX."""

    title: str
    suffix: str
    source: archive.Archive
    # Modules that the primary VM can load when it needs them.
    on_demand: tuple[str, ...] = ("ext4", "crc32c_generic", "loop", "dummy", "tun", "virtio_mmio",
                                  "virtio_blk", "virtio_net")

    @property
    def tree(self) -> Path:
        """What the kernel's package holds."""
        return CACHE / f"kernel{self.suffix}"

    @property
    def headers_tree(self) -> Path:
        """What the packages with headers and build programs hold."""
        return CACHE / f"headers{self.suffix}"

    @property
    def built(self) -> Path:
        """Where our modules for this kernel are built."""
        return BUILD / f"linux{self.suffix}"

    @property
    def images(self) -> Path:
        """Where what a machine with this kernel boots is packed."""
        return BUILD / f"image{self.suffix}"

    @property
    def boot_image(self) -> Path:
        """The kernel as machines boot it."""
        return self.images / "Image"

    @property
    def primary_initrd(self) -> Path:
        """The initramfs of the primary VM."""
        return self.images / "primary.cpio"

    @property
    def guest_initrd(self) -> Path:
        """The initramfs of a guest."""
        return self.images / "guest.cpio"

    def release(self) -> str:
        """The version this kernel reports as uname -r."""
        found = sorted((self.tree / "lib/modules").glob("*"))
        if len(found) != 1:
            raise Failure(f"no kernel in {relative(self.tree)} yet (./dev fetch)")
        return found[0].name

    def headers(self) -> Path:
        """The build folder for out-of-tree modules (make -C)."""
        return self.headers_tree / f"usr/src/linux-headers-{self.release()}"

    def module_tree(self) -> Path:
        """The kernel's own modules, with modules.dep."""
        return self.tree / "lib/modules" / self.release()

    def guest_kernel(self) -> "Kernel":
        """What runs in the guests of a primary VM with this kernel."""
        return self

    def image(self) -> bytes:
        """The kernel as an uncompressed arm64 Image."""
        data = (self.tree / f"boot/vmlinuz-{self.release()}").read_bytes()
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
        if data[_MAGIC_OFFSET:_MAGIC_OFFSET + 4] != _ARM64_MAGIC:
            raise Failure(f"Debian's kernel {self.release()} is in no format known here "
                          "(neither an arm64 Image nor a gzip of one)")
        return data

    def fetch(self) -> None:
        """Fetches the kernel that linux-image-arm64 names today, its headers and kbuild's programs."""
        image_package = self.source.depends("linux-image-arm64", r"linux-image-\d.*-arm64")
        headers_package = self.source.depends("linux-headers-arm64", r"linux-headers-\d.*-arm64")
        common = self.source.depends(headers_package, r"linux-headers-\d.*-common")
        kbuild = self.source.depends(headers_package, r"linux-kbuild-\d.*")
        image_deb = self.source.download(f"{image_package}:arm64")
        # kbuild's helper programs run on this computer, hence amd64.
        header_debs = [self.source.download(package) for package in
                       (f"{headers_package}:arm64", f"{common}:arm64", f"{kbuild}:amd64")]
        with Step(f"unpacking {image_package} and its headers"):
            for tree in (self.tree, self.headers_tree):
                shutil.rmtree(tree, ignore_errors=True)
            archive.unpack(image_deb, self.tree)
            for deb in header_debs:
                archive.unpack(deb, self.headers_tree)
            self._relocate_headers()
            run_logged("listing the kernel's module dependencies",
                       ["depmod", "-b", self.tree, self.release()], "depmod.log")

    def _relocate_headers(self) -> None:
        """Debian's header makefiles name /usr/src and /usr/lib; here they stand elsewhere."""
        here = self.headers_tree.resolve()
        for makefile in here.glob("usr/src/linux-headers-*/Makefile"):
            text = makefile.read_text()
            moved = re.sub(r"(?m)(?<![\w.}])/usr/(src|lib)/linux-",
                           rf"{here}/usr/\1/linux-", text)
            if moved != text:
                makefile.write_text(moved)


STANDARD = Kernel("Debian 12's own kernel", "", archive.OWN_RELEASE)
NEWER = Kernel("the kernel of Debian 12's backports", "-backports", archive.BACKPORTS)
KERNELS = (STANDARD, NEWER)


def named(series: str) -> Kernel:
    """The fetched kernel whose version begins with SERIES, e.g. 6.12."""
    known = {".".join(kernel.release().split(".")[:2]): kernel for kernel in KERNELS}
    if series not in known:
        raise Failure(f"there is no kernel {series} here, only {' and '.join(known)}")
    return known[series]
