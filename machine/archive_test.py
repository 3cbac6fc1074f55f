# SPDX-License-Identifier: BSD-3-Clause
"""Tests of reading the system's apt configuration in both of its styles."""

import tempfile
import unittest
from pathlib import Path

from machine.archive import Source, parse_deb822, parse_one_line, system_sources

_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


class ParseTest(unittest.TestCase):
    """Each style gives the same sources."""

    def test_deb822(self) -> None:
        text = ("Types: deb deb-src\n# a comment\nURIs: http://a.example/debian\n"
                f"Suites: bookworm bookworm-updates\nComponents: main\nSigned-By: {_KEYRING}\n"
                "\nTypes: deb\nEnabled: no\nURIs: http://b.example\nSuites: x\nComponents: main\n")
        self.assertEqual(parse_deb822(text), [
            Source("http://a.example/debian", suite, ("main",), _KEYRING)
            for suite in ("bookworm", "bookworm-updates")])

    def test_deb822_with_the_key_inside(self) -> None:
        text = ("Types: deb\nURIs: http://a.example\nSuites: bookworm\nComponents: main\n"
                "Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\n")
        self.assertEqual(parse_deb822(text)[0].signed_by, _KEYRING)

    def test_one_line(self) -> None:
        text = ("# deb http://no.example x main\n"
                "deb [arch=amd64 signed-by=/k.gpg] http://a.example/debian bookworm main contrib\n"
                "deb-src http://a.example/debian bookworm main\n"
                "deb http://b.example/debian bookworm-security main # why\n")
        self.assertEqual(parse_one_line(text), [
            Source("http://a.example/debian", "bookworm", ("main", "contrib"), "/k.gpg"),
            Source("http://b.example/debian", "bookworm-security", ("main",), _KEYRING)])

    def test_only_debians_own_suites_are_taken(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            etc = Path(folder)
            (etc / "sources.list.d").mkdir()
            (etc / "sources.list").write_text("deb http://a.example/debian bookworm main\n")
            (etc / "sources.list.d/other.list").write_text(
                "deb http://b.example/linux bookworm stable\ndeb http://c.example x-pgdg main\n")
            self.assertEqual([source.uri for source in system_sources(etc, "bookworm")],
                             ["http://a.example/debian"])
