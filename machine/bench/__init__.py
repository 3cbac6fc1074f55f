# SPDX-License-Identifier: BSD-3-Clause
"""Counts instructions (./dev bench) and compares them with bench/budgets."""
