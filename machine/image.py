# SPDX-License-Identifier: BSD-3-Clause
"""Packs the two initramfs: the primary VM's (with the guest's inside) and the guest's."""

from collections.abc import Iterable
from pathlib import Path

from machine import build, sysroot
from machine.command import run_logged
from machine.cpio import Archive
from machine.failure import Failure
from machine.kernel import Kernel
from machine.module_set import add_modules, loadable, module_name
from machine.paths import (DRIVER_TEST_PROGRAM, LIBRARY_EXAMPLE, ROOT, SAMPLE, VMM_PROGRAM,
                           VSOCK_PIPE, relative)
from machine.progress import Step

# Ours that refuse to load on this machine, and the one that tests load when they need it.
_NOT_AT_BOOT = {"gunyah_qcom", "gunyah_liar"}
_GUEST_DRIVERS = ("virtio_mmio", "virtio_blk", "virtio_console", "virtio_net", "virtio_rng",
                  "vmw_vsock_virtio_transport", "gpio_keys", "evdev", "9pnet_virtio")
_GUEST_ON_DEMAND = ("ext4", "crc32c_generic", "9p", "sp805_wdt")
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


def _pack_guest(kernel: Kernel) -> None:
    archive = _userland("guest")
    archive.file("etc/modules", _lines(loadable(kernel, _GUEST_DRIVERS)))
    add_modules(archive, kernel, _GUEST_DRIVERS + _GUEST_ON_DEMAND, [],
                kernel.images / "guest-modules")
    if VSOCK_PIPE.is_file():  # not when only the images are looked at
        archive.program("usr/bin/vsock-pipe", stripped(kernel, VSOCK_PIPE).read_bytes())
    archive.write(kernel.guest_initrd)


def stripped(kernel: Kernel, program: Path) -> Path:
    """A copy of PROGRAM or module without its debugging information, which is most of it."""
    copy = kernel.images / "stripped" / program.name
    copy.parent.mkdir(exist_ok=True)
    run_logged(f"stripping {program.name}",
               ["aarch64-linux-gnu-strip", "--strip-debug", "-o", copy, program], "strip.log")
    return copy


def primary_archive(kernel: Kernel, with_our_modules: bool = True) -> Archive:
    """The primary VM's userland with Debian's modules and ours, which /init loads."""
    ours = build.built_modules(kernel) if with_our_modules else []
    archive = _userland("primary")
    archive.file("etc/modules", _lines(
        name for name in (module_name(path.name) for path in ours)
        if name not in _NOT_AT_BOOT))
    for name, path in sysroot.passt_files().items():
        archive.program(name, path.read_bytes())
    add_modules(archive, kernel, kernel.on_demand, [stripped(kernel, path) for path in ours],
                kernel.images / "primary-modules")
    return archive


def _pack_primary(kernel: Kernel, with_our_parts: bool) -> None:
    archive = primary_archive(kernel, with_our_parts)
    if with_our_parts:
        for program in (VMM_PROGRAM, LIBRARY_EXAMPLE, DRIVER_TEST_PROGRAM, VSOCK_PIPE,
                        SAMPLE / "gunyah_vmm"):
            archive.program(f"usr/bin/{program.name}", stripped(kernel, program).read_bytes())
        archive.file("root/sample_vm.dtb", (SAMPLE / "sample_vm.dtb").read_bytes())
    guest = kernel.guest_kernel()
    archive.file("root/Image", guest.boot_image.read_bytes())
    archive.file("root/guest.cpio", guest.guest_initrd.read_bytes())
    archive.write(kernel.primary_initrd)


def write_kernel(kernel: Kernel) -> None:
    """Writes KERNEL, unpacked, to its folder of images."""
    kernel.images.mkdir(parents=True, exist_ok=True)
    kernel.boot_image.write_bytes(kernel.image())


def pack(kernel: Kernel, with_our_parts: bool = True) -> None:
    """Writes KERNEL's boot image and both initramfs to its folder of images.

    Without OUR_PARTS there are neither modules nor VMM inside: for looking at the images alone.
    """
    with Step(f"packing the images with kernel {kernel.release()}") as step:
        for each in {kernel, kernel.guest_kernel()}:
            write_kernel(each)
        _pack_guest(kernel.guest_kernel())
        if with_our_parts and not VMM_PROGRAM.is_file():
            raise Failure(f"{relative(VMM_PROGRAM)} is missing: build it first (./dev build)")
        _pack_primary(kernel, with_our_parts)
        step.detail = f"primary initramfs {kernel.primary_initrd.stat().st_size >> 20} MiB"
