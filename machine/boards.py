# SPDX-License-Identifier: BSD-3-Clause
"""Other ways to start the hypervisor than QEMU's `-kernel` on `virt`: a second board, and U-Boot."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from machine.command import run_logged
from machine.failure import Failure
from machine.paths import BUILD
from machine.qemu import Configuration, Machine

_FOLDER = BUILD / "boards"
_U_BOOT = Path("/usr/lib/u-boot/qemu_arm64/u-boot.bin")
_TOOL_SECONDS = 60
_U_BOOT_SECONDS = 30


@dataclass(frozen=True)
class Versal(Configuration):
    """Xilinx Versal: RAM from address 0 in two banks, another UART, another place for the GIC.

    QEMU's guest-loader comes too late for this board's device tree, so prepare() writes the nodes
    that a boot loader would write.
    """

    cpus: int = 2  # cortex-a72; the board has no other
    memory: str = "4G"
    kernel_address: int = 0x0A00_0000
    initrd_address: int = 0x1000_0000

    @property
    def _tree(self) -> Path:
        return _FOLDER / "versal.dtb"

    def prepare(self) -> None:
        """Makes the device tree that the boot loader hands over. Once before each start."""
        _FOLDER.mkdir(parents=True, exist_ok=True)
        run_logged("dumping the device tree of xlnx-versal-virt",
                   ["qemu-system-aarch64", "-M", f"xlnx-versal-virt,dumpdtb={self._tree}",
                    "-m", self.memory, "-display", "none", "-kernel", self.kernel],
                   "boards-dumpdtb.log", timeout=_TOOL_SECONDS)
        self._put_module("kernel", self.kernel_address, self.kernel)
        self._put(f"/chosen/module@{self.kernel_address:x}", "s", "bootargs", [self.boot_arguments])
        if self.initrd:
            self._put_module("ramdisk", self.initrd_address, self.initrd)

    def _put_module(self, kind: str, address: int, file: Path) -> None:
        node = f"/chosen/module@{address:x}"
        self._put(node, "s", "compatible", [f"multiboot,{kind}", "multiboot,module"])
        self._put(node, "x", "reg", ["0", f"{address:x}", "0", f"{file.stat().st_size:x}"])

    def _put(self, node: str, kind: str, name: str, values: list[str]) -> None:
        run_logged("writing into a device tree",
                   ["fdtput", "-p", "-t", kind, self._tree, node, name, *values],
                   "boards-fdtput.log", timeout=_TOOL_SECONDS)

    def _machine(self) -> list[str]:
        return ["-M", "xlnx-versal-virt"]

    def _payload(self) -> list[str]:
        files = [(self.kernel_address, self.kernel)]
        if self.initrd:
            files.append((self.initrd_address, self.initrd))
        loaders = [word for address, file in files
                   for word in ("-device", f"loader,addr={address:#x},file={file},force-raw=on")]
        return ["-kernel", str(self.hypervisor), "-dtb", str(self._tree), *loaders]


@dataclass(frozen=True)
class UBoot(Configuration):
    """QEMU's `virt` with U-Boot at EL2 as firmware and a disk that holds what is to be booted."""

    hypervisor_address: int = 0x4100_0000
    tree_address: int = 0x4700_0000
    initrd_address: int = 0x4800_0000

    @property
    def _disk(self) -> Path:
        return _FOLDER / "disk"

    def prepare(self) -> None:
        """Puts hypervisor, kernel and initrd on the disk. Once before each start."""
        if not _U_BOOT.is_file():
            raise Failure(f"{_U_BOOT} is missing (run ./dev packages)")
        shutil.rmtree(self._disk, ignore_errors=True)
        self._disk.mkdir(parents=True)
        assert self.hypervisor and self.initrd
        for name, file in (("gunyah", self.hypervisor), ("image", self.kernel),
                           ("initrd", self.initrd)):
            shutil.copyfile(file, self._disk / name)

    def _payload(self) -> list[str]:
        return ["-bios", str(_U_BOOT),
                "-drive", f"if=none,id=disk,format=raw,readonly=on,file=fat:{self._disk}",
                "-device", "virtio-blk-device,drive=disk"]

    def type_commands(self, machine: Machine) -> None:
        """Types at U-Boot's prompt what README.md tells a person to type there."""
        machine.expect("Hit any key", _U_BOOT_SECONDS)
        machine.send_line("")
        node = f"/chosen/module@{self.kernel_address:x}"
        for command in (
                "virtio scan",
                f"load virtio 0:1 {self.initrd_address:x} initrd", "setenv initrd_size ${filesize}",
                f"load virtio 0:1 {self.hypervisor_address:x} gunyah",
                f"load virtio 0:1 {self.kernel_address:x} image",
                "fdt addr ${fdtcontroladdr}",
                f"fdt move ${{fdtcontroladdr}} {self.tree_address:x} 100000",
                f"fdt mknode /chosen module@{self.kernel_address:x}",
                f'fdt set {node} compatible "multiboot,kernel" "multiboot,module"',
                f"fdt set {node} reg <0 {self.kernel_address:#x} 0 0x${{filesize}}>",
                f'fdt set {node} bootargs "{self.boot_arguments}"'):
            machine.expect("^=> ", _U_BOOT_SECONDS, "U-Boot's prompt")
            machine.send_line(command)
        machine.expect("^=> ", _U_BOOT_SECONDS, "U-Boot's prompt")
        machine.send_line(f"booti {self.hypervisor_address:x} "
                          f"{self.initrd_address:x}:${{initrd_size}} {self.tree_address:x}")
