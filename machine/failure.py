# SPDX-License-Identifier: BSD-3-Clause
"""The one error that ends a command: a sentence for the user, perhaps with the end of a log."""

import re

LOG_LINES = 25


class Failure(Exception):
    """Something the user must know; `log_tail` is what the failed tool said last."""

    def __init__(self, sentence: str, log_tail: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.log_tail = log_tail


def last_lines(text: str, count: int = LOG_LINES) -> str:
    """The last COUNT lines of TEXT that hold anything but ninja's progress."""
    lines = [line.rstrip() for line in text.splitlines()
             if line.strip() and not re.match(r"\[\d+/\d+\] ", line)]
    return "\n".join(lines[-count:])
