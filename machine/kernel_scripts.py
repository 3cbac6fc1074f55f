# SPDX-License-Identifier: BSD-3-Clause
"""The kernel's own checkers of text, which come only with its source package: a few files of that."""

import shutil
import tarfile
from pathlib import Path

from machine import archive, kernel
from machine.paths import CHECKPATCH
from machine.progress import Step

_WANTED = {
    "scripts/checkpatch.pl", "scripts/spelling.txt", "scripts/const_structs.checkpatch",
    "scripts/kernel-doc", "Documentation/sphinx/kerneldoc.py", "Documentation/sphinx/kernellog.py",
}


def folder() -> Path:
    """The folder that holds them all; fetches them the first time."""
    if not all((CHECKPATCH / Path(name).name).is_file() for name in _WANTED):
        _fetch()
    return CHECKPATCH


def _fetch() -> None:
    version = ".".join(kernel.STANDARD.release().split(".")[:2])
    archive.OWN_RELEASE.update()
    deb = archive.OWN_RELEASE.download(f"linux-source-{version}:arm64")
    scratch = CHECKPATCH.with_name("checkpatch.new")
    shutil.rmtree(scratch, ignore_errors=True)
    with Step(f"taking the kernel's checkers out of linux-source-{version}"):
        archive.unpack(deb, scratch / "package")
        missing = set(_WANTED)
        with tarfile.open(next((scratch / "package/usr/src").glob("*.tar.xz")), "r|xz") as source:
            for member in source:
                name = member.name.partition("/")[2]
                content = source.extractfile(member) if name in missing else None
                if content is not None:
                    file = scratch / Path(name).name
                    file.write_bytes(content.read())
                    file.chmod(0o755)
                    missing.remove(name)
                if not missing:
                    break
    shutil.rmtree(scratch / "package")
    deb.unlink()
    shutil.rmtree(CHECKPATCH, ignore_errors=True)
    scratch.rename(CHECKPATCH)
