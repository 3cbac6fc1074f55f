# SPDX-License-Identifier: BSD-3-Clause
"""Where things stand in the work tree; everything that is made lies under build/."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
LOGS = BUILD / "logs"

CACHE = BUILD / "cache"
SYSROOT = CACHE / "sysroot-arm64"
BUSYBOX_TREE = CACHE / "busybox"
PASST_TREE = CACHE / "passt"
CHECKPATCH = CACHE / "checkpatch"

HYPERVISOR_IMAGE = BUILD / "el2/hypervisor/gunyah.Image"
VMM_PROGRAM = BUILD / "linux-arm64/vmm/gunyah"
LIBRARY_EXAMPLE = BUILD / "linux-arm64/vmm/boot_kernel"
DRIVER_TEST_PROGRAM = BUILD / "linux-arm64/tests/system/programs/driver/gunyah-driver-test"
VSOCK_PIPE = BUILD / "linux-arm64/tests/system/programs/vsock/vsock-pipe"
SAMPLE = BUILD / "linux-arm64/linux/samples/gunyah"


def relative(path: Path) -> str:
    """PATH as a person at the top of the work tree would type it."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
