# SPDX-License-Identifier: BSD-3-Clause
"""Consoles beside the first one: attached to, resized, on a pseudo-terminal, with a stream for programs."""

from tests.system.guest_case import GUEST_SECONDS, GuestCase
from tests.system.guest_command import GuestCommand

_LOG = "/tmp/consoles.log"
_DETACH = "\x1d"
_SECONDS = 60


class ConsoleScenarios(GuestCase):
    """Mixed into the class of tests that control guests."""

    def start_with_consoles(self, name: str, *consoles: str, terminal: str = "ttyAMA0") -> str:
        """Starts a guest with a shell on each of its virtio consoles; returns its process id."""
        process = self.start_in_background(GuestCommand(
            "consoles", console=_LOG, more_consoles=consoles, name=name, terminal=terminal))
        self.shell.wait_for(r"\[guest\] waiting", _LOG, self.limit(GUEST_SECONDS))
        return process

    def attach(self, name: str, console: int, columns: int, rows: int) -> None:
        """Attaches the primary VM's own terminal, after it was given a size."""
        self.shell.machine.send_line(f"stty cols {columns} rows {rows}; "
                                     f"gunyah console {name} --console {console}")

    def expect(self, pattern: str) -> None:
        """Waits for PATTERN on the primary VM's terminal."""
        self.shell.machine.expect(pattern, self.limit(_SECONDS))

    def detach(self) -> None:
        """Types the detach key, and makes the terminal wide again."""
        self.shell.machine.send(_DETACH)
        self.expect("detached from VM")
        self.shell.command("stty cols 2000 rows 0")

    def test_attach_type_resize_and_detach_twice(self) -> None:
        process = self.start_with_consoles("attached", "none")
        self.attach("attached", 1, columns=111, rows=37)
        self.expect(r"\[guest\] on hvc1")  # printed before anybody was there
        self.shell.machine.send_line("echo size is $(stty size)")
        self.expect("size is 37 111")
        # The terminal is resized while attached.
        self.detach()
        self.shell.machine.send_line("(sleep 3; stty cols 90 rows 20 </dev/console) & "
                                     "stty cols 111 rows 37; gunyah console --console 1")
        self.expect("size is 37 111")  # from the ring
        self.shell.machine.send_line("while stty size | grep -q 111; do sleep 1; done; "
                                     "echo now $(stty size)")
        self.expect("now 20 90")
        self.detach()
        self.end(process)

    def test_only_console_is_resized_by_its_configuration(self) -> None:
        process = self.start_with_consoles("only", terminal="ttyAMA0 console=hvc0")
        self.attach("only", 0, columns=101, rows=31)
        self.expect(r"\[guest\] on hvc0")
        self.shell.machine.send_line("echo size is $(stty size)")
        self.expect("size is 31 101")
        self.detach()
        self.end(process)

    def test_pseudo_terminal_and_stream(self) -> None:
        process = self.start_with_consoles("several", "pty", "none,name=org.agent")
        place = self.shell.must("gunyah info several | grep -o '/dev/pts/[0-9]*'").strip()
        self.shell.must(f"(timeout 20 cat {place} >/tmp/pty.log &); sleep 1; "
                        f"echo 'echo sum $((40+2))' >{place}")
        self.shell.wait_for("sum 42", "/tmp/pty.log", self.limit(_SECONDS))
        answer = self.shell.must("(echo ping; sleep 2; printf '\\035') | "
                                 "gunyah console several --console org.agent")
        self.assertIn("agent got ping", answer)
        refused = self.shell.command("gunyah console several --console 7")
        self.assertIn("there is no such console", refused.output)
        self.end(process)

    def end(self, process: str) -> None:
        """Ends the guest whose VMM has this process id."""
        self.shell.must(f"kill -TERM {process}")
        self.wait_until_ended(process, self.limit(30))
