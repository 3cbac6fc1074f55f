# SPDX-License-Identifier: BSD-3-Clause
"""Debian's arm64 libraries for our programs, and the busybox of both userlands."""

import shutil
from pathlib import Path

from machine import archive
from machine.paths import BUSYBOX_TREE, SYSROOT
from machine.progress import Step

# The C and C++ libraries come with the cross compiler; these are the ones beyond it.
_LIBRARIES = (
    "libfdt-dev:arm64",         # device trees: the VMM and the Resource Manager
    "libcli11-dev:arm64",       # the VMM's command line
    "libfmt-dev:arm64",         # the VMM's messages
    "nlohmann-json3-dev:arm64",  # the VMM's machine-readable output
)


def busybox() -> Path:
    """The static arm64 busybox."""
    return BUSYBOX_TREE / "bin/busybox"


def fetch() -> None:
    """Fetches the libraries and busybox and unpacks them."""
    debs = [archive.OWN_RELEASE.download(package) for package in _LIBRARIES]
    busybox_deb = archive.OWN_RELEASE.download("busybox-static:arm64")
    with Step("unpacking arm64 libraries and busybox"):
        for tree in (SYSROOT, BUSYBOX_TREE):
            shutil.rmtree(tree, ignore_errors=True)
        for deb in debs:
            archive.unpack(deb, SYSROOT)
        archive.unpack(busybox_deb, BUSYBOX_TREE)
