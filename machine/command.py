# SPDX-License-Identifier: BSD-3-Clause
"""Runs a tool with its output in a log file, and turns its failure into a sentence."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from machine.failure import Failure, last_lines
from machine.paths import LOGS, ROOT, relative


def run_logged(
    what: str,
    command: Sequence[str | Path],
    log_name: str,
    cwd: Path = ROOT,
    env: Mapping[str, str] | None = None,
    timeout: float | None = None,
) -> str:
    """Runs COMMAND, its output in build/logs/LOG_NAME; returns the output.

    Failure says that WHAT failed, with the last lines of the log.
    """
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / log_name
    with log.open("w", encoding="utf-8") as sink:
        try:
            done = subprocess.run(
                [str(word) for word in command],
                cwd=cwd, env=env, timeout=timeout,
                stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT, check=False,
            )
        except FileNotFoundError as error:
            raise Failure(f"{what}: the program {command[0]} is missing (run ./dev packages)") from error
        except subprocess.TimeoutExpired as error:
            text = log.read_text(errors="replace")
            raise Failure(f"{what}: not done after {timeout:.0f} s", last_lines(text)) from error
    text = log.read_text(errors="replace")
    if done.returncode != 0:
        raise Failure(f"{what} failed, see {relative(log)}", last_lines(text))
    return text
