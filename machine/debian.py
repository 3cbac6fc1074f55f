# SPDX-License-Identifier: BSD-3-Clause
"""Debian's own arm64 system as a guest: made once with mmdebstrap, kept under build/cache.

A disk for the primary VM holds it as `gunyah run /srv/debian.qcow2` wants it: image, kernel, initrd.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

from machine import archive, packages
from machine.command import run_logged
from machine.failure import Failure
from machine.kernel import STANDARD
from machine.module_set import INDEX_INPUTS, closure, loadable, parse_dependencies
from machine.paths import BUILD, CACHE, ROOT
from machine.progress import Step

_SYSTEM = CACHE / "debian-arm64.tar"
# How _SYSTEM was made; it is made anew when it would be made in another way.
_RECIPE = CACHE / "debian-arm64.recipe"
DISK = BUILD / "image/debian-host.ext4"
# Of a machine with DISK.
MACHINE_MEMORY = "4G"
_WORK = BUILD / "debian"
_BINFMT = Path("/proc/sys/fs/binfmt_misc")
_BINFMT_ENTRY = Path("/usr/lib/binfmt.d/qemu-aarch64.conf")

_PACKAGES = ("systemd-sysv", "systemd-resolved", "udev", "dbus", "openssh-server", "iproute2", "kmod",
             "procps")
# What only a person reads takes longer to unpack than all else.
_LEFT_OUT = ("/usr/share/man/*", "/usr/share/doc/*", "/usr/share/locale/*")
_MODULES = ("virtio_mmio", "virtio_blk", "virtio_console", "virtio_net", "virtio_rng", "gpio_keys",
            "evdev", "9pnet_virtio", "9p", "ext4", "vmw_vsock_virtio_transport", "autofs4")
# What systemctl's `enable` and `mask` would make of systemd's settings. The virtio console and the UART end in one
# console of the VMM, which is to ask for one login.
_LINKS = {"multi-user.target.wants/systemd-networkd.service": "/lib/systemd/system/systemd-networkd.service",
          "sockets.target.wants/ssh-vsock.socket": "/etc/systemd/system/ssh-vsock.socket",
          "serial-getty@hvc0.service": "/dev/null"}
# Who has the console has the machine: root needs no password there. ssh takes only the key.
_PACK = """
tar -xf "$SYSTEM" --exclude './dev/*' -C root
cp -r --no-preserve=ownership added/. root/
sed -i 's/^root:[^:]*:/root::/' root/etc/shadow
mkfs.ext4 -q -F -d root debian.ext4 2G
"""


def machine_devices(more_of_network: str = "") -> tuple[str, ...]:
    """QEMU's options for DISK, of which nothing that is written stays, and for a network of QEMU's."""
    return ("-drive", f"file={DISK},format=raw,if=none,id=debian,snapshot=on",
            "-device", "virtio-blk-device,drive=debian",
            "-netdev", ",".join(["user,id=network", *([more_of_network] if more_of_network else [])]),
            "-device", "virtio-net-device,netdev=network")


def _run_arm64_programs() -> None:
    """Has the kernel run arm64 programs by QEMU, as systemd-binfmt does where systemd runs."""
    if (_BINFMT / "qemu-aarch64").exists():
        return
    if os.geteuid() != 0:
        raise Failure("making Debian's system needs a kernel that runs arm64 programs by qemu-user, which "
                      "only root can set up: `sudo systemctl restart systemd-binfmt`, or run this once as root")
    if not (_BINFMT / "register").exists():
        run_logged("mounting binfmt_misc", ["mount", "-t", "binfmt_misc", "binfmt_misc", _BINFMT],
                   "binfmt.log")
    (_BINFMT / "register").write_text(_BINFMT_ENTRY.read_text())


def _recipe() -> list[str]:
    """The command that makes the system, without the file that it goes to."""
    return ["mmdebstrap", "--variant=apt", "--architectures=arm64",
            *(f"--dpkgopt=path-exclude={pattern}" for pattern in _LEFT_OUT),
            f"--include={','.join(_PACKAGES)}", archive.codename()]


def _make_system() -> None:
    """Debian's packages, unpacked and set up, as a tar archive in the cache."""
    recipe = " ".join(_recipe())
    if _SYSTEM.is_file() and _RECIPE.is_file() and _RECIPE.read_text() == recipe:
        return
    unfinished = _SYSTEM.with_suffix(".unfinished.tar")
    with Step("making Debian's arm64 system with mmdebstrap (some minutes)"):
        _run_arm64_programs()
        run_logged("mmdebstrap", [*_recipe(), unfinished], "mmdebstrap.log", timeout=3600)
        unfinished.rename(_SYSTEM)
        _RECIPE.write_text(recipe)


