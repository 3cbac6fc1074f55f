# SPDX-License-Identifier: BSD-3-Clause
"""Writes to a running machine's physical memory through QEMU's gdb stub: for tests that break a part on purpose.

The packets are those of GDB's manual, "Remote Protocol", and of QEMU's "GDB usage" (physical memory).
"""

import re
import socket
from pathlib import Path

from machine.failure import Failure

_SECONDS = 30
# Not that the machine has stopped (T...), which comes when it does.
_ANSWER = re.compile(rb"\$([^#T][^#]*|)#..")


def arguments(path: Path) -> tuple[str, ...]:
    """QEMU's, for a stub that listens on the socket PATH; it changes nothing until somebody comes."""
    return ("-chardev", f"socket,path={path},server=on,wait=off,id=stub", "-gdb", "chardev:stub")


def _ask(stub: socket.socket, text: str) -> None:
    """Sends a packet, which the stub must answer with OK."""
    stub.sendall(f"${text}#{sum(text.encode()) % 256:02x}".encode())
    answer = b""
    while not (packet := _ANSWER.search(answer)):
        got = stub.recv(4096)
        if not got:
            raise Failure(f"QEMU's gdb stub hangs up on '{text}'")
        answer += got
    stub.sendall(b"+")
    if packet[1] != b"OK":
        raise Failure(f"QEMU's gdb stub answers '{text}' with {packet[1]!r}")


def write_physical(path: Path, address: int, data: bytes) -> None:
    """Stops the machine whose stub listens on PATH, writes DATA, and lets it go on."""
    with socket.socket(socket.AF_UNIX) as stub:
        stub.settimeout(_SECONDS)
        stub.connect(str(path))
        _ask(stub, "Qqemu.PhyMemMode:1")
        _ask(stub, f"M{address:x},{len(data):x}:{data.hex()}")
        _ask(stub, "D")
