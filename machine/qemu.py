# SPDX-License-Identifier: BSD-3-Clause
"""A QEMU arm64 machine with its serial line on pipes: start, expect, send, stop.

Every machine is bounded in time, logs its serial line to build/logs, and dies with this process.
"""

import os
import re
import signal
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from machine.failure import Failure, last_lines
from machine.debug_kernel import DEBUG, PRIMARY
from machine.paths import HYPERVISOR_IMAGE, LOGS, relative

_QEMU = "qemu-system-aarch64"
_RAM_BASE = 0x4000_0000
# QEMU writes its device tree over whatever a guest-loader put at RAM base + 128 MiB.
_KERNEL_ADDRESS = _RAM_BASE + 0x0A00_0000
_INITRD_ADDRESS = _RAM_BASE + 0x1000_0000
_STOP_SECONDS = 5
_SETTLE_SECONDS = 0.5

# Stretches every time limit, for a computer that is slow or busy: GUNYAH_PATIENCE=4 ./dev test
PATIENCE = float(os.environ.get("GUNYAH_PATIENCE", "1"))

BOOT_ARGUMENTS = "console=ttyAMA0 panic=-1"
if PRIMARY is DEBUG:
    # No report of its checkers is overwritten before somebody has looked.
    BOOT_ARGUMENTS += " log_buf_len=4M"

# What no healthy run ever prints; seeing it ends the wait at once.
FATAL = re.compile(r"\[(?:hyp|rm)\] PANIC:.*|Kernel panic - not syncing.*")


@dataclass(frozen=True)
class Configuration:
    """The machine to build. `memory` is in QEMU's spelling, e.g. 2G; `cpu` is QEMU's model name."""

    cpu: str = "max"
    cpus: int = 2
    memory: str = "2G"
    hypervisor: Path | None = HYPERVISOR_IMAGE
    kernel: Path = PRIMARY.boot_image
    initrd: Path | None = PRIMARY.primary_initrd
    boot_arguments: str = BOOT_ARGUMENTS
    board: str = "virt,gic-version=3"
    kernel_address: int = _KERNEL_ADDRESS
    extra: tuple[str, ...] = field(default=())

    def prepare(self) -> None:
        """Makes the files that this machine boots from. Once before each start."""

    def command(self) -> list[str]:
        """The QEMU command line."""
        return [
            _QEMU, *self._machine(), "-m", self.memory,
            "-display", "none", "-monitor", "none", "-nic", "none", "-no-reboot",
            "-chardev", "stdio,id=uart,signal=off", "-serial", "chardev:uart",
            *self._payload(), *self.extra,
        ]

    def _machine(self) -> list[str]:
        """Board and CPUs."""
        # QEMU's default PAuth algorithm is so slow to emulate that a boot takes minutes.
        model = "max,pauth-impdef=on" if self.cpu == "max" else self.cpu
        board = self.board + (",virtualization=on" if self.hypervisor else "")
        return ["-M", board, "-cpu", model, "-smp", str(self.cpus)]

    def _payload(self) -> list[str]:
        """What is in memory when the machine starts."""
        if self.hypervisor is None:
            initrd = ["-initrd", str(self.initrd)] if self.initrd else []
            return ["-kernel", str(self.kernel), *initrd, "-append", self.boot_arguments]
        bootargs = self.boot_arguments.replace(",", ",,")
        initrd = (["-device", f"guest-loader,addr={_INITRD_ADDRESS:#x},initrd={self.initrd}"]
                  if self.initrd else [])
        return [
            "-kernel", str(self.hypervisor),
            "-device", f"guest-loader,addr={self.kernel_address:#x},kernel={self.kernel},"
                       f"bootargs={bootargs}",
            *initrd,
        ]


