# SPDX-License-Identifier: BSD-3-Clause
"""Tests of choosing kernel modules with what they need."""

import unittest

from machine.module_set import closure, module_name, parse_dependencies

_DEP = """\
kernel/drivers/net/virtio_net.ko: kernel/drivers/net/net_failover.ko kernel/net/core/failover.ko
kernel/drivers/net/net_failover.ko: kernel/net/core/failover.ko
kernel/net/core/failover.ko:
kernel/drivers/char/hw_random/virtio-rng.ko.xz:
"""


class ClosureTest(unittest.TestCase):
    """modules.dep is followed, and nothing else is taken."""

    def test_names_are_the_kernels(self) -> None:
        self.assertEqual(module_name("kernel/drivers/char/hw_random/virtio-rng.ko.xz"), "virtio_rng")

    def test_takes_what_a_module_needs(self) -> None:
        chosen = closure(["virtio_net"], parse_dependencies(_DEP))
        self.assertEqual({module_name(path) for path in chosen},
                         {"virtio_net", "net_failover", "failover"})

    def test_takes_each_once(self) -> None:
        chosen = closure(["net_failover", "virtio_net", "virtio_rng"], parse_dependencies(_DEP))
        self.assertEqual(len(chosen), len(set(chosen)))
        self.assertEqual(len(chosen), 4)
