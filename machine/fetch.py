# SPDX-License-Identifier: BSD-3-Clause
"""Everything that comes from Debian's archive, fetched once and kept under build/cache."""

from machine import archive, kernel, sysroot
from machine.paths import CACHE

_STAMP = CACHE / "fetched"
# Raise when what is fetched, or how it is unpacked, changes.
_FORMAT = "1\n"


def is_complete() -> bool:
    """Whether nothing needs the network."""
    return _STAMP.is_file() and _STAMP.read_text() == _FORMAT


def fetch(update: bool = False) -> None:
    """Fetches what is not here; with UPDATE looks for newer packages too."""
    if is_complete() and not update:
        return
    _STAMP.unlink(missing_ok=True)
    archive.update()
    sysroot.fetch()
    kernel.fetch()
    _STAMP.write_text(_FORMAT)
