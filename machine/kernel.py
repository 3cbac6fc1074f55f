# SPDX-License-Identifier: BSD-3-Clause
"""Debian's current arm64 kernel and what is needed to build modules for it."""

import gzip
import re
import shutil
from pathlib import Path

from machine import archive
from machine.command import run_logged
from machine.failure import Failure
from machine.paths import HEADERS_TREE, KERNEL_TREE
from machine.progress import Step

_ARM64_MAGIC = b"ARM\x64"
_MAGIC_OFFSET = 0x38


def release() -> str:
    """The version the fetched kernel reports as uname -r."""
    found = sorted((KERNEL_TREE / "lib/modules").glob("*"))
    if len(found) != 1:
        raise Failure("no kernel has been fetched yet (./dev fetch)")
    return found[0].name


def headers() -> Path:
    """The build folder for out-of-tree modules (make -C)."""
    return HEADERS_TREE / f"usr/src/linux-headers-{release()}"


def module_tree() -> Path:
    """The kernel's own modules, with modules.dep."""
    return KERNEL_TREE / "lib/modules" / release()


def image() -> bytes:
    """The kernel as an uncompressed arm64 Image."""
    data = (KERNEL_TREE / f"boot/vmlinuz-{release()}").read_bytes()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    if data[_MAGIC_OFFSET:_MAGIC_OFFSET + 4] != _ARM64_MAGIC:
        raise Failure(f"Debian's kernel {release()} is in no format known here "
                      "(neither an arm64 Image nor a gzip of one)")
    return data


def fetch() -> None:
    """Fetches the kernel that linux-image-arm64 names today, its headers and kbuild's programs."""
    image_package = archive.depends("linux-image-arm64", r"linux-image-\d.*-arm64")
    headers_package = archive.depends("linux-headers-arm64", r"linux-headers-\d.*-arm64")
    common = archive.depends(headers_package, r"linux-headers-\d.*-common")
    kbuild = archive.depends(headers_package, r"linux-kbuild-\d.*")
    image_deb = archive.download(f"{image_package}:arm64")
    # kbuild's helper programs run on this computer, hence amd64.
    header_debs = [archive.download(package) for package in
                   (f"{headers_package}:arm64", f"{common}:arm64", f"{kbuild}:amd64")]
    with Step(f"unpacking {image_package} and its headers"):
        for tree in (KERNEL_TREE, HEADERS_TREE):
            shutil.rmtree(tree, ignore_errors=True)
        archive.unpack(image_deb, KERNEL_TREE)
        for deb in header_debs:
            archive.unpack(deb, HEADERS_TREE)
        _relocate_headers()
        run_logged("listing the kernel's module dependencies",
                   ["depmod", "-b", KERNEL_TREE, release()], "depmod.log")


def _relocate_headers() -> None:
    """Debian's header makefiles name /usr/src and /usr/lib; here they stand elsewhere."""
    for makefile in HEADERS_TREE.glob("usr/src/linux-headers-*/Makefile"):
        text = makefile.read_text()
        moved = re.sub(r"(?m)(?<![\w.}])/usr/(src|lib)/linux-", rf"{HEADERS_TREE}/usr/\1/linux-", text)
        if moved != text:
            makefile.write_text(moved)
