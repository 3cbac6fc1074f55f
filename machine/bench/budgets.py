# SPDX-License-Identifier: BSD-3-Clause
"""The file bench/budgets: what each operation may cost, beside its goal and another's figure."""

from dataclasses import dataclass

from machine.bench.row import Row
from machine.paths import ROOT

_FILE = ROOT / "bench/budgets"
_HEADER = """\
# SPDX-License-Identifier: BSD-3-Clause
# What ./dev bench compares with: it fails when a figure grows beyond its budget by more than 2 %, or
# what its row says instead.
# Written by ./dev bench --update, which keeps the last two columns: the most that an operation is to
# cost, and what the public Gunyah (production build, same QEMU) needs. "-": there is none.
"""


@dataclass(frozen=True)
class Budget:
    """What the row NAME may cost; None: not measured yet."""

    name: str
    group: str
    unit: str
    budget: float | None = None
    limit: str = "-"
    public: str = "-"

    def problem(self, row: Row) -> str:
        """What is wrong with ROW, or nothing."""
        if self.budget is None:
            return "no budget"
        # Half a unit: what rounding hides must not fail.
        if row.value > self.budget * row.growth + 0.5:
            return f"over budget by {(row.value / self.budget - 1) * 100:.1f} %"
        return ""


def read() -> dict[str, Budget]:
    """All budgets by row name, in the file's order."""
    budgets = {}
    for line in _FILE.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, group, unit, budget, limit, public = line.split()
            budgets[name] = Budget(name, group, unit, None if budget == "-" else float(budget),
                                   limit, public)
    return budgets


def of(row: Row) -> Budget:
    """The budget of ROW, one without figures if it is new."""
    return read().get(row.name, Budget(row.name, row.group, row.unit))


def figure(value: float) -> str:
    """VALUE as it is printed and kept: one decimal where it means something."""
    return f"{value:.1f}" if value < 1000 and round(value, 1) != round(value) else f"{value:.0f}"


def write(budgets: dict[str, Budget]) -> None:
    """Replaces the file."""
    rows = [("# operation", "group", "unit", "budget", "limit", "public")]
    for entry in budgets.values():
        budget = "-" if entry.budget is None else figure(entry.budget)
        rows.append((entry.name, entry.group, entry.unit, budget, entry.limit,
                     entry.public))
    lines = [f"{name:<30} {group:<12} {unit:<13} {budget:>9} {limit:>9} {public:>9}"
             for name, group, unit, budget, limit, public in rows]
    _FILE.write_text(_HEADER + "\n".join(lines) + "\n", encoding="utf-8")
