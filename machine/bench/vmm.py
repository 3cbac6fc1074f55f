# SPDX-License-Identifier: BSD-3-Clause
"""What `gunyah run` costs: its way to the guest's start, its memory, and the exits of a guest that uses a disk.

bench/vmm/primary/init looks at tracepoints and counters while a guest does the task `exits`.
"""

import re

from machine import build, image
from machine.bench.counting import counting
from machine.bench.row import Group, Row
from machine.cpio import Archive
from machine.failure import Failure
from machine.kernel import STANDARD
from machine.paths import ROOT, relative
from machine.qemu import BOOT_ARGUMENTS, Configuration, Machine

_SECONDS = 600
_INITRD = STANDARD.images / "vmm_bench.cpio"
_MEBIBYTES = 16
_IDLE_SECONDS = 10
_SAMPLE = re.compile(r"^sample (\d) (\d+)\r?$", re.MULTILINE)
# Of the trace, in seconds; the counter ticks once per instruction, its last digit is 1,000 of them.
_EXEC = re.compile(r" (\d+\.\d+): sched_process_exec: filename=/usr/bin/gunyah")
_START = re.compile(r" (\d+\.\d+): gh_rm_call: VM_START")
_UP = re.compile(r"^up: (\d+\.\d+)", re.MULTILINE)
_RESIDENT = re.compile(r"^resident (\d+)", re.MULTILINE)
_TICKS = re.compile(r"^ticks: (\d+)", re.MULTILINE)


def _prepare() -> None:
    build.build_machine([STANDARD])
    image.pack(STANDARD)
    archive = Archive()
    archive.program("vmm_init", (ROOT / "bench/vmm/primary/init").read_bytes())
    archive.write(_INITRD)
    # The kernel unpacks one archive after the other.
    _INITRD.write_bytes(STANDARD.primary_initrd.read_bytes() + _INITRD.read_bytes())


def _number(pattern: re.Pattern[str], text: str) -> float:
    found = pattern.search(text)
    if not found:
        raise Failure(f"the bench of the VMM did not say '{pattern.pattern}'", text[-2000:])
    return float(found[1])


def _rows(text: str) -> list[Row]:
    exits = [int(count) for _, count in sorted(_SAMPLE.findall(text))]
    nothing, writing, reading, idle = (after - before for before, after in zip(exits, exits[1:]))
    return [
        Row("vmm.exec_to_start", 1e9 * (_number(_START, text) - _number(_EXEC, text))),
        Row("vmm.resident_kib", _number(_RESIDENT, text), "KiB"),
        Row("vmm.guest_to_init", 1e9 * _number(_UP, text)),
        Row("vmm.write_exits_per_mib", (writing - nothing) / _MEBIBYTES, "exits"),
        Row("vmm.read_exits_per_mib", (reading - nothing) / _MEBIBYTES, "exits"),
        Row("vmm.idle_exits_per_second", (idle - nothing) / _IDLE_SECONDS, "exits"),
        Row("vmm.idle_ticks_per_second", _number(_TICKS, text) / _IDLE_SECONDS, "ticks"),
    ]


def measure() -> list[Row]:
    """Boots Debian with one CPU and runs one guest in it; its rows."""
    configuration = counting(Configuration(cpus=1, initrd=_INITRD,
                                           boot_arguments=f"{BOOT_ARGUMENTS} quiet rdinit=/vmm_init"))
    with Machine(configuration, "bench-vmm", _SECONDS) as machine:
        machine.expect(r"^\[primary\] bench ended: 0$", _SECONDS, "the bench's end")
        text = machine.text
        log = relative(machine.log)
    if len(set(_SAMPLE.findall(text))) != 5:
        raise Failure(f"the bench of the VMM has not seen all phases (see {log})", text[-2000:])
    return _rows(text)


GROUP = Group("vmm", _prepare, measure)
