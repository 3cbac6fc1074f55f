# SPDX-License-Identifier: BSD-3-Clause
"""The commands for running VMs, and the devices that every guest has."""

import re
import struct

# As modules: the loader would run classes imported by name once more, alone.
from tests.system import console_scenarios, sandbox_scenarios, sharing
from tests.system.guest_case import GUEST_SECONDS
from tests.system.guest_command import GuestCommand

_LOG = "/tmp/controlled.log"
_STATUS_CRASHED = 4
_STATUS_STOPPED = 5
_CLUSTER = 1 << 16


def _empty_qcow2(size: int) -> list[tuple[int, bytes]]:
    """An empty qcow2 image of SIZE bytes, up to 512 MiB: what stands where, the rest is zero.

    Header, refcount table, one refcount block, L1 table: a cluster each.
    """
    header = struct.pack(">4sIQIIQIIQQIIQQQQII", b"QFI\xfb", 3, 0, 0, 16, size, 0, 1, 3 * _CLUSTER,
                         _CLUSTER, 1, 0, 0, 0, 0, 0, 4, 104)
    return [(0, header), (_CLUSTER, struct.pack(">Q", 2 * _CLUSTER)),
            (2 * _CLUSTER, struct.pack(">HHHH", 1, 1, 1, 1))]


