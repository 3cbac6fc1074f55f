# SPDX-License-Identifier: BSD-3-Clause
"""`cmake --install` of the Linux programs: what is there afterwards, and that it runs."""

import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from machine.paths import BUILD

_EMULATOR = shutil.which("qemu-aarch64-static")
_PROGRAM = Path("usr/bin/gunyah")
_MANUAL = Path("usr/share/man/man1/gunyah.1")
_COMPLETION = Path("usr/share/bash-completion/completions/gunyah")


class Install(unittest.TestCase):
    """An installation into a folder of its own, as packages are made."""

    def setUp(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self.addCleanup(self._folder.cleanup)
        self.root = Path(self._folder.name)
        done = subprocess.run(["cmake", "--install", BUILD / "linux-arm64", "--prefix", "/usr"],
                              env={**os.environ, "DESTDIR": str(self.root)},
                              capture_output=True, text=True, check=False)
        self.said = done.stdout + done.stderr
        self.assertEqual(done.returncode, 0, self.said)

    def _files(self) -> set[Path]:
        return {path.relative_to(self.root) for path in self.root.rglob("*") if path.is_file()}

    def _run(self, *arguments: str) -> str:
        done = subprocess.run([str(_EMULATOR), self.root / _PROGRAM, *arguments],
                              capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    @unittest.skipUnless(_EMULATOR, "this computer has no qemu-aarch64-static")
    def test_with_emulator(self) -> None:
        """Program, manual and completion, and nothing else; the program says what was installed."""
        self.assertEqual(self._files(), {_PROGRAM, _MANUAL, _COMPLETION}, self.said)
        self.assertTrue(os.access(self.root / _PROGRAM, os.X_OK))
        self.assertIn("Usage: gunyah", self._run("--help"))
        self.assertRegex(self._run("--version"), r"^gunyah \d+\.\d+\n$")
        for command, path in (("manual", _MANUAL), ("completion", _COMPLETION)):
            self.assertEqual((self.root / path).read_text(), self._run(command))
        self.assertTrue((self.root / _MANUAL).read_text().startswith(".TH GUNYAH 1"))
        syntax = subprocess.run(["bash", "-n", self.root / _COMPLETION], check=False)
        self.assertEqual(syntax.returncode, 0)

    @unittest.skipIf(_EMULATOR, "this computer has qemu-aarch64-static")
    def test_without_emulator(self) -> None:
        """The program alone, and a warning that says how to get the rest."""
        self.assertEqual(self._files(), {_PROGRAM}, self.said)
        self.assertIn("install qemu-user-static", self.said)
