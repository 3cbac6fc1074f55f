# SPDX-License-Identifier: BSD-3-Clause
"""The Promela models under spin: each holds in every interleaving, and each broken variant fails."""

import re
import time
from pathlib import Path

from machine.command import run_logged
from machine.failure import Failure
from machine.paths import BUILD, ROOT
from machine.results import Results

_MODELS = ROOT / "tests/promela"
_DEPTH = 100_000  # steps of one interleaving


def _errors(model: Path, variant: str) -> int:
    """How many errors spin finds in MODEL with VARIANT defined; it stops at the first."""
    name = f"{model.stem}.{variant}"
    place = BUILD / "promela" / name
    place.mkdir(parents=True, exist_ok=True)
    run_logged(f"generating {name}", ["spin", f"-D{variant}", "-a", model], f"{name}.log", cwd=place)
    run_logged(f"compiling {name}", ["gcc", "-O1", "-DSAFETY", "-o", "pan", "pan.c"], f"{name}.log",
               cwd=place, timeout=120)
    output = run_logged(f"checking {name}", ["./pan", f"-m{_DEPTH}"], f"{name}.log", cwd=place,
                        timeout=300)
    found = re.search(r"errors: (\d+)", output)
    if not found or "max search depth too small" in output:
        raise Failure(f"{name} was not searched to the end", output)
    return int(found[1])


def _check(results: Results, model: Path, variant: str, broken: bool) -> None:
    start = time.monotonic()
    problem = ""
    if (_errors(model, variant) != 0) != broken:
        problem = (f"spin finds no error although {variant} is defined" if broken
                   else f"spin finds an error, see build/logs/{model.stem}.{variant}.log")
    results.add(f"promela: {model.stem} {variant if broken else 'holds'}", problem,
                time.monotonic() - start)


def run(results: Results, keyword: str) -> None:
    """One result for each model in tests/promela, and one for each way it names to break it."""
    for model in sorted(_MODELS.glob("*.pml")):
        if keyword not in model.stem:
            continue
        named = re.search(r"^ \* broken: (.*)$", model.read_text(encoding="utf-8"), re.MULTILINE)
        if not named:
            raise Failure(f"{model.name} names no broken variants")
        _check(results, model, "WHOLE", broken=False)
        for variant in named[1].split():
            _check(results, model, variant, broken=True)
