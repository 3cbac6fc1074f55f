# SPDX-License-Identifier: BSD-3-Clause
"""Runs a guest from start to end on a machine of a class, and judges what it said."""

from machine.primary_shell import Answer
from machine.qemu import PATIENCE
from tests.system.guest_command import GuestCommand
from tests.system.machine_case import MachineCase

DISK = "/tmp/disk.img"
GUEST_SECONDS = 90


class GuestCase(MachineCase):
    """What tests that start guests have in common."""

    def run_guest(self, command: GuestCommand) -> Answer:
        """Runs a guest in the foreground until it has ended."""
        return self.shell.command(str(command), self.limit(GUEST_SECONDS))

    def assert_checked(self, output: str, cpus: int) -> None:
        """OUTPUT is that of a guest that did the task `check` with CPUS."""
        self.assertRegex(output, r"Linux guest .* aarch64")
        self.assertIn(f"cpus: {cpus}", output)
        self.assertIn("disk: 262144 bytes written, read back and equal", output)
        self.assertIn("[guest] done", output)
        self.assertNotIn("[guest] FAILED", output)

    def run_checked_guest(self, cpus: int = 1, disk: str = DISK,
                          memory: str = "128M") -> None:
        """A guest that uses its CPUs and its disk, and powers off, works from start to end."""
        self.shell.must(f"truncate -s 4M {disk}")
        answer = self.run_guest(GuestCommand("check", cpus=cpus, disk=disk, memory=memory))
        self.assert_checked(answer.output, cpus)
        self.assertEqual(answer.status, 0, answer.output[-1000:])

    def start_in_background(self, command: GuestCommand) -> str:
        """Starts a guest whose console is a file; returns the process id of its VMM."""
        assert command.console
        self.shell.must(f"rm -f {command.console}; touch {command.console}; chmod 666 {command.console}")
        # Without `exec` the id would be that of the shell around it.
        return self.shell.must(
            f"(exec {command}) >{command.console}.vmm 2>&1 & echo $!").split()[-1]

    def wait_until_ended(self, process: str, seconds: float) -> None:
        """Waits until the process with this id is gone."""
        self.shell.must(f"n=0; while [ -d /proc/{process} ] && [ $n -lt {seconds * PATIENCE:.0f} ]; "
                        f"do sleep 1; n=$((n+1)); done; [ ! -d /proc/{process} ]", seconds + 30)
