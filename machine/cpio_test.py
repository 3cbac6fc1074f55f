# SPDX-License-Identifier: BSD-3-Clause
"""Tests of the initramfs writer, with GNU cpio's format description as the reader."""

import tempfile
import unittest
from pathlib import Path

from machine.cpio import Archive


def _read(data: bytes) -> dict[str, tuple[int, bytes]]:
    """name -> (mode, contents) of a newc archive."""
    entries: dict[str, tuple[int, bytes]] = {}
    offset = 0
    while True:
        header = data[offset:offset + 110]
        assert header[:6] == b"070701", header
        fields = [int(header[6 + 8 * index:14 + 8 * index], 16) for index in range(13)]
        mode, size, name_size = fields[1], fields[6], fields[11]
        name = data[offset + 110:offset + 110 + name_size - 1].decode()
        offset += (110 + name_size + 3) & ~3
        if name == "TRAILER!!!":
            return entries
        entries[name] = (mode, data[offset:offset + size])
        offset += (size + 3) & ~3


class ArchiveTest(unittest.TestCase):
    """What is put in comes out, whatever its length."""

    def _written(self, archive: Archive) -> dict[str, tuple[int, bytes]]:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "x.cpio"
            archive.write(path)
            self.assertEqual(path.stat().st_size % 4, 0)
            return _read(path.read_bytes())

    def test_contents_of_every_padding(self) -> None:
        archive = Archive()
        for size in range(9):
            archive.file("n" * (size + 1), b"x" * size)
        entries = self._written(archive)
        self.assertEqual([entries["n" * (size + 1)][1] for size in range(9)],
                         [b"x" * size for size in range(9)])

    def test_kinds_and_modes(self) -> None:
        archive = Archive()
        archive.program("bin/tool", b"code")
        archive.link("sbin/tool", "../bin/tool")
        archive.character_device("dev/console", 5, 1)
        entries = self._written(archive)
        self.assertEqual(entries["bin/tool"], (0o100755, b"code"))
        self.assertEqual(entries["sbin/tool"], (0o120777, b"../bin/tool"))
        self.assertEqual(entries["dev/console"][0], 0o020600)

    def test_parents_come_first_and_once(self) -> None:
        archive = Archive()
        archive.file("a/b/one", b"1")
        archive.file("a/b/two", b"2")
        self.assertEqual(list(self._written(archive)), ["a", "a/b", "a/b/one", "a/b/two"])
