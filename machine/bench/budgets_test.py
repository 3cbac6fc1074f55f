# SPDX-License-Identifier: BSD-3-Clause
"""Tests of the comparison with budgets."""

import unittest

from machine.bench.budgets import Budget, figure
from machine.bench.row import Row


class Problems(unittest.TestCase):
    """What is a problem and what is not."""

    def _problem(self, budget: float | None, value: float) -> str:
        return Budget("x", "group", "instructions", budget).problem(Row("x", value))

    def test_growth(self) -> None:
        """More than 2 % above the budget is a problem; less, or falling, is none."""
        self.assertEqual(self._problem(1000, 1020), "")
        self.assertEqual(self._problem(1000, 10), "")
        self.assertEqual(self._problem(1000, 1030), "over budget by 3.0 %")
        self.assertEqual(self._problem(40, 41), "")
        self.assertNotEqual(self._problem(40, 42), "")

    def test_more_room(self) -> None:
        """A row may say that it grows by chance, and how far."""
        budget = Budget("x", "group", "exits", 100)
        self.assertEqual(budget.problem(Row("x", 150, growth=1.6)), "")
        self.assertEqual(budget.problem(Row("x", 170, growth=1.6)), "over budget by 70.0 %")

    def test_no_budget(self) -> None:
        """A row that was never measured before is to be entered."""
        self.assertEqual(self._problem(None, 1), "no budget")

    def test_figures(self) -> None:
        """A decimal where there is one, and none where it says nothing."""
        self.assertEqual([figure(value) for value in (40, 40.04, 40.26, 12345.6)],
                         ["40", "40", "40.3", "12346"])
