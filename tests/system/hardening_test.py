# SPDX-License-Identifier: BSD-3-Clause
"""EL2's defences as the CPU sees them: its registers and translation tables, read by a debugger."""

import struct
import subprocess
import tempfile
import unittest
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from machine.paths import BUILD
from machine.qemu import Configuration, Machine
from tests.system import conformance
from tests.system.debugger import Debugger, stub_options

_PROGRAM = BUILD / "el2/hypervisor/gunyah.elf"
_SECONDS = 60
_PAGE = 4096
_BT = 1 << 36
_WXN_AND_MMU = 1 << 19 | 1
_BRANCH_X1 = struct.pack("<I", 0xd61f0020)


def _symbols() -> dict[str, int]:
    """Link addresses of the hypervisor's symbols."""
    listing = subprocess.run(["aarch64-linux-gnu-nm", _PROGRAM], capture_output=True, text=True,
                             check=True).stdout
    return {fields[2]: int(fields[0], 16) for fields in map(str.split, listing.splitlines())
            if len(fields) == 3}


def _branch_x1(start: int) -> int:
    """The link address of an instruction `br x1`, by which an intruder might go where he likes."""
    image = (BUILD / "el2/hypervisor/gunyah.Image").read_bytes()
    return start + image.index(_BRANCH_X1)


@dataclass(frozen=True)
class _Leaf:
    """One entry of EL2's tables that maps something."""

    virtual: int
    size: int
    entry: int

    @property
    def writable(self) -> bool:
        return self.entry >> 7 & 1 == 0

    @property
    def executable(self) -> bool:
        return self.entry >> 54 & 1 == 0

    @property
    def guarded(self) -> bool:
        return self.entry >> 50 & 1 == 1


def _leaves(debugger: Debugger, table: int, virtual: int = 0, level: int = 0) -> Iterator[_Leaf]:
    """All of the tables below TABLE, which translates from VIRTUAL on (Arm ARM D8.3)."""
    size = 1 << (39 - 9 * level)
    entries = struct.unpack("<512Q", debugger.memory(table, _PAGE))
    for index, entry in enumerate(entries):
        address = virtual + index * size
        if entry & 1 == 0:
            continue
        if level < 3 and entry & 2:
            yield from _leaves(debugger, entry & 0xffff_ffff_f000, address, level + 1)
        else:
            yield _Leaf(address, size, entry)


class Hardening(unittest.TestCase):
    """A machine whose hypervisor has started all CPUs."""

    def setUp(self) -> None:
        self._symbols = _symbols()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self._socket = Path(folder.name) / "gdb"

    def _machine(self, cpu: str, *extra: str, board: str = Configuration.board) -> Machine:
        configuration = Configuration(
            cpu=cpu, cpus=1, memory="1G", board=board, kernel=conformance.PROGRAM, initrd=None,
            boot_arguments="conformance",
            extra=(*stub_options(self._socket), *extra))
        return Machine(configuration, f"hardening-{cpu}", _SECONDS)

    def _stop(self, machine: Machine) -> Debugger:
        machine.expect("CPUs run the hypervisor", _SECONDS)
        return Debugger(self._socket)

    def _offset(self, debugger: Debugger) -> int:
        """How far the image is from its link address, by a register that points into it."""
        return debugger.register("VBAR_EL2") - self._symbols["el2_vectors"]

    def _offset_of_boot(self, cpu: str, *extra: str) -> int:
        with self._machine(cpu, *extra) as machine, self._stop(machine) as debugger:
            self.assertIn("at a random virtual address", machine.text)
            return self._offset(debugger)

    def _check_tables(self, debugger: Debugger, guarded: bool) -> None:
        leaves = list(_leaves(debugger, debugger.register("TTBR0_EL2") & ~1))
        text = self._symbols["text_end"] - self._symbols["image_start"]
        executable = [leaf for leaf in leaves if leaf.executable]
        self.assertEqual(sum(leaf.size for leaf in executable), text, "nothing but the code")
        self.assertFalse([leaf for leaf in executable if leaf.writable])
        self.assertEqual({leaf.guarded for leaf in executable}, {guarded})
        self.assertFalse([leaf for leaf in leaves if leaf.guarded and not leaf.executable])
        base = executable[0].virtual
        mapped = {leaf.virtual for leaf in leaves}
        offset = base - self._symbols["image_start"]
        self.assertNotIn(self._symbols["data_end"] + offset, mapped, "below the boot CPU's stack")
        self.assertIn(self._symbols["stack_start"] + offset, mapped)

    def test_code_is_guarded_and_nothing_is_writable_and_executable(self) -> None:
        with self._machine("max") as machine, self._stop(machine) as debugger:
            self.assertIn(", BTI", machine.text)
            self.assertEqual(debugger.register("SCTLR_EL2") & (_BT | _WXN_AND_MMU),
                             _BT | _WXN_AND_MMU)
            self._check_tables(debugger, guarded=True)

    def test_cpu_without_guarded_pages_runs_the_same_image(self) -> None:
        with self._machine("cortex-a57") as machine, self._stop(machine) as debugger:
            self.assertNotIn(", BTI", machine.text)
            self.assertEqual(debugger.register("SCTLR_EL2") & (_BT | _WXN_AND_MMU), _WXN_AND_MMU)
            self._check_tables(debugger, guarded=False)

    def test_branch_into_the_middle_of_a_function_is_fatal(self) -> None:
        with self._machine("max") as machine, self._stop(machine) as debugger:
            offset = self._offset(debugger)
            branch = _branch_x1(self._symbols["image_start"]) + offset
            debugger.run_to(self._symbols["guest_exit_sync"] + offset)
            debugger.set_register("x1", self._symbols["guest_enter"] + offset + 4)
            debugger.set_register("pc", branch)
            debugger.detach()
            machine.expect(r"PANIC:", _SECONDS)  # as soon as that much of it has come
            machine.expect(r"CPU 0: branch to where none is expected in the hypervisor", _SECONDS)

    def test_image_is_elsewhere_at_each_boot(self) -> None:
        # cortex-a57 has no random numbers of its own: there it is the device tree's seed.
        offsets = [self._offset_of_boot("cortex-a57", "-seed", str(seed)) for seed in (1, 2)]
        offsets.append(self._offset_of_boot("max", "-seed", "3"))
        self.assertEqual(len(set(offsets)), 3)
        for offset in offsets:
            self.assertEqual(offset % _PAGE, 0)
            self.assertTrue(0 < offset < 1 << 38, hex(offset))

    def test_without_entropy_the_image_stays_and_says_so(self) -> None:
        board = Configuration.board + ",dtb-randomness=off"
        with self._machine("cortex-a57", board=board) as machine, self._stop(machine) as debugger:
            self.assertIn("at its link address: no entropy", machine.text)
            self.assertEqual(self._offset(debugger), 0)
