# SPDX-License-Identifier: BSD-3-Clause
"""A package archive with one package of Debian's, at an address that only QEMU's network knows.

The way there is that to any archive: through passt, the primary VM and QEMU to a server of this
computer, which QEMU starts for each connection.
"""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from machine import archive
from machine.paths import BUILD

_ADDRESS = "10.0.2.100"
_FOLDER = BUILD / "package-archive"
_SERVER = Path(__file__).with_name("http_connection.py")
# Small, and needs nothing but the C library.
PACKAGE = "passt"
# apt's entry for it.
SOURCE = f"deb [trusted=yes] http://{_ADDRESS}/ ./"
# For QEMU's user network.
FORWARD = f"guestfwd=tcp:{_ADDRESS}:80-cmd:{sys.executable} {_SERVER} {_FOLDER}"


def make() -> None:
    """Writes the archive's files."""
    shutil.rmtree(_FOLDER, ignore_errors=True)
    _FOLDER.mkdir(parents=True)
    deb = archive.OWN_RELEASE.download(f"{PACKAGE}:arm64")
    shutil.copy(deb, _FOLDER / "package.deb")
    fields = subprocess.run(["dpkg-deb", "-f", deb], capture_output=True, text=True, check=True).stdout
    data = deb.read_bytes()
    packages = (f"{fields.rstrip()}\nFilename: ./package.deb\nSize: {len(data)}\n"
                f"SHA256: {hashlib.sha256(data).hexdigest()}\n\n").encode()
    (_FOLDER / "Packages").write_bytes(packages)
    (_FOLDER / "Release").write_text("SHA256:\n "
                                     f"{hashlib.sha256(packages).hexdigest()} {len(packages)} Packages\n")