def _add_modules(root: Path) -> None:
    """The modules of a guest's devices, for the kernel that it is booted with."""
    source = STANDARD.module_tree()
    place = root / "usr/lib/modules" / STANDARD.release()
    dependencies = parse_dependencies((source / "modules.dep").read_text())
    for path in closure(loadable(STANDARD, _MODULES), dependencies):
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source / path, place / path)
    for name in INDEX_INPUTS:
        shutil.copy(source / name, place / name)
    run_logged("listing module dependencies", ["depmod", "-b", root / "usr", STANDARD.release()],
               "depmod-debian.log")


def _add_settings(root: Path, public_key: str) -> None:
    """The files of machine/debian_guest, a host name, services that run, and who may come by ssh."""
    shutil.copytree(ROOT / "machine/debian_guest", root, dirs_exist_ok=True)
    (root / "etc/hostname").write_text("debian\n")
    for name, target in _LINKS.items():
        link = root / "etc/systemd/system" / name
        link.parent.mkdir(exist_ok=True)
        link.symlink_to(target)
    keys = root / "root/.ssh"
    keys.mkdir(parents=True, mode=0o700)
    (keys / "authorized_keys").write_text(public_key)


def _needed(program: Path, libraries: Path, found: dict[str, Path]) -> None:
    """Adds to FOUND the libraries that PROGRAM is linked with, and those that they are linked with."""
    said = subprocess.run(["aarch64-linux-gnu-readelf", "-d", program], capture_output=True, text=True,
                          check=True).stdout
    for name in re.findall(r"\(NEEDED\).*\[(.*)\]", said):
        if name not in found:
            found[name] = libraries / name
            _needed(found[name], libraries, found)


def _add_ssh(folder: Path, root: Path) -> None:
    """Debian's ssh for the primary VM with all that it is linked with, and the guest's host key."""
    program = root / "usr/bin/ssh"
    files: dict[str, Path] = {"ssh": program}
    _needed(program, root / "usr/lib/aarch64-linux-gnu", files)
    for name, path in files.items():
        shutil.copy(path, folder / name)
    host_key = (root / "etc/ssh/ssh_host_ed25519_key.pub").read_text()
    (folder / "known_hosts").write_text(f"debian {host_key}")


def _make_key(path: Path) -> str:
    """Makes a key for ssh in the file PATH; returns its public half."""
    run_logged("making a key for ssh", ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "primary",
                                        "-f", path], "ssh-keygen.log")
    return path.with_suffix(".pub").read_text()


def _make_images(host: Path) -> None:
    """The system on a qcow2 image, and two empty ones that stand on it for guests side by side."""
    run_logged("converting to qcow2", ["qemu-img", "convert", "-O", "qcow2", _WORK / "debian.ext4",
                                       host / "debian.qcow2"], "qemu-img.log", timeout=900)
    for name in ("first", "second"):
        run_logged(f"making {name}.qcow2", ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2",
                                            "-b", "debian.qcow2", f"{name}.qcow2"],
                   "qemu-img.log", cwd=host)


def _make_disk_of(host: Path) -> None:
    shutil.copy(STANDARD.boot_image, host / "vmlinuz")
    shutil.copy(STANDARD.guest_initrd, host / "initrd.img")
    DISK.unlink(missing_ok=True)
    run_logged("making the disk with Debian", ["mkfs.ext4", "-q", "-F", "-d", host, DISK, "4G"],
               "mkfs.log", timeout=600)


def make_disk() -> None:
    """Writes DISK, with the system as a qcow2 image. Needs what machine/image.py packs."""
    packages.install(for_debian=True)
    _make_system()
    with Step("packing the disk with Debian") as step:
        shutil.rmtree(_WORK, ignore_errors=True)
        root, added, host = _WORK / "root", _WORK / "added", _WORK / "host"
        for folder in (root, added, host):
            folder.mkdir(parents=True)
        shutil.copytree(ROOT / "machine/debian_host", host, dirs_exist_ok=True)
        _add_modules(added)
        _add_settings(added, _make_key(host / "ssh/key"))
        fakeroot = [] if os.geteuid() == 0 else ["fakeroot", "--"]
        run_logged("packing Debian", [*fakeroot, "sh", "-e", "-c", _PACK], "pack-debian.log", cwd=_WORK,
                   env={**os.environ, "SYSTEM": str(_SYSTEM)}, timeout=900)
        _add_ssh(host / "ssh", root)
        _make_images(host)
        _make_disk_of(host)
        step.detail = f"{(host / 'debian.qcow2').stat().st_size >> 20} MiB"
        shutil.rmtree(_WORK)
