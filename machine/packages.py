# SPDX-License-Identifier: BSD-3-Clause
"""The Debian packages that building, running and testing need, each with its reason."""

import os
import shutil
import subprocess

from machine.command import run_logged
from machine.failure import Failure
from machine.progress import Step, note

_FOR_RUN = {
    "cmake": "describes the builds",
    "ninja-build": "runs them",
    "make": "builds the kernel modules",
    "gcc": "kbuild's own helpers",
    "libc6-dev": "kbuild's own helpers",
    "gcc-12-aarch64-linux-gnu": "compiles the kernel modules",
    "g++-aarch64-linux-gnu": "compiles hypervisor, Resource Manager and VMM",
    "qemu-system-arm": "the machine everything runs on",
    "device-tree-compiler": "the sample VMM's device tree",
    "kmod": "depmod, for the modules in the images",
    "xz-utils": "unpacks Debian packages",
}
_FOR_TEST = {
    "clang-19": "builds the host tests",
    "libclang-rt-19-dev": "its address and undefined-behaviour sanitizers",
    "llvm-19": "symbols in sanitizer reports",
    "g++": "the C++ library for host tests",
    "clang-format-19": "checks the format of C++",
    "clang-tidy-19": "static analysis of C++",
    "cppcheck": "more of it",
    "spin": "checks the Promela models",
    "sparse": "static analysis of the kernel modules",
    "dkms": "builds the kernel modules the way distributions do",
    "libgtest-dev": "the unit tests' framework",
    "libfdt-dev": "device trees in host tests",
    "libcli11-dev": "the VMM's command line in host tests",
    "zlib1g-dev": "compressed kernels and disks in host tests",
    "libzstd-dev": "likewise",
    "liburing-dev": "disks' transfers side by side in host tests",
    "libfmt-dev": "the VMM's messages in host tests",
    "nlohmann-json3-dev": "the VMM's machine-readable output in host tests",
    "u-boot-qemu": "a boot loader to start the hypervisor with",
    "dt-schema": "checks the device tree binding",
    "python3-sphinx": "checks the drivers' documentation",
    "mypy": "checks the types of the Python code",
    "perl": "runs checkpatch",
    "git": "lists the files to check",
}


_FOR_DEBIAN = {
    "mmdebstrap": "makes Debian's arm64 system",
    "arch-test": "likewise",
    "qemu-user-static": "runs the set-up programs of its packages",
    "qemu-utils": "makes its qcow2 image",
    "e2fsprogs": "makes its file system",
    "openssh-client": "makes the key to reach it by ssh",
    "fakeroot": "keeps its files' owners where a plain user makes it",
    "uidmap": "likewise",
}


_FOR_DEBUG_KERNEL = {
    "bison": "the kernel's configuration",
    "flex": "likewise",
    "bc": "the kernel's time constants",
    "libssl-dev": "the kernel's own helpers",
}


def _missing(wanted: dict[str, str]) -> dict[str, str]:
    """Those of WANTED that dpkg does not know as installed."""
    asked = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *wanted],
        capture_output=True, text=True, check=False)
    installed = {line.split()[0] for line in asked.stdout.splitlines() if line.endswith(" installed")}
    return {name: why for name, why in wanted.items() if name not in installed}


def _as_root() -> list[str]:
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo"):
        return ["sudo"]
    raise Failure("packages are missing, and neither root nor sudo is at hand to install them: "
                  "run ./dev packages once as root")


def install(for_test: bool = False, for_debug_kernel: bool = False,
            for_debian: bool = False) -> None:
    """Installs what is missing for running, FOR_TEST also for testing, ...; says what and why."""
    missing = _missing(_FOR_RUN | (_FOR_TEST if for_test else {})
                       | (_FOR_DEBUG_KERNEL if for_debug_kernel else {})
                       | (_FOR_DEBIAN if for_debian else {}))
    if not missing:
        return
    as_root = _as_root()
    print("These Debian packages are needed and missing:")
    for name, why in missing.items():
        print(f"    {name:28} {why}")
    if as_root:
        subprocess.run([*as_root, "true"], check=False)  # asks for the password before the line lives
    apt = [*as_root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"]
    with Step("reading the package lists"):
        run_logged("apt-get update", [*apt, "update"], "apt-system-update.log")
    with Step(f"installing {len(missing)} packages"):
        run_logged("apt-get install",
                   [*apt, "install", "-y", "--no-install-recommends", *missing], "apt-install.log")
    still = _missing(missing)
    if still:
        note(f"still missing: {' '.join(still)}")
        raise Failure("apt-get reported success, but packages are still missing")
