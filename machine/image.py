# SPDX-License-Identifier: BSD-3-Clause
"""Packs the two initramfs: the primary VM's (with the guest's inside) and the guest's."""

from collections.abc import Iterable
from pathlib import Path

from machine import build, kernel, sysroot
from machine.command import run_logged
from machine.cpio import Archive
from machine.failure import Failure
from machine.module_set import add_modules, module_name
from machine.paths import (DRIVER_TEST_PROGRAM, GUEST_INITRD, IMAGE, KERNEL_IMAGE, PRIMARY_INITRD, ROOT, VMM_PROGRAM,
                           relative)
from machine.progress import Step

_PRIMARY_ON_DEMAND = ("ext4", "loop")
_GUEST_DRIVERS = ("virtio_mmio", "virtio_blk", "virtio_console", "virtio_net", "virtio_rng")
_GUEST_ON_DEMAND = ("ext4",)
_MOUNT_POINTS = ("dev", "mnt", "proc", "root", "run", "sys", "tmp", "sbin", "usr/bin", "usr/sbin")


def _userland(role: str) -> Archive:
    """A busybox userland with the files of machine/ROLE laid over it."""
    archive = Archive()
    for folder in _MOUNT_POINTS:
        archive.folder(folder)
    archive.character_device("dev/console", 5, 1)
    archive.program("bin/busybox", sysroot.busybox().read_bytes())
    for shared in (ROOT / "machine/userland", ROOT / "machine" / role):
        for path in sorted(path for path in shared.rglob("*") if path.is_file()):
            mode = 0o755 if path.read_bytes().startswith(b"#!") else 0o644
            archive.file(str(path.relative_to(shared)), path.read_bytes(), mode)
    return archive


def _lines(words: Iterable[str]) -> bytes:
    return "".join(f"{word}\n" for word in words).encode()


def _pack_guest() -> None:
    archive = _userland("guest")
    archive.file("etc/modules", _lines(_GUEST_DRIVERS))
    add_modules(archive, _GUEST_DRIVERS + _GUEST_ON_DEMAND, [], IMAGE / "guest-modules")
    archive.write(GUEST_INITRD)


def stripped(program: Path) -> Path:
    """A copy of PROGRAM or module without its debugging information, which is most of it."""
    copy = IMAGE / "stripped" / program.name
    copy.parent.mkdir(exist_ok=True)
    run_logged(f"stripping {program.name}",
               ["aarch64-linux-gnu-strip", "--strip-debug", "-o", copy, program], "strip.log")
    return copy


def primary_archive(ours: list[Path]) -> Archive:
    """The primary VM's userland with Debian's modules and OURS, which /init loads."""
    archive = _userland("primary")
    archive.file("etc/modules", _lines(module_name(path.name) for path in ours))
    add_modules(archive, _PRIMARY_ON_DEMAND, map(stripped, ours), IMAGE / "primary-modules")
    return archive


def _pack_primary(ours: list[Path], vmm: Path | None) -> None:
    archive = primary_archive(ours)
    if vmm is not None:
        for program in (vmm, DRIVER_TEST_PROGRAM):
            archive.program(f"usr/bin/{program.name}", stripped(program).read_bytes())
    archive.file("root/Image", KERNEL_IMAGE.read_bytes())
    archive.file("root/guest.cpio", GUEST_INITRD.read_bytes())
    archive.write(PRIMARY_INITRD)


def write_kernel() -> None:
    """Writes Debian's kernel, unpacked, to build/image."""
    IMAGE.mkdir(parents=True, exist_ok=True)
    KERNEL_IMAGE.write_bytes(kernel.image())


def pack(with_our_parts: bool = True) -> None:
    """Writes kernel and both initramfs to build/image.

    Without OUR_PARTS there are neither modules nor VMM inside: for looking at the images alone.
    """
    with Step("packing the images") as step:
        write_kernel()
        _pack_guest()
        if with_our_parts and not VMM_PROGRAM.is_file():
            raise Failure(f"{relative(VMM_PROGRAM)} is missing: build it first (./dev build)")
        _pack_primary(build.built_modules() if with_our_parts else [],
                      VMM_PROGRAM if with_our_parts else None)
        megabytes = PRIMARY_INITRD.stat().st_size >> 20
        step.detail = f"kernel {kernel.release()}, primary initramfs {megabytes} MiB"
