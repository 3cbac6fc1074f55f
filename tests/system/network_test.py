# SPDX-License-Identifier: BSD-3-Clause
"""Guests with a network, through passt and through a tap device, and with a vsock."""

import re
import unittest

from machine.debug_kernel import DEBUG, PRIMARY
from tests.system.guest_case import GUEST_SECONDS, GuestCase
from tests.system.guest_command import GuestCommand

_LOG = "/tmp/network.log"
_MEGABYTES = 4
# The address that passt gives the guest is the primary VM's own; what goes to the gateway arrives at
# the primary VM's loopback interface.
_DUMMY = ("[ -d /sys/class/net/dummy0 ] || { modprobe dummy numdummies=0; "
          "ip link add dummy0 type dummy; ip addr add 10.11.0.2/24 dev dummy0; "
          "ip link set dummy0 up; ip route add default via 10.11.0.1; }")
_TAP = ("modprobe tun; tunctl -t tap0 >/dev/null; ip addr add 10.12.0.1/24 dev tap0; "
        "ip link set tap0 up")
# A notification wakes the VMM once for all that the guest has queued meanwhile; a notification per
# frame of 1,500 bytes would make 700.
_MOST_KICKS_PER_MEGABYTE = 256

_needs_networks = unittest.skipIf(PRIMARY is DEBUG, "the debug kernel is configured without networks")


