# SPDX-License-Identifier: BSD-3-Clause
"""Everything that comes from Debian's archive, fetched once and kept under build/cache."""

from collections.abc import Callable

from machine import archive, kernel, sysroot
from machine.paths import CACHE

# Raise when what is fetched, or how it is unpacked, changes.
_FORMAT = "1\n"


def _own_release() -> None:
    archive.OWN_RELEASE.update()
    sysroot.fetch()
    kernel.STANDARD.fetch()


def _backports() -> None:
    archive.BACKPORTS.update()
    kernel.NEWER.fetch()


# What is fetched together, by the name of the file that says it is complete.
_PARTS: dict[str, Callable[[], None]] = {"fetched": _own_release, "fetched-backports": _backports}


def fetch(update: bool = False) -> None:
    """Fetches what is not here; with UPDATE looks for newer packages too."""
    for name, action in _PARTS.items():
        stamp = CACHE / name
        if stamp.is_file() and stamp.read_text() == _FORMAT and not update:
            continue
        stamp.unlink(missing_ok=True)
        action()
        stamp.write_text(_FORMAT)
