# SPDX-License-Identifier: BSD-3-Clause
"""One measured figure, and how groups of them are made."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """VALUE of the operation NAME; UNIT is what is counted: instructions, or bytes.

    GROUP is filled in by whoever runs the group. GROWTH: how many times its budget it may become, more
    where it is by chance how much is done at once.
    """

    name: str
    value: float
    unit: str = "instructions"
    group: str = ""
    growth: float = 1.02


@dataclass(frozen=True)
class Group:
    """Rows that are measured together. PREPARE builds what MEASURE needs; both raise Failure."""

    name: str
    prepare: Callable[[], None]
    measure: Callable[[], list[Row]]
