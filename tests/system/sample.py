# SPDX-License-Identifier: BSD-3-Clause
"""Mixed into a class that has booted the primary VM: the sample VMM of linux/samples and libgunyah's example."""

from machine.debug_kernel import DEBUG
from tests.system.machine_case import MachineCase

_TREE = "/root/sample_vm.dtb"
_UART = "0x9000000"
_GUEST_SECONDS = 120


class Sample(MachineCase):
    """It starts Debian's kernel, and refuses what it must."""

    def test_sample_starts_a_guest(self) -> None:
        """The guest has no root file system: it panics and asks for a reset."""
        answer = self.shell.command(f"gunyah_vmm -i /root/Image -d {_TREE} -u {_UART} 2>&1 "
                                    "| grep -oE 'Linux version|Unable to mount root fs|the VM has .*'",
                                    self.limit(_GUEST_SECONDS))
        self.assertIn("Linux version", answer.output)
        self.assertIn("Unable to mount root fs", answer.output)
        self.assertIn("the VM has ended: status 2, type 2", answer.output)

    def test_library_example_starts_a_guest(self) -> None:
        """vmm/examples/boot_kernel.cpp, with the sample's device tree."""
        answer = self.shell.command(f"boot_kernel /root/Image {_TREE} 2>&1 "
                                    "| grep -oE 'Linux version|Unable to mount root fs|the VM has .*'",
                                    self.limit(_GUEST_SECONDS))
        self.assertIn("Linux version", answer.output)
        self.assertIn("Unable to mount root fs", answer.output)
        self.assertIn("the VM has ended: type 2", answer.output)
        self.assertIn("missing or too large",
                      self.shell.command(f"boot_kernel /nowhere {_TREE} 2>&1").output)

    def test_sample_refuses_broken_options(self) -> None:
        """Finding 30 of the v11 series."""
        for words, said in (("--size", "option .*requires an argument|usage"),
                            ("--size much", "'much' is not a number"),
                            ("--ramdisk_offset 0x6300000 --ramdisk /root/Image", "too large"),
                            ("--ramdisk /nowhere", "No such file"),
                            ("--dtb_offset 0xffffffffffffffff", "too large")):
            answer = self.shell.command(f"gunyah_vmm -i /root/Image -d {_TREE} {words} 2>&1")
            self.assertEqual(answer.status, 1, answer.output)
            self.assertRegex(answer.output, said)

    def test_qualcomm_hooks_stay_away(self) -> None:
        """gunyah_qcom is for Qualcomm's build of the hypervisor only."""
        if self.configuration.kernel == DEBUG.boot_image:
            self.skipTest("the debug kernel is configured without Qualcomm's firmware driver")
        answer = self.shell.command("modprobe gunyah_qcom 2>&1")
        self.assertNotEqual(answer.status, 0)
        self.assertIn("No such device", answer.output)
        self.shell.must("[ ! -d /sys/module/gunyah_qcom ]")
