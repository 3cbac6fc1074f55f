# SPDX-License-Identifier: BSD-3-Clause
"""What a guest goes through: it runs, ends, is killed, asks for a reboot, and leaves nothing behind."""

from tests.system.guest_case import DISK, GUEST_SECONDS, GuestCase
from tests.system.guest_command import GuestCommand

_SECOND_DISK = "/tmp/second.img"


class GuestScenarios(GuestCase):
    """Mixed into a class per CPU model."""

    def test_guest_with_one_vcpu_then_another_with_two(self) -> None:
        self.run_checked_guest(cpus=1)
        self.run_checked_guest(cpus=2)

    def test_two_guests_at_once(self) -> None:
        running = []
        for disk, console in ((DISK, "/tmp/one.log"), (_SECOND_DISK, "/tmp/two.log")):
            self.shell.must(f"truncate -s 4M {disk}")
            # Both wait before either powers off, so that they are certainly there together.
            command = GuestCommand("check_then_wait", disk=disk, console=console)
            running.append((self.start_in_background(command), console))
        for _, console in running:
            self.shell.wait_for(r"\[guest\] waiting", console, self.limit(2 * GUEST_SECONDS))
        for process, console in running:
            self.assert_checked(self.shell.must(f"cat {console}") + "[guest] done", 1)
            self.shell.must(f"kill -TERM {process}")
        for process, _ in running:
            self.wait_until_ended(process, self.limit(30))

    def test_new_guest_after_vmm_was_killed(self) -> None:
        before = self.shell.counters()
        process = self.start_in_background(GuestCommand("wait", cpus=2, console="/tmp/killed.log"))
        self.shell.wait_for(r"\[guest\] waiting", "/tmp/killed.log", self.limit(GUEST_SECONDS))
        self.assertEqual(self.shell.counters()["vms"], before["vms"] + 1)
        self.shell.must(f"kill -KILL {process}")
        self.wait_until_ended(process, self.limit(30))
        self.run_checked_guest()

    def test_vmm_killed_while_guest_boots(self) -> None:
        process = self.start_in_background(GuestCommand("wait", cpus=2, console="/tmp/early.log"))
        self.shell.must("sleep 1")
        self.shell.must(f"kill -KILL {process}")
        self.wait_until_ended(process, self.limit(30))

    def test_guest_asks_for_reboot(self) -> None:
        answer = self.run_guest(GuestCommand("reboot"))
        self.assertIn("[guest] rebooting", answer.output)
        self.assertEqual(answer.status, _STATUS_REBOOT, answer.output[-1000:])


# The VMM's exit status for a guest that asked for a reboot.
_STATUS_REBOOT = 3
