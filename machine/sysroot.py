# SPDX-License-Identifier: BSD-3-Clause
"""Debian's arm64 libraries for our programs, the busybox of both userlands, and passt."""

import shutil
from pathlib import Path

from machine import archive
from machine.paths import BUSYBOX_TREE, PASST_TREE, SYSROOT
from machine.progress import Step

# The C and C++ libraries come with the cross compiler; these are the ones beyond it.
LIBRARIES = (
    "libfdt-dev:arm64",         # device trees: the VMM and the Resource Manager
    "libcli11-dev:arm64",       # the VMM's command line
    "libfmt-dev:arm64",         # the VMM's messages
    "nlohmann-json3-dev:arm64",  # the VMM's machine-readable output
    "zlib1g-dev:arm64",         # kernels and disks compressed with gzip and zlib: the VMM
    "libzstd-dev:arm64",        # likewise with zstd
    "liburing-dev:arm64",       # disks' transfers side by side: the VMM
)


def busybox() -> Path:
    """The static arm64 busybox."""
    return BUSYBOX_TREE / "bin/busybox"


def fetch_busybox() -> None:
    """Fetches busybox and unpacks it."""
    deb = archive.OWN_RELEASE.download("busybox-static:arm64")
    with Step("unpacking busybox"):
        shutil.rmtree(BUSYBOX_TREE, ignore_errors=True)
        archive.unpack(deb, BUSYBOX_TREE)


def fetch_libraries() -> None:
    """Fetches the libraries and unpacks them over what is there."""
    debs = [archive.OWN_RELEASE.download(package) for package in LIBRARIES]
    with Step("unpacking arm64 libraries"):
        for deb in debs:
            archive.unpack(deb, SYSROOT)


# The cross compiler's copy of Debian's C library, for programs that are linked with it.
_C_LIBRARY = Path("/usr/aarch64-linux-gnu/lib")


def passt_files() -> dict[str, Path]:
    """Where the guests' network program and what it is linked with lie in a userland."""
    return {
        "usr/bin/passt": PASST_TREE / "usr/bin/passt",
        "lib/ld-linux-aarch64.so.1": _C_LIBRARY / "ld-linux-aarch64.so.1",
        "lib/libc.so.6": _C_LIBRARY / "libc.so.6",
    }


def fetch_passt() -> None:
    """Fetches passt and unpacks it."""
    deb = archive.OWN_RELEASE.download("passt:arm64")
    shutil.rmtree(PASST_TREE, ignore_errors=True)
    archive.unpack(deb, PASST_TREE)
