# SPDX-License-Identifier: BSD-3-Clause
"""Everything that comes from Debian's archive, fetched once and kept under build/cache."""

from collections.abc import Callable

from machine import archive, kernel, sysroot
from machine.paths import CACHE

# Raise when what is fetched, or how it is unpacked, changes.
_FORMAT = "1\n"


def _own_release() -> None:
    archive.OWN_RELEASE.update()
    sysroot.fetch_busybox()
    kernel.STANDARD.fetch()


def _backports() -> None:
    archive.BACKPORTS.update()
    kernel.NEWER.fetch()


# What is fetched together, in this order, by the name of the file that says it is complete and has
# the text behind it.
_PARTS: dict[str, tuple[Callable[[], None], str]] = {
    "fetched": (_own_release, _FORMAT),
    "fetched-libraries": (sysroot.fetch_libraries, "\n".join(sysroot.LIBRARIES)),
    "fetched-passt": (sysroot.fetch_passt, _FORMAT),
    "fetched-backports": (_backports, _FORMAT),
}


def fetch(update: bool = False) -> None:
    """Fetches what is not here; with UPDATE looks for newer packages too."""
    for name, (action, complete) in _PARTS.items():
        stamp = CACHE / name
        if stamp.is_file() and stamp.read_text() == complete and not update:
            continue
        stamp.unlink(missing_ok=True)
        action()
        stamp.write_text(complete)
