# SPDX-License-Identifier: BSD-3-Clause
"""Joins the user's terminal to a machine's serial line, and gives the terminal back as it was."""

import os
import select
import shutil
import sys
import termios
import tty
from types import TracebackType

from machine.qemu import Machine

_ESCAPE = b"\x1d"  # Ctrl-]
_POLL_SECONDS = 0.1
_PROMPT_SECONDS = 30


class _RawTerminal:
    """Keys reach us one by one, unechoed, Ctrl-C included, until the block ends."""

    def __enter__(self) -> "_RawTerminal":
        self._saved = termios.tcgetattr(sys.stdin)
        tty.setraw(sys.stdin)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, self._saved)


def is_interactive() -> bool:
    """Whether a person sits at both ends of this program."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def join(machine: Machine) -> bool:
    """Lets the user type into MACHINE until QEMU ends or Ctrl-] is pressed.

    Returns whether QEMU ended by itself.
    """
    sys.stdout.flush()
    size = shutil.get_terminal_size()
    machine.send_line(f"stty rows {size.lines} cols {size.columns}")
    machine.expect("# ", _PROMPT_SECONDS, "the shell's prompt")
    with _RawTerminal():
        machine.copy_output_to(sys.stdout.fileno())
        machine.send_line("")
        try:
            while machine.running:
                if not select.select([sys.stdin], [], [], _POLL_SECONDS)[0]:
                    continue
                keys = os.read(sys.stdin.fileno(), 4096)
                if _ESCAPE in keys or not keys:
                    return False
                machine.send(keys.decode(errors="replace"))
        finally:
            machine.copy_output_to(None)
    return True
