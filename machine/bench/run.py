# SPDX-License-Identifier: BSD-3-Clause
"""./dev bench: measures the groups, prints the table, compares, writes JSON and budgets."""

import json
from dataclasses import asdict, replace
from pathlib import Path

from machine.bench import bare_metal, budgets, stack, vmm
from machine.bench.budgets import figure
from machine.bench.row import Group, Row
from machine.failure import Failure
from machine.progress import Step

# A new group is a module with a GROUP, and its name here.
GROUPS: tuple[Group, ...] = (bare_metal.GROUP, stack.GROUP, vmm.GROUP)


def measure(group: Group) -> list[Row]:
    """The rows of GROUP; there is at least one, and no name comes twice."""
    with Step(f"counting: {group.name}"):
        rows = group.measure()
    if not rows or len({row.name for row in rows}) != len(rows):
        raise Failure(f"the group {group.name} measured nothing, or something twice")
    return [replace(row, group=group.name) for row in rows]


def problems(rows: list[Row]) -> dict[str, str]:
    """What is wrong with ROWS by name: growth beyond the budget, or no budget."""
    found = {row.name: budgets.of(row).problem(row) for row in rows}
    return {name: problem for name, problem in found.items() if problem}


def _over(row: Row, limit: str) -> bool:
    return limit != "-" and float(figure(row.value)) > float(limit)


def _print(rows: list[Row]) -> None:
    print(f"{'operation':<34} {'measured':>11} {'budget':>11} {'limit':>9} {'public':>9}  unit")
    for row in rows:
        entry = budgets.of(row)
        budget = "-" if entry.budget is None else figure(entry.budget)
        remark = entry.problem(row) or ("above its limit" if _over(row, entry.limit) else "")
        print(f"{row.name:<34} {figure(row.value):>11} {budget:>11} {entry.limit:>9} "
              f"{entry.public:>9}  {row.unit}{'  <- ' + remark if remark else ''}")


def _update(rows: list[Row]) -> None:
    known = budgets.read()
    for row in rows:
        known[row.name] = replace(budgets.of(row), unit=row.unit, budget=row.value)
    budgets.write(known)


def _write_json(path: Path, rows: list[Row]) -> None:
    entries = [{**asdict(budgets.of(row)), "value": row.value} for row in rows]
    path.write_text(json.dumps(entries, indent=1) + "\n", encoding="utf-8")


def run(only: str | None, update: bool, json_file: Path | None) -> int:
    """Measures every group, or the one named ONLY; returns the exit status."""
    groups = [group for group in GROUPS if only in (None, group.name)]
    for group in groups:
        group.prepare()
    rows = [row for group in groups for row in measure(group)]
    if update:
        _update(rows)
    _print(rows)
    if json_file is not None:
        _write_json(json_file, rows)
    found = problems(rows)
    for name, problem in found.items():
        print(f"{name}: {problem}")
    return 1 if found else 0
