# SPDX-License-Identifier: BSD-3-Clause
"""Mixed into a class that has booted the primary VM: its device tree fits the published binding."""

import base64

from machine import binding
from machine.paths import BUILD
from tests.system.machine_case import MachineCase


class Binding(MachineCase):
    """Reads the tree that Linux was started with through the serial line."""

    def test_device_tree_fits_the_binding(self) -> None:
        text = self.shell.must("base64 /sys/firmware/fdt", self.limit(60))
        tree = BUILD / "binding/primary.dtb"
        tree.parent.mkdir(parents=True, exist_ok=True)
        tree.write_bytes(base64.b64decode("".join(text.split())))
        self.assertEqual(binding.complaints(tree), "")
