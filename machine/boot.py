# SPDX-License-Identifier: BSD-3-Clause
"""The stages of a boot, each with the line that ends it and the time it may take."""

import contextlib
from dataclasses import dataclass

from machine.progress import Step
from machine.qemu import Machine


@dataclass(frozen=True)
class Stage:
    """What happens, the pattern that says it is over, and its limit in seconds."""

    title: str
    end: str
    limit: float


_HYPERVISOR = (
    Stage("QEMU starts the hypervisor", r"^\[hyp\] Gunyah in C\+\+ .*$", 20),
    Stage("the hypervisor comes up", r"^\[hyp\] starting the resource manager", 20),
    Stage("the Resource Manager comes up", r"^\[rm\] resource manager started", 20),
    Stage("the Resource Manager creates the primary VM", r"^\[rm\] starting the primary VM", 30),
)
_PRIMARY = (
    Stage("Debian's kernel boots in the primary VM", r"^\[primary\] init", 120),
    Stage("the primary VM loads our modules", r"^\[primary\] modules loaded", 60),
    Stage("the primary VM reaches its shell", r"^\[primary\] shell", 30),
)
_GUEST = (
    Stage("gunyah starts a guest, in which Debian's kernel boots", r"^\[guest\] init", 240),
    Stage("the guest reaches its shell", r"^\[guest\] shell", 60),
)
_DEBIAN = (
    Stage("gunyah starts Debian, which boots under systemd", r"^Debian GNU/Linux .* debian ttyAMA0", 600),
    Stage("Debian asks who is there", r"^debian login: ", 30),
)
# Emulated, these models are 2-3 times slower (KPTI flushes QEMU's TLB on every system call).
_SLOW_MODELS = {"cortex-a76", "neoverse-n1"}
_SLOW_FACTOR = 3


def _pass(machine: Machine, stages: tuple[Stage, ...], quiet: bool, unless: str = "") -> None:
    factor = _SLOW_FACTOR if machine.configuration.cpu in _SLOW_MODELS else 1
    for stage in stages:
        with contextlib.ExitStack() as shown:
            if not quiet:
                shown.enter_context(Step(stage.title))
            machine.expect(stage.end, stage.limit * factor, f"stage '{stage.title}' failed", unless)


def boot_primary(machine: Machine, quiet: bool = False) -> None:
    """Waits until the primary VM's shell is there. Failure names the stage that did not pass."""
    if machine.configuration.hypervisor is not None:
        _pass(machine, _HYPERVISOR, quiet)
    _pass(machine, _PRIMARY, quiet, unless=r"^\[primary\] FAILED:.*")
    machine.expect("primary# ", 10, "the primary VM's prompt")


def boot_again(machine: Machine) -> None:
    """Waits for the shell of a kernel that the primary VM's kernel has started in its place."""
    _pass(machine, _PRIMARY, quiet=True, unless=r"^kexec: .*")
    machine.expect("primary# ", 10, "the primary VM's prompt")


def start_guest(machine: Machine, quiet: bool = False) -> None:
    """Types `gunyah run` in the primary VM and waits until the guest's shell is there."""
    machine.send_line("gunyah run")
    # The prompt of the primary VM means that gunyah has ended; its last words are the reason.
    _pass(machine, _GUEST, quiet, unless="^primary# ")
    machine.expect("guest# ", 10, "the guest's prompt")


def start_debian(machine: Machine, quiet: bool = False) -> None:
    """Types `start-debian`, for a machine with debian.machine_devices(), and waits until it asks for a login."""
    machine.send_line("start-debian")
    _pass(machine, _DEBIAN, quiet, unless="^primary# ")