class Machine:
    """A running QEMU. Use it as a context manager; it is killed at the end at the latest."""

    def __init__(self, configuration: Configuration, name: str, limit: float | None) -> None:
        """Starts QEMU; its serial log is build/logs/NAME.serial. It is killed after LIMIT seconds."""
        LOGS.mkdir(parents=True, exist_ok=True)
        self.log = LOGS / f"{name}.serial"
        self.configuration = configuration
        self._log_file = self.log.open("wb")
        self._error_log = LOGS / f"{name}.qemu"
        self._text = ""
        self._position = 0
        self._changed = threading.Condition()
        self._ended = False
        self._sink: int | None = None
        with self._error_log.open("wb") as errors:
            # setpriv: QEMU dies with us, whatever kills us. An own session: Ctrl-C is ours alone.
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "--", *configuration.command()],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
                start_new_session=True)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._watchdog = threading.Timer((limit or 0) * PATIENCE, self.kill)
        self._watchdog.daemon = True
        if limit is not None:
            self._watchdog.start()

    def __enter__(self) -> "Machine":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.kill()

    def _read(self) -> None:
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        while data := os.read(descriptor, 65536):
            self._log_file.write(data)
            self._log_file.flush()
            with self._changed:
                if self._sink is not None:
                    os.write(self._sink, data)
                self._text += data.decode(errors="replace").replace("\r", "")
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    @property
    def text(self) -> str:
        """All that the serial line has said so far."""
        return self._text

    @property
    def position(self) -> int:
        """The end of what expect() has consumed, as an index into text."""
        return self._position

    @property
    def running(self) -> bool:
        """Whether QEMU has not ended."""
        return self._process.poll() is None

    @property
    def cpu_seconds(self) -> float:
        """How much of this computer's CPU time QEMU has used so far."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        user, system = int(fields[11]), int(fields[12])
        return (user + system) / os.sysconf("SC_CLK_TCK")

    def qemu_errors(self) -> str:
        """What QEMU itself complained about."""
        return last_lines(self._error_log.read_text(errors="replace"))

    def expect(self, pattern: str, timeout: float, what: str = "",
               unless: str = "") -> re.Match[str]:
        """Waits for PATTERN in the output after the last match, and consumes up to its end.

        Failure, naming WHAT, after TIMEOUT seconds, on a fatal message, when QEMU ends, or when
        UNLESS comes first.
        """
        wanted = what or f"'{pattern}'"
        # The end of a line, not of what has arrived of it so far.
        regex = re.compile(re.sub(r"\$$", r"(?=\\n)", pattern), re.MULTILINE)
        hopeless = re.compile(f"{FATAL.pattern}|{unless}" if unless else FATAL.pattern, re.MULTILINE)
        timeout *= PATIENCE
        deadline = time.monotonic() + timeout
        begin = self._position
        with self._changed:
            while True:
                match = regex.search(self._text, self._position)
                if match:
                    self._position = match.end()
                    return match
                fatal = hopeless.search(self._text, self._position)
                reason = self._failure_reason(fatal, deadline, timeout)
                if reason:
                    raise Failure(f"{wanted}: {reason}, see {relative(self.log)}",
                                  last_lines(self._text[begin:]) or self.qemu_errors())
                self._changed.wait(min(1.0, max(0.01, deadline - time.monotonic())))

    def _settle(self) -> None:
        """Lets the end of a fatal message and its backtrace come in."""
        length = -1
        while length != len(self._text) and not self._ended:
            length = len(self._text)
            self._changed.wait(_SETTLE_SECONDS)

    def _failure_reason(self, fatal: re.Match[str] | None, deadline: float,
                        timeout: float) -> str:
        if fatal:
            self._settle()
            return f"'{fatal[0].strip()}' came first"
        if self._ended:
            return f"QEMU ended early (exit status {self._process.wait()})"
        if time.monotonic() >= deadline:
            return f"not seen within {timeout:.0f} s"
        return ""

    def send(self, text: str) -> None:
        """Types TEXT on the serial line."""
        assert self._process.stdin is not None
        try:
            os.write(self._process.stdin.fileno(), text.encode())
        except OSError as error:
            raise Failure(f"QEMU no longer listens ({error}), see {relative(self.log)}",
                          last_lines(self._text)) from error

    def send_line(self, line: str) -> None:
        """Types LINE and Enter."""
        self.send(line + "\n")

    def copy_output_to(self, descriptor: int | None) -> None:
        """From now on also writes the serial output to DESCRIPTOR; None ends it."""
        with self._changed:
            self._sink = descriptor

    def wait(self, timeout: float) -> int:
        """Waits for QEMU to end by itself and returns its exit status; Failure after TIMEOUT."""
        try:
            return self._process.wait(timeout * PATIENCE)
        except subprocess.TimeoutExpired as error:
            raise Failure(f"the machine did not power off within {timeout:.0f} s, "
                          f"see {relative(self.log)}",
                          last_lines(self._text[self._position:])) from error

    def kill(self) -> None:
        """Ends QEMU, first politely; harmless when it has ended."""
        self._watchdog.cancel()
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self.running:
                self._process.send_signal(number)
                try:
                    self._process.wait(_STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    continue
        self._reader.join(_STOP_SECONDS)
        self._log_file.close()
