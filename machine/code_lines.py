# SPDX-License-Identifier: BSD-3-Clause
"""The gate on the size of what runs with all rights: code lines of EL2 and of the Resource Manager.

A code line is one that is neither blank nor comment alone. EL2 is hypervisor/ with those parts of
runtime/ that are linked into it, which are all but the host's; RM is resource_manager/. Tests, their
fixtures and the host's stand-ins for hardware count nowhere, nor does abi/, which is the interface.
"""

import re
from pathlib import Path

from machine.paths import ROOT
from machine.sources import tracked

# What the parts may have: EL2 is to come down to 15,000, and may not grow until then.
LIMITS = {"EL2": 15_276, "RM": 10_000}

_FOLDERS = {"hypervisor": "EL2", "runtime": "EL2", "resource_manager": "RM"}
_CODE = (".cpp", ".hpp", ".S", ".lds", ".ld")
_NOT_LINKED = {"fake", "testing", "host"}
_COMMENT_OR_STRING = re.compile(r'//[^\n]*|/\*.*?\*/|R"\((?:.*?)\)"|"(?:\\.|[^"\\\n])*"', re.DOTALL)


def code_lines(text: str) -> int:
    """How many lines of TEXT have more than blanks and comments."""
    def kept(match: re.Match[str]) -> str:
        found = match[0]
        return found if found[0] in 'R"' else "\n" * found.count("\n")
    return sum(1 for line in _COMMENT_OR_STRING.sub(kept, text).splitlines() if line.strip())


def _part(path: Path) -> str | None:
    """What the file PATH belongs to, if it counts at all."""
    is_test = path.stem.endswith("_test") or path.stem.endswith("_fixture")
    if path.suffix not in _CODE or is_test or _NOT_LINKED & set(path.parts):
        return None
    return _FOLDERS.get(path.parts[0])


def measured() -> dict[str, int]:
    """Code lines of each part."""
    sums = dict.fromkeys(LIMITS, 0)
    for path in tracked():
        part = _part(path)
        if part is not None:
            sums[part] += code_lines((ROOT / path).read_text())
    return sums


def check() -> str:
    """Prints the figures; says which part is above its limit."""
    sums = measured()
    print("      " + ", ".join(f"{part} {sums[part]:,} of {limit:,} code lines"
                              for part, limit in LIMITS.items()))
    return "\n".join(f"{part} has {sums[part]:,} code lines, the limit is {limit:,}"
                     for part, limit in LIMITS.items() if sums[part] > limit)
