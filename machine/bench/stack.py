# SPDX-License-Identifier: BSD-3-Clause
"""The rows seen from a guest under Debian as primary VM: drivers, VMM and hypervisor together.

bench/stack/guest measures, bench/stack/vmm serves it as the VMM and prints what it has measured.
"""

import re

from machine import build, image
from machine.bench.counting import counting
from machine.bench.row import Group, Row
from machine.failure import Failure
from machine.kernel import STANDARD
from machine.paths import BUILD, ROOT, relative
from machine.qemu import BOOT_ARGUMENTS, Configuration, Machine

_SECONDS = 300
_GUEST = BUILD / "el2/bench/stack/stack_guest.Image"
_VMM = BUILD / "linux-arm64/bench/stack/stack_bench"
_INITRD = STANDARD.images / "stack_bench.cpio"
_ROW = re.compile(r"^bench (\S+) (\d+)\b", re.MULTILINE)


def _prepare() -> None:
    build.build_machine([STANDARD])
    image.write_kernel(STANDARD)
    archive = image.primary_archive(STANDARD)
    archive.program("usr/bin/stack_bench", image.stripped(STANDARD, _VMM).read_bytes())
    archive.file("root/stack_guest.Image", _GUEST.read_bytes())
    archive.program("stack_init", (ROOT / "bench/stack/primary/init").read_bytes())
    archive.write(_INITRD)


def measure() -> list[Row]:
    """Boots Debian with one CPU, runs the bench in it; its rows."""
    configuration = counting(Configuration(cpus=1, memory="2560M", initrd=_INITRD,
                                           boot_arguments=f"{BOOT_ARGUMENTS} quiet rdinit=/stack_init"))
    with Machine(configuration, "bench-stack", _SECONDS) as machine:
        status = machine.expect(r"^\[primary\] bench ended: (\d+)$", _SECONDS, "the bench's end")
        text = machine.text
        log = relative(machine.log)
    if status[1] != "0":
        raise Failure(f"stack_bench failed (see {log})", text)
    return [Row(f"stack.{name}", int(value)) for name, value in _ROW.findall(text)]


GROUP = Group("stack", _prepare, measure)
