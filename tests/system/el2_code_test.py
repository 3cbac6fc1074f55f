# SPDX-License-Identifier: BSD-3-Clause
"""What the compiler made of EL2: it leaves alone what belongs to the VM, x18 and the vector registers,
and whoever is reached by an indirect branch has the mark for it (FEAT_BTI).

No run shows this for every path: a function uses such a register only where the compiler ran out of
others. GCC once did so at the link, where it had forgotten -ffixed-x18.
"""

import re
import subprocess
import unittest
from dataclasses import dataclass

from machine.paths import BUILD

_PROGRAM = BUILD / "el2/hypervisor/gunyah.elf"
_IMAGE = BUILD / "el2/hypervisor/gunyah.Image"
_FUNCTION = re.compile(r"^[0-9a-f]+ <(.*)>:$")
_X18 = re.compile(r"\b[xw]18\b")
_VECTOR = re.compile(r"\b([bhsdqvz][0-9]+|p[0-9]+\.[bhsd]|p[0-9]+/[mz])\b")
_MOVES_X18 = re.compile(r"^(guest_exit_|guest_enter$|el2_fatal$)")  # to and from memory
_JUMP = re.compile(r"^br\tx([0-9]|1[0-589]|2[0-9]|30)\s*$")  # by x16 and x17 functions are called
_RELOCATION = re.compile(
    r"^([0-9a-f]{16}) +[0-9a-f]+ R_AARCH64_(\w+) +([0-9a-f]+) \S+ ([+-]) ([0-9a-f]+)$", re.MULTILINE)
_TAKE = {"ABS64", "ADD_ABS_LO12_NC", "ADR_PREL_LO21"}
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


@dataclass(frozen=True)
class _Relocation:
    """What the linker wrote to `at` has to do with the address `target`."""

    at: int
    kind: str
    target: int


def _relocations(sections: str) -> list[_Relocation]:
    """The linker's own list (--emit-relocs) for these sections."""
    listing = subprocess.run(["aarch64-linux-gnu-readelf", "-rW", _PROGRAM],
                             capture_output=True, text=True, check=True).stdout
    found: list[_Relocation] = []
    for part in listing.split("Relocation section ")[1:]:
        if re.match(rf"'\.rela\.({sections})'", part):
            found += [_Relocation(int(at, 16), kind, int(value, 16) + int(sign + addend, 16))
                      for at, kind, value, sign, addend in _RELOCATION.findall(part)]
    return found


def _addresses_taken() -> set[int]:
    """What words of data and constants point to, and what the code puts into registers."""
    return {one.target for one in _relocations("text|rodata|data") if one.kind in _TAKE}


def _symbol(name: str) -> int:
    listing = subprocess.run(["aarch64-linux-gnu-nm", _PROGRAM], capture_output=True, text=True,
                             check=True).stdout
    return int(re.findall(rf"^([0-9a-f]+) . {name}$", listing, re.MULTILINE)[0], 16)


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

    def test_words_that_look_like_pointers_are_those_of_the_linker(self) -> None:
        start, end = _symbol("image_start"), _symbol("image_end")
        image = _IMAGE.read_bytes()
        looks: set[int] = set()
        # As arm64/image_place.cpp goes over them at boot.
        for first, behind in (("text_end", "resource_manager_start"), ("rodata_end", "bss_start")):
            for at in range(_symbol(first), _symbol(behind), 8):
                if start <= int.from_bytes(image[at - start:at - start + 8], "little") <= end:
                    looks.add(at)
        self.assertGreater(len(looks), 100)
        self.assertEqual(looks, {one.at for one in _relocations("rodata|data")
                                 if one.kind == "ABS64"})
        in_header = start + 16  # no address: image_size
        self.assertEqual({one.at for one in _relocations("text|bss") if "ABS64" in one.kind},
                         {in_header})
