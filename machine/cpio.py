# SPDX-License-Identifier: BSD-3-Clause
"""Writes initramfs archives: the "newc" cpio format that Linux unpacks at boot.

Format: Linux Documentation/driver-api/early-userspace/buffer-format.rst. Every file belongs to root
and has time 0, so that the same contents give the same archive.
"""

import stat
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)


@dataclass
class Archive:
    """An initramfs being put together; parent folders appear by themselves."""

    _parts: list[bytes] = field(default_factory=list)
    _names: set[str] = field(default_factory=set)

    def _add(self, name: str, mode: int, data: bytes = b"", device: tuple[int, int] = (0, 0)) -> None:
        if name in self._names:
            return
        parent = str(PurePosixPath(name).parent)
        if parent not in (".", "/"):
            self._add(parent, stat.S_IFDIR | 0o755)
        self._names.add(name)
        encoded = name.encode() + b"\0"
        header = (len(self._names), mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(encoded), 0)
        text = b"070701" + b"".join(b"%08X" % number for number in header)
        self._parts += [_padded(text + encoded), _padded(data)]

    def folder(self, name: str) -> None:
        self._add(name, stat.S_IFDIR | 0o755)

    def file(self, name: str, data: bytes, mode: int = 0o644) -> None:
        self._add(name, stat.S_IFREG | mode, data)

    def program(self, name: str, data: bytes) -> None:
        self.file(name, data, 0o755)

    def link(self, name: str, target: str) -> None:
        """A symbolic link NAME that points to TARGET."""
        self._add(name, stat.S_IFLNK | 0o777, target.encode())

    def character_device(self, name: str, major: int, minor: int) -> None:
        self._add(name, stat.S_IFCHR | 0o600, device=(major, minor))

    def write(self, path: Path) -> None:
        """Ends the archive and writes it to PATH, which changes in one step."""
        trailer = (0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, len("TRAILER!!!") + 1, 0)
        text = b"070701" + b"".join(b"%08X" % number for number in trailer)
        data = b"".join(self._parts) + _padded(text + b"TRAILER!!!\0")
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".new")
        unfinished.write_bytes(data)
        unfinished.replace(path)
