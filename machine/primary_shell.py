# SPDX-License-Identifier: BSD-3-Clause
"""Commands typed at the primary VM's shell, with their output and exit status."""

import itertools
import re
from dataclasses import dataclass

from machine.failure import Failure, last_lines
from machine.paths import relative
from machine.qemu import PATIENCE, Machine

_COUNTERS = "/sys/kernel/debug/gunyah/counters"
_PROMPT_SECONDS = 30
# What the kernel says only when something is wrong with it.
_COMPLAINTS = ("BUG|WARNING|Oops|Unable to handle|refcount_t|Premature|hung task|blocked for more|"
               "UBSAN|INFO: (possible|trying to register)|new suspected memory leaks")
# Linux's own: it removes files of /proc/irq that injected faults kept it from making; and a kernel without
# CPU hotplug, like the debug kernel, has no lock between RCU's test of itself, in one of the first threads
# of all, and a CPU that comes up meanwhile.
NOT_OURS = r"remove_proc_entry|PID: 1[0-9] at kernel/workqueue\.c:[0-9]+ __flush_work"
_REPORT_LINES = 35
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True)
class Answer:
    """What a command printed, and its exit status."""

    status: int
    output: str


class PrimaryShell:
    """The shell of a machine that boot.boot_primary() has brought up."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self._numbers = itertools.count(1)
        # A wide terminal, or the shell's line editor would break up what we type.
        self.command("stty cols 2000")
        # Only errors and worse between the lines of a command's output.
        self.command("dmesg -n 4")

    def command(self, line: str, timeout: float = 60) -> Answer:
        """Runs LINE and waits until it has ended."""
        number = next(self._numbers)
        # One line, since what LINE runs may read what is typed after it. Its echo must not look
        # like the marks that its output is cut out by.
        self.machine.send_line(f"echo BE''GIN{number}; {line}; echo E''ND{number}:$?")
        self.machine.expect(rf"^BEGIN{number}$", _PROMPT_SECONDS,
                            f"the primary VM takes no command '{line}'")
        begin = self.machine.position
        end = self.machine.expect(rf"END{number}:(\d+)(?=\D)", timeout,
                                  f"the primary VM has not finished '{line}'")
        output = _ESCAPES.sub("", self.machine.text[begin:end.start()])
        return Answer(int(end[1]), output.strip("\n"))

    def must(self, line: str, timeout: float = 60) -> str:
        """The output of LINE, which must succeed."""
        answer = self.command(line, timeout)
        if answer.status != 0:
            raise Failure(f"'{line}' in the primary VM ended with status {answer.status}, "
                          f"see {relative(self.machine.log)}", last_lines(answer.output))
        return answer.output

    def wait_for(self, pattern: str, path: str, timeout: float) -> None:
        """Waits until the file PATH in the primary VM holds PATTERN (a grep -E expression)."""
        loop = (f"n=0; until grep -qE '{pattern}' {path}; do sleep 1; n=$((n+1)); "
                f"[ $n -lt {timeout * PATIENCE:.0f} ] || break; done; grep -qE '{pattern}' {path}")
        if self.command(loop, timeout + 30).status != 0:
            tail = self.command(f"tail -n 25 {path}").output
            raise Failure(f"'{pattern}' did not appear in {path} within {timeout:.0f} s", tail)

    def complaints(self) -> str:
        """What the primary VM's kernel has to complain about, with what it says about that."""
        found = self.command(f"dmesg | grep -E '{_COMPLAINTS}' | grep -vE '{NOT_OURS}'").output
        if not found:
            return ""
        report = self.command(f"dmesg | grep -m 1 -A {_REPORT_LINES} -E '{_COMPLAINTS}'").output
        return f"{found}\n{report}"

    def counters(self) -> dict[str, int]:
        """The hypervisor's object counts as the driver shows them."""
        lines = self.must(f"cat {_COUNTERS}").splitlines()
        return {name: int(value) for name, value in (line.split() for line in lines)}
