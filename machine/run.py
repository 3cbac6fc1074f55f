# SPDX-License-Identifier: BSD-3-Clause
"""./dev run and ./dev shell: the machine for a person at a terminal, or a scripted round without."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from machine import boot, terminal
from machine.failure import Failure
from machine.progress import Step, note
from machine.qemu import Configuration, Machine

# A scripted run ends by itself well before this many seconds.
_SCRIPT_LIMIT = 900
_COMMAND_SECONDS = 60
_DEBIAN_SECONDS = 180


@dataclass(frozen=True)
class Question:
    """A command for the guest and the output that shows that it worked."""

    command: str
    answer: str


_QUESTIONS = (
    Question("uname -a", r"^Linux guest \S+ .*aarch64.*$"),
    Question("nproc", r"^\d+$"),
    Question("sh /etc/tasks/check", r"^disk: \d+ bytes written, read back and equal$"),
)
# bash's marks around a pasted text stand at the begin of its prompt's and its answers' lines.
_DEBIAN_PROMPT = r"root@debian:~# "
_ANSWERS = r"^(?:\x1b\[\?2004[hl])*"
_DEBIAN_QUESTIONS = (
    Question("systemctl is-system-running --wait", _ANSWERS + "running$"),
    Question("nproc", _ANSWERS + "4$"),
    Question("cat /mnt/greeting", _ANSWERS + "from the primary VM$"),
    Question("ip route show default", _ANSWERS + r"default via .*$"),
)


def _lead(configuration: Configuration, name: str, start: Callable[[Machine], None],
          welcome: str, attempt: Callable[[Machine], None]) -> None:
    """Boots to where START leads; hands that to the user, or without a terminal ATTEMPTs it and powers off."""
    interactive = terminal.is_interactive()
    with Machine(configuration, name, None if interactive else _SCRIPT_LIMIT) as machine:
        boot.boot_primary(machine)
        start(machine)
        if interactive:
            _hand_over(machine, welcome)
        else:
            attempt(machine)
            _power_off(machine)


def run(configuration: Configuration) -> None:
    """Boots to a guest's shell."""
    _lead(configuration, "run", boot.start_guest,
          "This is the guest's shell. poweroff leads back to the primary VM, "
          "where gunyah run starts it again.", _try_guest)


def run_debian(configuration: Configuration) -> None:
    """Boots to Debian's login in a guest."""
    _lead(configuration, "run-debian", boot.start_debian,
          "This is Debian's login: root, without a password. /mnt is /tmp/shared "
          "of the primary VM. poweroff leads back there, "
          "where start-debian starts it again, and `ssh debian` reaches it over vsock.", _try_debian)


def _try_debian(machine: Machine) -> None:
    with Step("root logs in"):
        machine.send_line("root")
        machine.expect(_DEBIAN_PROMPT, _COMMAND_SECONDS, "Debian's shell")
    for question in _DEBIAN_QUESTIONS:
        with Step(f"in Debian: {question.command}"):
            machine.send_line(question.command)
            machine.expect(question.answer, _DEBIAN_SECONDS, f"Debian did not answer "
                           f"'{question.command}' as it should")
            machine.expect(_DEBIAN_PROMPT, _COMMAND_SECONDS, "Debian's prompt")
    with Step("Debian powers off"):
        machine.send_line("poweroff")
        machine.expect("primary# ", _DEBIAN_SECONDS, "stage 'Debian powers off' failed")


def shell(configuration: Configuration) -> None:
    """Boots to the primary VM's shell and hands it to the user, or powers off without a terminal."""
    interactive = terminal.is_interactive()
    with Machine(configuration, "shell", None if interactive else _SCRIPT_LIMIT) as machine:
        boot.boot_primary(machine)
        if interactive:
            _hand_over(machine, "This is the primary VM's shell. gunyah run starts a guest.")
        else:
            _power_off(machine)


def _hand_over(machine: Machine, explanation: str) -> None:
    print(f"\n{explanation}\npoweroff in the primary VM ends QEMU, and so does Ctrl-] anywhere.\n")
    ended = terminal.join(machine)
    print("\nThe machine is off." if ended else "\nThe machine was ended by Ctrl-].")


def _try_guest(machine: Machine) -> None:
    """Asks the guest the questions, prints question and answer, and powers the guest off."""
    for question in _QUESTIONS:
        with Step(f"in the guest: {question.command}"):
            start = machine.position
            machine.send_line(question.command)
            machine.expect(question.answer, _COMMAND_SECONDS, f"the guest did not answer "
                           f"'{question.command}' as it should")
            end = machine.position
        machine.expect("guest# ", _COMMAND_SECONDS, "the guest's prompt")
        _print_answer(machine.text[start:end], question.command)
    with Step("the guest powers off"):
        machine.send_line("poweroff -f")
        machine.expect("primary# ", _COMMAND_SECONDS, "stage 'the guest powers off' failed")


def _print_answer(said: str, command: str) -> None:
    without_escapes = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", said)
    for line in without_escapes.splitlines():
        if line.strip() and line.strip() != command:
            note(f"| {line}")


def _power_off(machine: Machine) -> None:
    with Step("the machine powers off"):
        machine.send_line("poweroff -f")
        status = machine.wait(_COMMAND_SECONDS)
    if status != 0:
        raise Failure(f"stage 'the machine powers off' failed: QEMU's exit status is {status}",
                      machine.qemu_errors())
