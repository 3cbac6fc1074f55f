# SPDX-License-Identifier: BSD-3-Clause
"""The one error that ends a command: a sentence for the user, perhaps with the end of a log."""

from pathlib import Path

LOG_LINES = 25


class Failure(Exception):
    """Something the user must know; `log_tail` is what the failed tool said last."""

    def __init__(self, sentence: str, log_tail: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.log_tail = log_tail


def last_lines(text: str, count: int = LOG_LINES) -> str:
    """The last COUNT lines of TEXT that hold anything."""
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    return "\n".join(lines[-count:])


def log_tail(log: Path, count: int = LOG_LINES) -> str:
    """The last lines of the file LOG, or nothing when it cannot be read."""
    try:
        return last_lines(log.read_text(errors="replace"), count)
    except OSError:
        return ""
