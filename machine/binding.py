# SPDX-License-Identifier: BSD-3-Clause
"""Checks device trees against the binding of linux/Documentation, with dt-schema's programs."""

import subprocess
from pathlib import Path

from machine.paths import BUILD, ROOT

_BINDINGS = ROOT / "linux/Documentation/devicetree/bindings"
_SCHEMA = _BINDINGS / "firmware/gunyah-hypervisor.yaml"
_PUBLIC_STACK = ROOT / "linux/tests/bindings/public_stack.dts"


def _said(command: list[str]) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    output = done.stdout + done.stderr
    return output if output.strip() or done.returncode == 0 else f"status {done.returncode}"


def complaints(tree: Path) -> str:
    """What dt-validate has to say about the hypervisor's nodes in TREE, a compiled device tree.

    It must look at them at all: a copy in which the Resource Manager's node lacks its interrupts
    must not pass.
    """
    broken = BUILD / "binding" / f"broken-{tree.name}"
    broken.parent.mkdir(parents=True, exist_ok=True)
    source = subprocess.run(["dtc", "-q", "-I", "dtb", "-O", "dts", str(tree)],
                            capture_output=True, text=True, check=True).stdout
    start = source.index("hypervisor {")
    damaged = source[:start] + source[start:].replace("interrupts = ", "interrupts-gone = ", 1)
    subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb", "-o", str(broken)],
                   input=damaged, text=True, check=True)
    if "'interrupts' is a required property" not in _validate(broken):
        return "dt-validate did not look at the hypervisor's nodes"
    return _validate(tree)


def _validate(tree: Path) -> str:
    """What our schema complains about; generic ones have things to say about every board."""
    said = _said(["dt-validate", "-s", str(_BINDINGS), str(tree)])
    complaints = said.split("\tFrom schema: ")
    return "\n".join(complaint.partition("\n")[2] if i else complaint
                     for i, complaint in enumerate(complaints[:-1])
                     if complaints[i + 1].startswith(str(_SCHEMA)))


def check() -> str:
    """The binding itself, and the public stack's nodes as they were seen."""
    said = _said(["dt-doc-validate", "-u", str(_BINDINGS), str(_SCHEMA)])
    if said:
        return said
    tree = BUILD / "binding/public_stack.dtb"
    tree.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb", "-o", str(tree), str(_PUBLIC_STACK)],
                   check=True)
    return complaints(tree)
