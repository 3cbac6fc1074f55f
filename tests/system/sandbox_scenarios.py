# SPDX-License-Identifier: BSD-3-Clause
"""What a running VMM has given up, and that its devices work all the same."""

import unittest

from machine.debug_kernel import DEBUG, PRIMARY
from tests.system.guest_case import GUEST_SECONDS, GuestCase
from tests.system.guest_command import GuestCommand

_LOG = "/tmp/sandboxed.log"
_NAMESPACES = ("mnt", "net", "ipc", "uts")
_NOBODY = "65534"
_needs_namespaces = unittest.skipIf(PRIMARY is DEBUG, "the debug kernel is configured without namespaces")
_SOMEBODY = "1234"
_GUEST_KIB = 128 * 1024
_MOST_RESIDENT_KIB = 5 * 1024


class SandboxScenarios(GuestCase):
    """Mixed into the class of tests that control guests; the primary VM's shell is root's."""

    def start_sandboxed(self, disk: str, *options: str) -> str:
        """Starts a guest that uses its devices and then waits; returns its process id."""
        self.shell.must(f"truncate -s 4M {disk}")
        process = self.start_in_background(GuestCommand(
            "check_then_wait", console=_LOG, disk=disk, name="boxed", options=options))
        self.shell.wait_for(r"\[guest\] waiting", _LOG, self.limit(GUEST_SECONDS))
        self.assert_checked(self.shell.must(f"cat {_LOG}") + "[guest] done", 1)
        return process

    def statuses(self, process: str, key: str) -> set[str]:
        """What the line KEY of /proc/.../status says for each thread of the process."""
        lines = self.shell.must(f"grep -h ^{key}: /proc/{process}/task/*/status").splitlines()
        return {line.split(maxsplit=1)[1] for line in lines}

    def namespaces_shared_with_us(self, process: str) -> list[str]:
        """The kinds of namespaces in which the process is with the primary VM's shell."""
        return [kind for kind in _NAMESPACES
                if self.shell.must(f"readlink /proc/{process}/ns/{kind}")
                == self.shell.must(f"readlink /proc/$$/ns/{kind}")]

    def end_sandboxed(self, process: str) -> None:
        """Ends the guest; its socket goes with it."""
        self.shell.must("gunyah stop boxed --force")
        self.wait_until_ended(process, self.limit(30))
        self.shell.must("[ ! -e /run/gunyah/boxed.sock ]")

    def resident_kib(self, process: str) -> int:
        """Memory of the process that is there, beside the guest's."""
        return int(self.shell.must(
            f"awk '/^[0-9a-f]+-/ {{ guests = 0 }} /^Size:/ {{ guests = $2 >= {_GUEST_KIB} }} "
            f"/^Rss:/ && !guests {{ sum += $2 }} END {{ print sum }}' /proc/{process}/smaps"))

    def assert_sandboxed(self, process: str, user: str) -> None:
        """The process runs as USER, and can reach nothing but what it has open."""
        self.assertEqual(self.statuses(process, "Seccomp"), {"2"})
        self.assertEqual(self.statuses(process, "NoNewPrivs"), {"1"})
        self.assertEqual({word for line in self.statuses(process, "[UG]id") for word in line.split()},
                         {user})
        self.assertEqual(self.statuses(process, "CapEff"), {"0000000000000000"})
        self.assertEqual(self.namespaces_shared_with_us(process), [])
        self.assertEqual(self.shell.must(f"ls -A /proc/{process}/root"), "")
        self.assertEqual(self.shell.must(f"grep -v lo: /proc/{process}/net/dev | grep -c : || true"), "0")
        self.assertNotIn("warning", self.shell.must(f"cat {_LOG}.vmm"))

    @_needs_namespaces
    def test_sandbox(self) -> None:
        process = self.start_sandboxed("/tmp/boxed.img")
        self.assert_sandboxed(process, _NOBODY)
        self.assertLess(self.resident_kib(process), _MOST_RESIDENT_KIB)
        # What was there before is also there now: its disk, its consoles, its control socket.
        self.assertRegex(self.shell.must("gunyah stats boxed"), r"disk 'disk0' +[1-9]")
        self.end_sandboxed(process)

    @_needs_namespaces
    def test_ordinary_user(self) -> None:
        """Who is not root has the same sandbox, in a user namespace; or is told what is missing."""
        self.shell.must("grep -q ^somebody: /etc/passwd || "
                        f"echo somebody::{_SOMEBODY}:{_SOMEBODY}::/tmp:/bin/sh >>/etc/passwd; "
                        f"chown {_SOMEBODY} /dev/gunyah; ulimit -l unlimited")
        process = self.start_in_background(GuestCommand("wait", console=_LOG, user="somebody"))
        self.shell.wait_for(r"\[guest\] waiting", _LOG, self.limit(GUEST_SECONDS))
        self.assert_sandboxed(process, _SOMEBODY)
        self.shell.must(f"kill -TERM {process}")
        self.wait_until_ended(process, self.limit(30))
        self.shell.must("sysctl -w kernel.unprivileged_userns_clone=0")
        answer = self.run_guest(GuestCommand("devices", user="somebody"))
        self.shell.must("sysctl -w kernel.unprivileged_userns_clone=1; chown 0 /dev/gunyah")
        self.assertIn("warning: the sandbox has no namespaces of its own: this machine lets only root "
                      "make them (Operation not permitted)", answer.output)
        self.assertIn("[guest] done", answer.output)
        self.assertEqual(answer.status, 0)

    @_needs_namespaces
    def test_no_sandbox_shows_the_contrary(self) -> None:
        process = self.start_sandboxed("/tmp/boxed.img", "--no-sandbox")
        self.assertEqual(self.statuses(process, "Seccomp"), {"0"})
        self.assertEqual(self.statuses(process, "NoNewPrivs"), {"0"})
        self.assertEqual({word for line in self.statuses(process, "Uid") for word in line.split()},
                         {"0"})
        self.assertEqual(self.namespaces_shared_with_us(process), list(_NAMESPACES))
        self.end_sandboxed(process)

    def test_user_of_the_sandbox(self) -> None:
        process = self.start_sandboxed("/tmp/boxed.img", "--user 1234")
        self.assertIn("1234\t1234\t1234\t1234", self.statuses(process, "Uid"))
        self.shell.must(f"ls -l /proc/{process}/fd | grep -q io_uring")  # the disk's
        self.end_sandboxed(process)
        refused = self.run_guest(GuestCommand("check", options=("--user nobody-here",)))
        self.assertIn("there is no such user", refused.output)
        self.assertEqual(refused.status, 1)
