# SPDX-License-Identifier: BSD-3-Clause
"""Debian's own system as guest: two beside each other and a small guest, on one machine."""

import re

from machine import debian
from machine.failure import Failure
from machine.qemu import Configuration
from tests.debian import package_archive
from tests.system import guest_case

_BOOT_SECONDS = 300
_SECONDS = 120
_TWO_GIB_IN_KIB = 2 << 20


class Debian(guest_case.GuestCase):
    """From qcow2 disks that stand on one image, with network, shared directory and vsock."""

    configuration = Configuration(memory=debian.MACHINE_MEMORY,
                                  extra=debian.machine_devices(package_archive.FORWARD))

    def setUp(self) -> None:
        """Writes the archive before QEMU can serve it."""
        package_archive.make()
        super().setUp()

    def start(self, name: str, options: str) -> None:
        """Starts the Debian guest NAME, up to the VMM's start."""
        self.shell.must(f"touch /tmp/{name}.log /tmp/{name}.vmm; "
                        f"(start-debian /srv/{name}.qcow2 --name {name} {options} "
                        f"--console file=/tmp/{name}.log >/tmp/{name}.vmm 2>&1 &) 2>/dev/null")
        self.shell.wait_for("gunyah run", f"/tmp/{name}.vmm", self.limit(60))

    def on(self, name: str, command: str) -> str:
        """What COMMAND, which must succeed, prints in the guest NAME, over ssh over vsock."""
        return self.shell.must(f"ssh -n {name} '{command}' 2>&1", self.limit(_SECONDS))

    def check_boot(self, name: str, cpus: int) -> None:
        """NAME asks for a login on its console, and all that systemd starts has started."""
        try:
            self.shell.wait_for("^debian login:", f"/tmp/{name}.log", self.limit(_BOOT_SECONDS))
        except Failure as failure:
            said = self.shell.command(f"cat /tmp/{name}.vmm").output
            raise Failure(failure.sentence, f"{failure.log_tail}\n{said}") from failure
        said = self.on(name, "systemctl is-system-running --wait || systemctl --failed --no-legend; "
                             "nproc; findmnt -n -o SOURCE /")
        self.assertEqual(said.splitlines(), ["running", str(cpus), "/dev/vda"])

    def check_shared_directory(self) -> None:
        """Both guests read what the primary VM wrote; it reads what they wrote."""
        for name in ("first", "second"):
            said = self.on(name, f"cat /mnt/greeting; cp /etc/os-release /mnt/{name}; sync")
            self.assertEqual(said, "from the primary VM")
            self.assertIn("ID=debian\n", self.shell.must(f"cat /tmp/shared/{name}"))

    def check_network(self) -> None:
        """apt reads an archive beyond QEMU's network and installs a package from it."""
        said = self.on("first", f'echo "{package_archive.SOURCE}" >/etc/apt/sources.list; '
                                "apt-get -q -o APT::Update::Error-Mode=any update; "
                                f"apt-get -q -y install {package_archive.PACKAGE}; "
                                f"{package_archive.PACKAGE} --version")
        self.assertRegex(said, rf"(?m)^Setting up {package_archive.PACKAGE} ")
        self.assertRegex(said, rf"(?m)^{package_archive.PACKAGE} ")

    def stop(self, name: str) -> None:
        """The power button makes systemd power the guest off."""
        answer = self.shell.command(f"gunyah stop {name} --timeout {_SECONDS}", self.limit(_SECONDS))
        self.assertEqual(answer.status, 0, answer.output)
        self.assertIn("the guest powered off", answer.output)
        self.shell.wait_for("reboot: Power down", f"/tmp/{name}.log", 10)
        self.shell.must("n=0; while gunyah list | grep -q "
                        f"{name} && [ $n -lt 30 ]; do sleep 1; n=$((n+1)); done")

    def test_two_at_once(self) -> None:
        """4 vCPUs and more than 2 GiB for one, 1 vCPU for the other, 64 MiB for the small guest."""
        self.start("first", "--cpus 4 --mem 2304M --vsock 3")
        self.start("second", "--cpus 1 --mem 384M --vsock 4")
        self.check_boot("first", 4)
        memory = re.search(r"MemTotal: +(\d+) kB", self.on("first", "cat /proc/meminfo"))
        assert memory
        self.assertGreater(int(memory[1]), _TWO_GIB_IN_KIB)
        self.check_boot("second", 1)
        self.check_shared_directory()
        self.run_checked_guest(memory="64M")
        self.check_network()
        for name in ("first", "second"):
            self.stop(name)
