# SPDX-License-Identifier: BSD-3-Clause
"""The rows that the bare-metal program bench/ prints from inside the primary VM."""

import re

from machine import build
from machine.bench.counting import counting
from machine.bench.row import Group, Row
from machine.failure import Failure
from machine.paths import BUILD, HYPERVISOR_IMAGE, relative
from machine.qemu import Configuration, Machine

_PROGRAM = BUILD / "el2/bench/bench.Image"
_SECONDS = 120
_ROW = re.compile(r"^row (\S+) (\d+) (\d+)$", re.MULTILINE)
# What the hypervisor reports to keep from VMs.
_KEPT = re.compile(r"^\[hyp\]   (?:hypervisor image|hypervisor pool|Resource Manager) .* "
                   r"\((\d+) KiB\)$", re.MULTILINE)
_FAILED = re.compile(r"^(?:FAIL|skip) .*$", re.MULTILINE)


def measure() -> list[Row]:
    """Boots the program in place of Linux; its rows."""
    configuration = counting(Configuration(cpus=1, memory="2G", kernel=_PROGRAM, initrd=None,
                                           boot_arguments="bench"))
    with Machine(configuration, "bench-bare-metal", _SECONDS) as machine:
        machine.expect(r"^\d+ passed, \d+ failed.*$", _SECONDS, "the program's closing line")
        text = machine.text
        log = relative(machine.log)
    if failed := _FAILED.search(text):
        raise Failure(f"the program that counts says: {failed[0]} (see {log})")
    rows = [Row(name, int(total) / int(rounds)) for name, total, rounds in _ROW.findall(text)]
    kept = sum(int(kib) << 10 for kib in _KEPT.findall(text))
    return [*rows, Row("boot.image", HYPERVISOR_IMAGE.stat().st_size, "bytes"),
            Row("boot.memory_kept_of_2_gib", kept, "bytes")]


GROUP = Group("bare-metal", lambda: build.build_preset("el2"), measure)
