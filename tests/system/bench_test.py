# SPDX-License-Identifier: BSD-3-Clause
"""The figures of ./dev bench that a bare-metal program counts stay within bench/budgets."""

import unittest

from machine.bench import bare_metal, budgets, run


class BareMetalBudgets(unittest.TestCase):
    """Counted twice: emulation under -icount repeats itself to the instruction."""

    def test_within_budgets(self) -> None:
        """No row has grown, none is missing, and a second run counts the same."""
        rows = run.measure(bare_metal.GROUP)
        self.assertEqual(run.problems(rows), {})
        budgeted = {name for name, entry in budgets.read().items()
                    if entry.group == bare_metal.GROUP.name}
        self.assertEqual({row.name for row in rows}, budgeted)
        self.assertEqual(run.measure(bare_metal.GROUP), rows)
