# SPDX-License-Identifier: BSD-3-Clause
"""A client of QEMU's gdb stub (GDB manual, "Remote Serial Protocol"): registers, memory, breakpoints.

The machine stands still while a debugger is connected, but for Debugger.run_to().
"""

import re
import socket
import time
from pathlib import Path
from types import TracebackType

from machine.failure import Failure
from machine.qemu import PATIENCE

_SECONDS = 20 * PATIENCE
_PIECE = 0x400  # bytes of memory per packet
_PC = 32
_CORE = {**{f"x{number}": number for number in range(31)}, "sp": 31, "pc": _PC}


def stub_options(path: Path) -> tuple[str, ...]:
    """What QEMU needs on its command line to listen at the socket PATH."""
    return ("-chardev", f"socket,id=gdb,path={path},server=on,wait=off", "-gdb", "chardev:gdb")


class Debugger:
    """Stops the machine that listens at PATH. Use it as a context manager; it runs on at the end."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(_SECONDS)
        self._received = b""
        self._connect(path)
        self._send("Qqemu.PhyMemMode:1")
        while self._receive() != "OK":
            pass  # QEMU has told that it stopped the machine for us
        self._numbers = {**_CORE, **self._system_registers()}

    def __enter__(self) -> "Debugger":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._socket.close()

    def _connect(self, path: Path) -> None:
        deadline = time.monotonic() + _SECONDS
        while True:
            try:
                self._socket.connect(str(path))
                return
            except OSError as error:
                if time.monotonic() > deadline:
                    raise Failure(f"QEMU's gdb stub does not listen at {path}: {error}") from error
                time.sleep(0.05)

    def _send(self, payload: str) -> None:
        data = payload.encode()
        self._socket.sendall(b"$" + data + b"#%02x" % (sum(data) % 256))

    def _receive(self) -> str:
        packet = re.compile(rb"\$([^#]*)#[0-9a-f]{2}", re.DOTALL)
        while not (match := packet.search(self._received)):
            data = self._socket.recv(65536)
            if not data:
                raise Failure("QEMU closed the debugger's connection")
            self._received += data
        self._received = self._received[match.end():]
        self._socket.sendall(b"+")
        return match[1].decode("latin-1")

    def _exchange(self, payload: str) -> str:
        self._send(payload)
        answer = self._receive()
        if re.fullmatch(r"E[0-9a-f]{2}", answer):
            raise Failure(f"QEMU's gdb stub answers {answer} to {payload[:40]}")
        return answer

    def _description(self, file: str) -> str:
        text = ""
        while True:
            answer = self._exchange(f"qXfer:features:read:{file}:{len(text):x},{_PIECE:x}")
            text += answer[1:]
            if answer[:1] != "m":
                return text

    def _system_registers(self) -> dict[str, int]:
        self._description("target.xml")  # makes QEMU write the other one
        return {name: int(number) for name, number in
                re.findall(r'<reg name="(\w+)" bitsize="\d+" regnum="(\d+)"',
                           self._description("system-registers.xml"))}

    def register(self, name: str) -> int:
        """The value of x0, ..., sp, pc, or a system register, e.g. SCTLR_EL2."""
        return int.from_bytes(bytes.fromhex(self._exchange(f"p{self._numbers[name]:x}")), "little")

    def set_register(self, name: str, value: int) -> None:
        """Writes one of the general registers or pc."""
        self._exchange(f"P{self._numbers[name]:x}={value.to_bytes(8, 'little').hex()}")

    def memory(self, physical: int, size: int) -> bytes:
        """SIZE bytes at the address PHYSICAL."""
        return b"".join(
            bytes.fromhex(self._exchange(f"m{at:x},{min(_PIECE, physical + size - at):x}"))
            for at in range(physical, physical + size, _PIECE))

    def write_memory(self, physical: int, data: bytes) -> None:
        """Writes DATA, of one packet at most, to the address PHYSICAL."""
        self._exchange(f"M{physical:x},{len(data):x}:{data.hex()}")

    def run_to(self, address: int) -> None:
        """Goes on until a CPU is about to run the instruction at the virtual ADDRESS."""
        self._exchange(f"Z1,{address:x},4")
        self._exchange("c")
        self._exchange(f"z1,{address:x},4")

    def detach(self) -> None:
        """The machine goes on, and this object is of no use any more."""
        self._exchange("D")
