# SPDX-License-Identifier: BSD-3-Clause
"""One line per step with its elapsed time; at a terminal the line is alive while the step runs."""

import shutil
import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType

_TICK_SECONDS = 0.2


class Step:
    """`with Step("building el2") as step:` prints the line; `step.detail` adds a few words to it."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.detail: str | Callable[[], str] = ""
        self._start = time.monotonic()
        self._done = threading.Event()
        self._ticker = threading.Thread(target=self._tick, daemon=True)

    @property
    def elapsed(self) -> float:
        """Seconds since the step began."""
        return time.monotonic() - self._start

    def _line(self, mark: str) -> str:
        detail = self.detail() if callable(self.detail) else self.detail
        suffix = f"  ({detail})" if detail else ""
        return f"{mark} {self.elapsed:6.1f}s  {self.title}{suffix}"

    def _tick(self) -> None:
        while not self._done.wait(_TICK_SECONDS):
            width = shutil.get_terminal_size().columns - 1
            sys.stdout.write("\r\033[K" + self._line("..")[:width])
            sys.stdout.flush()

    def __enter__(self) -> "Step":
        if sys.stdout.isatty():
            self._ticker.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._done.set()
        if self._ticker.is_alive():
            self._ticker.join()
        clear = "\r\033[K" if sys.stdout.isatty() else ""
        print(clear + self._line("ok" if kind is None else "!!"), flush=True)


def note(text: str) -> None:
    """A line between the steps."""
    print(f"            {text}", flush=True)
