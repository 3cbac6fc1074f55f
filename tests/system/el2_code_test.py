# SPDX-License-Identifier: BSD-3-Clause
"""What the compiler made of EL2 leaves alone what belongs to the VM: x18 and the vector registers.

No run shows this for every path: a function uses such a register only where the compiler ran out of
others. GCC once did so at the link, where it had forgotten -ffixed-x18.
"""

import re
import subprocess
import unittest

from machine.paths import BUILD

_PROGRAM = BUILD / "el2/hypervisor/gunyah.elf"
_FUNCTION = re.compile(r"^[0-9a-f]+ <(.*)>:$")
_X18 = re.compile(r"\b[xw]18\b")
_VECTOR = re.compile(r"\b([bhsdqvz][0-9]+|p[0-9]+\.[bhsd]|p[0-9]+/[mz])\b")
_MOVES_X18 = re.compile(r"^(guest_exit_|guest_enter$|el2_fatal$)")  # to and from memory
_MOVES_VECTORS = re.compile(r"^arch_(fp|sve)_(save|load)$|^arch_sve_")


def _instructions() -> list[tuple[str, str]]:
    """Function and instruction, for all of the program."""
    listing = subprocess.run(["aarch64-linux-gnu-objdump", "-d", "--no-show-raw-insn", _PROGRAM],
                             capture_output=True, text=True, check=True).stdout
    found: list[tuple[str, str]] = []
    function = ""
    for line in listing.splitlines():
        if label := _FUNCTION.match(line):
            function = label[1]
        elif "\t" in line:
            # Without comments and the names of what is branched to.
            found.append((function, re.sub(r"<.*>|//.*", "", line.split("\t", 1)[1])))
    return found


class El2Code(unittest.TestCase):
    """The disassembly of the hypervisor."""

    def test_registers_of_the_vm_are_left_alone(self) -> None:
        instructions = _instructions()
        self.assertGreater(len(instructions), 10_000)
        for function, text in instructions:
            if _X18.search(text):
                self.assertRegex(function, _MOVES_X18, text)
                self.assertRegex(text, r"^(stp|ldp)\t", function)
            if _VECTOR.search(text):
                self.assertRegex(function, _MOVES_VECTORS, text)