class Control(console_scenarios.ConsoleScenarios, sandbox_scenarios.SandboxScenarios,
              sharing.Sharing):
    """One VM with a name, and a person who wants something of it."""

    def start(self, name: str) -> str:
        """Starts a guest that waits to be ended; returns the process id of its VMM."""
        process = self.start_in_background(GuestCommand("wait", console=_LOG, name=name))
        self.shell.wait_for(r"\[guest\] waiting", _LOG, self.limit(GUEST_SECONDS))
        return process

    def test_power_button_shuts_the_guest_down(self) -> None:
        process = self.start("web")
        self.assertRegex(self.shell.must("gunyah list"), rf"web +{process}  running +1 +128M")
        self.assertIn('"state": "running"', self.shell.must("gunyah info web"))
        self.assertRegex(self.shell.must("gunyah stats web"), r"console +\d+ +\d+ +\d+")
        answer = self.shell.command("gunyah stop web", self.limit(GUEST_SECONDS))
        self.assertEqual(answer.status, 0, answer.output)
        self.assertIn("the guest powered off", answer.output)
        self.assertIn("[guest] power button", self.shell.must(f"cat {_LOG}"))
        self.wait_until_ended(process, self.limit(30))
        self.assertNotIn("web", self.shell.must("gunyah list"))
        self.shell.must("[ ! -e /run/gunyah/web.sock ]")

    def test_force_ends_the_guest_and_wait_has_its_status(self) -> None:
        process = self.start("stubborn")
        self.shell.must("(gunyah wait stubborn; echo status $?) >/tmp/waited 2>&1 & sleep 1")
        self.shell.must("gunyah stop --force")
        self.wait_until_ended(process, self.limit(30))
        self.shell.wait_for(f"status {_STATUS_STOPPED}", "/tmp/waited", self.limit(30))

    def test_paused_guest_uses_no_cpu_and_goes_on(self) -> None:
        process = self.start("sleepy")
        self.shell.must("gunyah pause sleepy")
        self.assertRegex(self.shell.must("gunyah list"), "sleepy +[0-9]+  paused")
        used = self.cpu_ticks(process)
        self.shell.must("sleep 5")
        self.assertEqual(self.cpu_ticks(process), used)
        refused = self.shell.command("gunyah stop --timeout 2", self.limit(30))
        self.assertEqual(refused.status, 1)
        self.assertIn("use --force", refused.output)
        # The button stays pressed until the guest looks.
        self.shell.must("gunyah resume sleepy")
        self.wait_until_ended(process, self.limit(60))
        self.assertIn("[guest] power button", self.shell.must(f"cat {_LOG}"))

    def cpu_ticks(self, process: str) -> int:
        """The CPU time that the process has used, in clock ticks."""
        fields = self.shell.must(f"cat /proc/{process}/stat").split()
        return int(fields[13]) + int(fields[14])

    def test_a_name_is_given_once(self) -> None:
        process = self.start("twin")
        answer = self.run_guest(GuestCommand("check", name="twin"))
        self.assertEqual(answer.status, 1, answer.output)
        self.assertIn("a VM of that name is running; use another --name", answer.output)
        self.assertIn("no VM", self.shell.command("gunyah info other 2>&1 || echo no VM").output)
        self.shell.must(f"kill -KILL {process}")
        self.wait_until_ended(process, self.limit(30))
        # What the killed one left behind was removed, and would be in nobody's way.
        self.shell.must("until [ ! -e /run/gunyah/twin.sock ]; do sleep 1; done", 30)
        self.assertNotIn("twin", self.shell.must("gunyah list"))
        self.assertEqual(self.run_guest(GuestCommand("devices", name="twin")).status, 0)

    def test_qcow2_disk(self) -> None:
        """What one guest wrote, another one reads."""
        image = "/tmp/disk.qcow2"
        self.shell.must(f"rm -f {image}; truncate -s {4 * _CLUSTER} {image}")
        for offset, data in _empty_qcow2(4 << 20):
            escaped = "".join(f"\\{byte:03o}" for byte in data)
            self.shell.must(f"printf '{escaped}' | dd of={image} bs=1 seek={offset} conv=notrunc "
                            "2>/dev/null")
        self.assert_checked(self.run_guest(GuestCommand("check", disk=image)).output, cpus=1)
        size = int(self.shell.must(f"stat -c %s {image}"))
        self.assertGreaterEqual(size, (4 + 1 + 4) * _CLUSTER)  # an L2 table and 256 KiB
        self.assert_checked(self.run_guest(GuestCommand("check", disk=image)).output, cpus=1)
        self.assertEqual(int(self.shell.must(f"stat -c %s {image}")), size)
        refused = self.run_guest(GuestCommand("check", disk=f"{image},format=raw,id={21 * 'x'}"))
        self.assertIn("longer than 20 bytes", refused.output)

    def test_compressed_kernel(self) -> None:
        """It is unpacked on its way into the guest's memory; the device tree can be looked at."""
        self.shell.must("gzip -1 -c /root/Image >/tmp/Image.gz", self.limit(GUEST_SECONDS))
        answer = self.run_guest(GuestCommand("devices", kernel="/tmp/Image.gz",
                                             more="--dump-dtb /tmp/guest.dtb"))
        self.assertIn("[guest] done", answer.output)
        self.assertEqual(self.shell.must("grep -c gunyah-vm-config /tmp/guest.dtb"), "1")
        self.shell.must("truncate -s 1M /tmp/Image.gz")
        refused = self.run_guest(GuestCommand("devices", kernel="/tmp/Image.gz"))
        self.assertIn("cannot use kernel /tmp/Image.gz: it cannot be unpacked: it ends too early",
                      refused.output)
        self.shell.must("rm /tmp/Image.gz /tmp/guest.dtb")

    def test_doctor(self) -> None:
        healthy = self.shell.command("gunyah doctor 2>&1")
        self.assertIn("This machine can run VMs.", healthy.output)
        self.assertRegex(healthy.output, r"ok +\d+ MiB of it lie in pieces of 2 MiB and more")
        self.assertEqual(healthy.status, 0)
        self.shell.must("mv /dev/gunyah /dev/gunyah.away")
        sick = self.shell.command("gunyah doctor 2>&1")
        self.shell.must("mv /dev/gunyah.away /dev/gunyah")
        self.assertRegex(sick.output, "BAD +cannot open /dev/gunyah: there is no Gunyah driver")
        self.assertEqual(sick.status, 1)

    def test_watchdog_and_alarm(self) -> None:
        """A guest that serves its watchdog goes on, one that stops to ends."""
        answer = self.run_guest(GuestCommand("watchdog", options=("--watchdog",)))
        self.assertIn("watchdog: sp805-wdt", answer.output)
        self.assertIn("served, alarms: 1", answer.output)
        self.assertIn("the guest crashed: its watchdog was not served in time", answer.output)
        self.assertEqual(answer.status, _STATUS_CRASHED)

    def test_clock_and_entropy(self) -> None:
        now = int(self.shell.must("date +%s"))
        output = self.run_guest(GuestCommand("devices")).output
        clock = re.search(r"rtc: rtc-pl031.* at (\d+)", output)
        assert clock, output
        seen = int(clock[1])
        self.assertLess(abs(seen - now), self.limit(GUEST_SECONDS))
        self.assertIn("rng: virtio_rng.0", output)
        self.assertIn("rng bytes: 3000", output)
