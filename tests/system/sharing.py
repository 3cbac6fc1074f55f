# SPDX-License-Identifier: BSD-3-Clause
"""Mixed into a class that has booted the primary VM: directories that a guest shares with it."""

from tests.system.guest_case import GuestCase
from tests.system.guest_command import GuestCommand

_OUTSIDE = "/tmp/outside"
_SHARED = f"{_OUTSIDE}/shared"


class Sharing(GuestCase):
    """One guest that does what programs do with files, and what an attacker would."""

    def test_shared_directories(self) -> None:
        """What the guest wrote is there for the host; what lies outside the directory is not for it."""
        self.shell.must(
            f"rm -rf {_OUTSIDE}; mkdir -p {_SHARED} {_OUTSIDE}/fixed; cd {_OUTSIDE}; "
            "echo unreachable >secret; echo as it was >fixed/kept; echo hello >shared/greeting; "
            "ln -s ../secret shared/out; ln -s .. shared/up; "
            "dd if=/dev/urandom of=shared/numbers bs=1048576 count=8 2>/dev/null; cd /root")
        answer = self.run_guest(GuestCommand(
            "share", shares=(f"path={_SHARED},tag=work", f"{_OUTSIDE}/fixed,tag=fixed,ro")))
        self.assertEqual(answer.status, 0, answer.output[-1000:])
        self.assertNotIn("[guest] FAILED", answer.output)
        self.assertIn("from the host: hello", answer.output)
        numbers = self.shell.must(f"md5sum <{_SHARED}/numbers")
        self.assertIn(f"big: {numbers}", answer.output)
        self.assertEqual(self.shell.must(f"md5sum <{_SHARED}/big"), numbers)
        self.assertIn("entries: 41", answer.output)
        for wrong in ("FOUND", "MADE", "WROTE", "REMOVED", "unreachable"):
            self.assertNotIn(wrong, answer.output)
        self.assertIn("kept: as it was", answer.output)
        self.assertIn("shares: unmounted", answer.output)
        self.assertEqual(self.shell.must(f"cat {_SHARED}/soft"), "new")
        self.assertEqual(self.shell.must(f"ls {_OUTSIDE}").split(), ["fixed", "secret", "shared"])
        self.shell.must(f"rm -rf {_OUTSIDE}")

    def test_what_cannot_be_shared(self) -> None:
        """The error names the directory and what is wrong with it."""
        answer = self.run_guest(GuestCommand("share", shares=("/nowhere",)))
        self.assertIn("cannot share the directory /nowhere: no such file", answer.output.lower())
        self.assertEqual(answer.status, 1)
