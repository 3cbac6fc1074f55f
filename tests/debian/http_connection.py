# SPDX-License-Identifier: BSD-3-Clause
"""Serves the files of the folder argv[1] by HTTP to one connection: stdin and stdout, as QEMU's guestfwd= has it."""

import sys
from http.server import SimpleHTTPRequestHandler
from socket import socket
from socketserver import BaseServer
from typing import cast


class _Connection(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        """Reads and writes here what the base class would have from a socket."""
        self.rfile = sys.stdin.buffer
        self.wfile = sys.stdout.buffer

    def finish(self) -> None:
        """Nothing is left behind in a buffer."""
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing: stderr is the connection, too."""

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Called at the end of each answer's status line."""


if __name__ == "__main__":
    _Connection(cast(socket, None), ("guest", 0), cast(BaseServer, None), directory=sys.argv[1])
