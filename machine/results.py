# SPDX-License-Identifier: BSD-3-Clause
"""Collects what passed and failed, shows each, and ends with the one line that counts them."""

import threading
from dataclasses import dataclass, field

from machine.failure import last_lines


@dataclass
class Results:
    """The outcome of a test run. Usable from several threads."""

    passed: int = 0
    failed: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, name: str, problem: str = "", seconds: float = 0.0) -> None:
        """Counts NAME as failed when there is a PROBLEM, else as passed."""
        with self._lock:
            mark = "FAILED" if problem else "passed"
            print(f"{mark} {seconds:6.1f}s  {name}", flush=True)
            if problem:
                self.failed.append(name)
                for line in last_lines(problem, 40).splitlines():
                    print(f"                | {line}", flush=True)
            else:
                self.passed += 1

    def add_quietly(self, passed: int) -> None:
        """Counts PASSED further ones that are not worth a line each."""
        with self._lock:
            self.passed += passed

    def summary(self) -> str:
        """The closing line."""
        return f"{self.passed} passed, {len(self.failed)} failed"
