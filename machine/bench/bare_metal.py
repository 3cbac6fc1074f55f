# SPDX-License-Identifier: BSD-3-Clause
"""The rows that the programs of bench/ print from EL1."""

import re
from dataclasses import replace

from machine import build
from machine.bench.counting import counting
from machine.bench.row import Group, Row
from machine.failure import Failure
from machine.paths import BUILD, HYPERVISOR_IMAGE, relative
from machine.qemu import Configuration, Machine

_PROGRAM = BUILD / "el2/bench/bench.Image"
# The hypervisor with the other program in place of the Resource Manager.
_ROOT_IMAGE = BUILD / "el2/bench/bench_root.Image"
_SECONDS = 120
_ROW = re.compile(r"^row (\S+) (\d+) (\d+)$", re.MULTILINE)
# What the hypervisor reports to keep from VMs.
_KEPT = re.compile(r"^\[hyp\]   (?:hypervisor image|hypervisor pool|Resource Manager) .* "
                   r"\((\d+) KiB\)$", re.MULTILINE)
_FAILED = re.compile(r"^(?:FAIL|skip) .*$", re.MULTILINE)


def _rows(configuration: Configuration, name: str) -> tuple[list[Row], str]:
    """Boots a program that counts: its rows, and all that came over the serial line."""
    with Machine(counting(configuration), f"bench-{name}", _SECONDS) as machine:
        machine.expect(r"^\d+ passed, \d+ failed.*$", _SECONDS, "the program's closing line")
        text = machine.text
        log = relative(machine.log)
    if failed := _FAILED.search(text):
        raise Failure(f"the program that counts says: {failed[0]} (see {log})")
    return [Row(row, int(total) / int(rounds)) for row, total, rounds in _ROW.findall(text)], text


def measure() -> list[Row]:
    """Boots a program in place of Linux, and one in place of the Resource Manager; their rows."""
    machine = Configuration(cpus=1, memory="2G", kernel=_PROGRAM, initrd=None,
                            boot_arguments="bench")
    rows, text = _rows(machine, "bare-metal")
    root_rows, _ = _rows(replace(machine, hypervisor=_ROOT_IMAGE), "root")
    kept = sum(int(kib) << 10 for kib in _KEPT.findall(text))
    return [*rows, *root_rows, Row("boot.image", HYPERVISOR_IMAGE.stat().st_size, "bytes"),
            Row("boot.memory_kept_of_2_gib", kept, "bytes")]


GROUP = Group("bare-metal", lambda: build.build_preset("el2"), measure)
