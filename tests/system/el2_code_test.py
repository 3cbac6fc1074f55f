# SPDX-License-Identifier: BSD-3-Clause
"""What the compiler made of EL2: it leaves alone what belongs to the VM, x18 and the vector registers,
and whoever is reached by an indirect branch has the mark for it (FEAT_BTI).

No run shows this for every path: a function uses such a register only where the compiler ran out of
others. GCC once did so at the link, where it had forgotten -ffixed-x18.
"""

import re
import struct
import subprocess
import unittest

from machine.paths import BUILD

_PROGRAM = BUILD / "el2/hypervisor/gunyah.elf"
_IMAGE = BUILD / "el2/hypervisor/gunyah.Image"
_FUNCTION = re.compile(r"^[0-9a-f]+ <(.*)>:$")
_X18 = re.compile(r"\b[xw]18\b")
_VECTOR = re.compile(r"\b([bhsdqvz][0-9]+|p[0-9]+\.[bhsd]|p[0-9]+/[mz])\b")
_MOVES_X18 = re.compile(r"^(guest_exit_|guest_enter$|el2_fatal$)")  # to and from memory
_JUMP = re.compile(r"^br\tx([0-9]|1[0-589]|2[0-9]|30)\s*$")  # by x16 and x17 functions are called
_PAGE = re.compile(r"^adrp\t(x\d+), ([0-9a-f]+)")
_ADD = re.compile(r"^add\t(x\d+), (x\d+), #(0x[0-9a-f]+)")
_NOT_BY_BRANCH = {"_start", "primary_entry", "secondary_entry", "el2_vectors"}
_WITH_MMU_OFF = "enable_mmu"
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


def _first_instructions() -> dict[int, tuple[str, str]]:
    """Name and first instruction of each function, by address."""
    listing = subprocess.run(["aarch64-linux-gnu-objdump", "-d", "--no-show-raw-insn", _PROGRAM],
                             capture_output=True, text=True, check=True).stdout
    return {int(match[1], 16): (match[2], match[3]) for match in re.finditer(
        r"^([0-9a-f]+) <(.*)>:\n\s*[0-9a-f]+:\t(.*)$", listing, re.MULTILINE)}


def _addresses_taken() -> set[int]:
    """What the words of data and constants point to, and what the code puts into registers."""
    image = _IMAGE.read_bytes()
    taken = set(struct.unpack(f"<{len(image) // 8}Q", image))
    pages: dict[str, int] = {}
    for _, text in _instructions():
        if match := _PAGE.match(text):
            pages[match[1]] = int(match[2], 16)
        elif (match := _ADD.match(text)) and match[2] in pages:
            taken.add(pages[match[2]] + int(match[3], 16))
    return taken


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

    def test_jump_tables_lead_to_marks(self) -> None:
        jumps, marked = set[str](), set[str]()
        for function, text in _instructions():
            if _JUMP.match(text):
                jumps.add(function)
            elif text.startswith("bti\tj"):
                marked.add(function)
        self.assertGreater(len(jumps), 1)
        self.assertEqual(jumps - marked, {_WITH_MMU_OFF})

    def test_functions_whose_address_is_taken_are_marked(self) -> None:
        taken = _addresses_taken()
        self.assertGreater(len(taken), 100)
        first = _first_instructions()
        unmarked = {first[address][0] for address in taken if address in first and
                    not first[address][1].startswith("bti\t")}
        self.assertEqual(unmarked - _NOT_BY_BRANCH, set())