class Network(GuestCase):
    """A guest that talks to servers in the primary VM, and serves."""

    def serve(self) -> str:
        """Serves a random file at port 7000 by HTTP, takes one at 7001; returns its MD5 sum."""
        self.shell.must("mkdir -p /tmp/www; rm -f /tmp/uploaded; "
                        f"dd if=/dev/urandom of=/tmp/www/file bs=1M count={_MEGABYTES} 2>/dev/null")
        self.shell.must("pidof httpd >/dev/null || httpd -p 7000 -h /tmp/www")
        # What ends the standard input of nc would end the other direction too.
        self.shell.must("(sleep 90 | nc -l -p 7001 >/tmp/uploaded &) 2>/dev/null")
        return self.shell.must("md5sum </tmp/www/file").split()[0]

    def start(self, command: GuestCommand) -> tuple[str, str]:
        """Starts a guest that ends up waiting; its VMM's process id, and what it has said."""
        process = self.start_in_background(command)
        self.shell.wait_for(r"\[guest\] waiting|FAILED|done", _LOG, self.limit(GUEST_SECONDS))
        log = self.shell.must(f"cat {_LOG} {_LOG}.vmm")
        self.assertIn("[guest] waiting", log)
        return process, log

    def kill(self, process: str) -> None:
        """Kills the VMM with this process id."""
        self.shell.must(f"kill -KILL {process}")
        self.wait_until_ended(process, self.limit(30))

    def kicks(self, name: str) -> int:
        """How often the guest NAME has notified its first network device."""
        return int(self.shell.must(f"gunyah stats {name} | grep 'network 0'").split()[-2])

    def assert_exchanged(self, checksum: str, log: str, url: str) -> None:
        """A file of this CHECKSUM has come to the guest, from it, and is served at URL."""
        self.assertIn(f"received: {checksum}", log)
        self.shell.must("n=0; while pidof nc >/dev/null && [ $n -lt 20 ]; do sleep 1; "
                        "n=$((n+1)); done")
        self.assertIn(checksum, self.shell.must("md5sum </tmp/uploaded"))
        before = self.kicks("net")
        self.assertIn(checksum, self.shell.must(f"wget -q -O - {url} | md5sum", self.limit(60)))
        sending = self.kicks("net") - before
        self.assertLess(sending, _MEGABYTES * _MOST_KICKS_PER_MEGABYTE)

    @_needs_networks
    def test_passt(self) -> None:
        """DHCP, both directions, a port forward, few kicks; passt ends with its VM.

        There is a second network: when its passt dies its link goes down, and the first goes on.
        """
        self.shell.must(_DUMMY)
        checksum = self.serve()
        process, log = self.start(GuestCommand("network", console=_LOG, name="net",
                                               net="passt,forward=tcp:2280:80",
                                               more="--net passt,mac=02:00:00:00:00:77"))
        self.assertRegex(log, "inet 10.11.0.2/24")
        self.assertIn("second network: 02:00:00:00:00:77", log)
        self.assertEqual(log.count("lease of 10.11.0.2 obtained"), 2)
        passts = sorted(map(int, self.shell.must("pidof passt").split()))
        self.assertEqual(len(passts), 2)
        self.shell.must(f"kill -KILL {passts[1]}")
        self.shell.wait_for("eth1: link down", _LOG, self.limit(30))
        self.assertIn("network 1: its other end has gone", self.shell.must(f"cat {_LOG}.vmm"))
        self.assertIn("mtu: 65520", log)
        self.assert_exchanged(checksum, log, "http://127.0.0.1:2280/file")
        refused = self.run_guest(GuestCommand("check", net="forward=tcp:2280:80"))
        self.assertRegex(refused.output, "cannot start passt for --net: it ended at once; "
                                         "passt says: .*Failed to bind any port for '-t 2280:80'")
        self.shell.must("gunyah stop net --force")
        self.wait_until_ended(process, self.limit(30))
        self.assertNotIn("sandbox", self.shell.must(f"cat {_LOG}.vmm"))
        self.shell.must("n=0; while pidof passt && [ $n -lt 5 ]; do sleep 1; n=$((n+1)); done; "
                        "! pidof passt")

    @_needs_networks
    def test_tap(self) -> None:
        """A tap device with an address of its own, offloads and a MAC that was asked for."""
        refused = self.run_guest(GuestCommand("check", net="tap=lo"))
        self.assertIn("--net tap: cannot use the device lo", refused.output)
        self.shell.must(_TAP)
        checksum = self.serve()
        process, log = self.start(GuestCommand(
            "network", console=_LOG, name="net", net="tap=tap0,mac=02:00:00:00:12:34",
            parameters="address=10.12.0.2/24 gateway=10.12.0.1"))
        self.assertIn("mac: 02:00:00:00:12:34", log)
        self.assertIn("mtu: 1500", log)
        self.assert_exchanged(checksum, log, "http://10.12.0.2/file")
        self.kill(process)

    def test_vsock(self) -> None:
        """Both directions, a refusal, a killed VMM's socket in the way, an end amid a transfer."""
        path = "/run/test.vsock"
        self.shell.must(f"(vsock-pipe take {path}_6000 >/tmp/taken &) 2>/dev/null")
        self.shell.must(f"vsock-pipe take {path} & until [ -S {path} ]; do sleep 1; done; kill -KILL $!; "
                        f"wait; [ -S {path} ]", self.limit(30))
        process, log = self.start(GuestCommand("vsock", console=_LOG, name="sock",
                                               vsock=f"cid=42,path={path}"))
        self.assertIn("refused: vsock-pipe: connect: Connection reset by peer", log)
        sent = re.search(r"sent: (\w+)", log)
        assert sent, log
        self.assertIn(sent[1], self.shell.must("md5sum </tmp/taken"))
        self.shell.must("dd if=/dev/urandom of=/tmp/file bs=1M count=4 2>/dev/null")
        self.shell.must("gunyah vsock sock 5000 </tmp/file >/tmp/echoed; cmp /tmp/file /tmp/echoed",
                        self.limit(60))
        refused = self.shell.command("gunyah vsock sock 5001 </dev/null 2>&1")
        self.assertIn("the guest refused", refused.output)
        # The VMM ends in the middle of a transfer: so do its clients.
        self.shell.must("(gunyah vsock sock 5000 </dev/zero >/dev/null 2>&1; echo over >/tmp/over) "
                        "2>/dev/null & sleep 1")
        self.shell.must("gunyah stop sock --force")
        self.wait_until_ended(process, self.limit(30))
        self.shell.wait_for("over", "/tmp/over", self.limit(30))
        if PRIMARY is not DEBUG:  # which has no namespaces, so that there is a warning
            self.assertNotIn("sandbox", self.shell.must(f"cat {_LOG}.vmm"))
        self.shell.must(f"[ ! -e {path} ]")
