# SPDX-License-Identifier: BSD-3-Clause
"""What `gunyah run` costs: its way to the guest's start, its memory, and the exits of a busy and of an idle guest.

bench/vmm/primary/init looks at tracepoints and counters while a guest does the task `exits`.
"""

import re
from dataclasses import dataclass

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
_TICK_SECONDS = 70
# Another build of anything shifts who comes first, and how much one notification is for.
_BATCHES_DIFFER = 1.6
_SAMPLE = re.compile(r"^sample (\w+) (\d+)\r?$", re.MULTILINE)
_SAMPLES = {"0", "1", "2", "3", "4", "5", "idle_begin", "idle_end"}
# Of the trace, in seconds; the counter ticks once per instruction, its last digit is 1,000 of them.
_EVENT = re.compile(r"-(?P<process>\d+) +\[000\] \S+ +(?P<time>\d+\.\d+): (?P<name>\w+): (?P<rest>.*)$",
                    re.MULTILINE)
_EXEC = "filename=/usr/bin/gunyah"
_UP = re.compile(r"^up: (\d+\.\d+)", re.MULTILINE)
_RESIDENT = re.compile(r"^resident (\d+)", re.MULTILINE)
_TICKS = re.compile(r"^ticks: (\d+)", re.MULTILINE)
# Of arm64's system calls: filling the guest's memory and giving it to the driver, reading images.
_MEMORY_CALLS = re.compile(r"NR 233 .*, 17, |NR 29 \(\w+, 40204701,")
_IMAGE_CALLS = re.compile(r"NR 67 ")
_START_CALL = re.compile(r"NR 29 \(\w+, 4703,")


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


@dataclass
class _Way:
    """What the VMM's way to the start of its guest took, in instructions."""

    total: float = 0.0
    own: float = 0.0  # between its system calls, page faults included
    memory: float = 0.0
    images: float = 0.0
    start: float = 0.0


def _way(text: str) -> _Way:
    """The way as the trace in TEXT shows it."""
    way = _Way()
    process, begin, last, call = "", 0.0, 0.0, ""
    for event in _EVENT.finditer(text):
        now, name, rest = 1e9 * float(event["time"]), event["name"], event["rest"]
        if name == "sched_process_exec" and _EXEC in rest:
            process, begin, last = event["process"], now, now
        elif event["process"] != process:
            continue
        elif name == "sys_enter":
            way.own += now - last
            last, call = now, rest
        elif name == "gh_rm_call" and rest.startswith("VM_START"):
            way.total = now - begin
            way.start = now - last if _START_CALL.match(call) else 0
            return way
        elif name == "sys_exit":
            way.memory += now - last if _MEMORY_CALLS.match(call) else 0
            way.images += now - last if _IMAGE_CALLS.match(call) else 0
            last, call = now, ""
    raise Failure("the bench of the VMM has not seen a guest start", text[-2000:])


def _rows(text: str) -> list[Row]:
    exits = {name: int(count) for name, count in _SAMPLE.findall(text)}
    nothing = exits["1"] - exits["0"]

    def transfer(name: str, phase: int) -> Row:
        moved = exits[str(phase + 1)] - exits[str(phase)] - nothing
        return Row(f"vmm.{name}_exits_per_mib", moved / _MEBIBYTES, "exits", growth=_BATCHES_DIFFER)

    way = _way(text)
    return [
        Row("vmm.exec_to_start", way.total),
        Row("vmm.exec_to_start_own", way.own),
        Row("vmm.exec_to_start_memory", way.memory),
        Row("vmm.exec_to_start_images", way.images),
        Row("vmm.exec_to_start_vm", way.start),
        Row("vmm.resident_kib", _number(_RESIDENT, text), "KiB"),
        Row("vmm.guest_to_init", 1e9 * _number(_UP, text)),
        transfer("write", 1),
        transfer("read", 2),
        transfer("send", 3),
        transfer("receive", 4),
        Row("vmm.idle_exits_per_minute", exits["idle_end"] - exits["idle_begin"], "exits"),
        Row("vmm.idle_ticks_per_minute", _number(_TICKS, text) * 60 / _TICK_SECONDS, "ticks"),
    ]


def measure() -> list[Row]:
    """Boots Debian with one CPU and runs one guest in it; its rows."""
    configuration = counting(Configuration(cpus=1, initrd=_INITRD,
                                           boot_arguments=f"{BOOT_ARGUMENTS} quiet rdinit=/vmm_init"))
    with Machine(configuration, "bench-vmm", _SECONDS) as machine:
        machine.expect(r"^\[primary\] bench ended: 0$", _SECONDS, "the bench's end")
        text = machine.text
        log = relative(machine.log)
    if {name for name, _ in _SAMPLE.findall(text)} != _SAMPLES:
        raise Failure(f"the bench of the VMM has not seen all phases (see {log})", text[-2000:])
    return _rows(text)


GROUP = Group("vmm", _prepare, measure)
