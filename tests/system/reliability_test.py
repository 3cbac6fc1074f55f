# SPDX-License-Identifier: BSD-3-Clause
"""The machine never needs a reboot: whatever becomes of VMMs and guests, nothing of them is left, the next
guest starts, and two others that check their own work never notice.

Seeds are printed. GUNYAH_ROUNDS_SEED=N repeats them, GUNYAH_ROUNDS=N makes other than 25 rounds,
GUNYAH_WAKEUPS=N other than 20,000 wake-ups.
"""

import os
import random
from dataclasses import dataclass

from machine.progress import note
from machine.qemu import PATIENCE, Configuration
from tests.system.guest_case import GUEST_SECONDS, GuestCase
from tests.system.guest_command import GuestCommand

_ROUNDS = int(os.environ.get("GUNYAH_ROUNDS", "25"))
_SEED = int(os.environ.get("GUNYAH_ROUNDS_SEED") or random.randrange(1, 1 << 31))
# Rounds of one call, which has a time limit.
_AT_ONCE = 25
_WAKEUPS = int(os.environ.get("GUNYAH_WAKEUPS", "20000"))
_WAKEUPS_AT_ONCE = 50_000
# Rounds with a whole Linux are that many times fewer.
_LINUX_SHARE = 5
_MISCHIEF = ("kill", "stop", "panic", "reboot", "force")
_LONGEST_MOMENT = 4.0
_STATUS_REBOOT = 3
_LARGE = "448M"
_MOST_LARGE = 12
_VMS = "/sys/kernel/debug/gunyah/vms"


@dataclass(frozen=True)
class _Bystander:
    """A guest that works all the while."""

    process: str
    console: str


class NeverReboots(GuestCase):
    """One machine, on which all of it happens."""

    configuration = Configuration(memory="3G", boot_arguments=f"{Configuration.boot_arguments} "
                                                              "slub_debug=FZP")
    machine_seconds = 15 * 60 + 8 * _ROUNDS + _WAKEUPS // 500

    def setUp(self) -> None:
        """Everything random follows from the one number."""
        super().setUp()
        self.random = random.Random(_SEED)
        note(f"GUNYAH_ROUNDS_SEED={_SEED}")

    def bystander(self, name: str) -> _Bystander:
        """Starts a guest that sums up."""
        console = f"/tmp/{name}.log"
        return _Bystander(self.start_in_background(GuestCommand("checksum", console=console)),
                          console)

    def sums(self, bystander: _Bystander) -> int:
        """How many sums it found right; a wrong one is a failure."""
        said = self.shell.must(f"grep -c 'right sum' {bystander.console}; "
                               f"! grep -E 'FAILED|Oops|BUG|stall|lockup' {bystander.console}")
        self.shell.must(f"[ -d /proc/{bystander.process} ]")
        return int(said)

    def assert_works(self, bystander: _Bystander, before: int, after: str) -> None:
        """It has found more sums than BEFORE."""
        if self.sums(bystander) <= before:
            self.fail(f"{bystander.console} stands still after {after}: {self.state_of(bystander)}")

    def state_of(self, bystander: _Bystander) -> str:
        """What a bystander and its VMM do, for who has to find out why it stands still."""
        return self.shell.command(
            f"tail -n 3 {bystander.console}; cat {_VMS}; cd /proc/{bystander.process}/task; "
            "for task in *; do echo $task $(cat $task/comm) $(cat $task/wchan); cat $task/stack; "
            "grep -E 'State|ctxt' $task/status; done; cd /; grep gunyah /proc/interrupts; sleep 2; "
            f"cat {_VMS}").output

    def test_nothing_is_left_and_others_do_not_notice(self) -> None:
        bystanders = [self.bystander(name) for name in ("one", "two")]
        for each in bystanders:
            self.shell.wait_for("right sum", each.console, self.limit(2 * GUEST_SECONDS))
        resting = self.shell.counters()
        for part in (self.mischief, self.mischief_with_linux, self.until_memory_ends):
            before = [self.sums(each) for each in bystanders]
            part()
            self.assert_settled(resting, part.__name__)
            for each, sums in zip(bystanders, before, strict=True):
                self.shell.wait_for("right sum", each.console, 1)
                self.assert_works(each, sums, part.__name__)
        for each in bystanders:
            self.shell.must(f"kill -KILL {each.process}")
            self.wait_until_ended(each.process, self.limit(30))
        self.run_checked_guest()

    def test_no_wakeup_is_lost(self) -> None:
        """tests/system/programs/driver/wakeup_cases.cpp, beside a guest with an interrupt now and then."""
        bystander = self.bystander("beside")
        self.shell.wait_for("right sum", bystander.console, self.limit(2 * GUEST_SECONDS))
        before = self.sums(bystander)
        left = _WAKEUPS
        while left > 0:
            answer = self.shell.command(
                f"GUNYAH_PATIENCE={PATIENCE} GUNYAH_WAKEUPS={min(left, _WAKEUPS_AT_ONCE)} "
                "gunyah-driver-test no_wakeup_is_lost", self.limit(150))
            self.assertEqual(answer.status, 0, answer.output[-1500:])
            left -= _WAKEUPS_AT_ONCE
        self.assert_works(bystander, before, f"{_WAKEUPS} wake-ups of others")
        self.shell.must(f"kill -KILL {bystander.process}")
        self.wait_until_ended(bystander.process, self.limit(30))

    def assert_settled(self, resting: dict[str, int], after: str) -> None:
        """The counters are RESTING again, once deferred work is done."""
        for _ in range(20):
            if self.shell.counters() == resting:
                return
            self.shell.must("sleep 0.5")
        self.assertEqual(self.shell.counters(), resting, after)

    def mischief(self) -> None:
        """tests/system/programs/driver/mischief_cases.cpp"""
        left = _ROUNDS
        while left > 0:
            answer = self.shell.command(
                f"GUNYAH_PATIENCE={PATIENCE} GUNYAH_ROUNDS={min(left, _AT_ONCE)} "
                f"GUNYAH_ROUNDS_SEED={self.random.randrange(1, 1 << 31) if left < _ROUNDS else _SEED} "
                "gunyah-driver-test rounds_of_mischief sixteen_guests_killed_at_once "
                "one_guest_too_many_is_refused", self.limit(240))
            self.assertEqual(answer.status, 0, answer.output[-1500:])
            left -= _AT_ONCE

    def mischief_with_linux(self) -> None:
        """The same with the real VMM and Debian's kernel, at the moments of a boot."""
        for number in range(max(len(_MISCHIEF), _ROUNDS // _LINUX_SHARE)):
            kind = _MISCHIEF[number] if number < len(_MISCHIEF) else self.random.choice(_MISCHIEF)
            self.round(kind, f"round {number}")

    def round(self, kind: str, which: str) -> None:
        """Starts a guest and does KIND to it."""
        before = self.shell.counters()
        if kind in ("panic", "reboot"):
            # Not to our console, where a kernel's panic would be the primary VM's.
            answer = self.run_guest(GuestCommand(kind, console="/tmp/victim.log"))
            self.assertEqual(answer.status, _STATUS_REBOOT, f"{which}, {kind}: {answer.output}")
        else:
            command = GuestCommand("wait", cpus=2, console="/tmp/victim.log", name="victim")
            process = self.start_in_background(command)
            self.shell.must(f"sleep {self.random.uniform(0, _LONGEST_MOMENT):.3f}")
            if kind == "force":
                # There is nothing to be stopped in its very first moments.
                self.shell.command("gunyah stop --force victim")
            if kind == "stop":
                self.shell.must(f"kill -STOP {process}; sleep 1")
            self.shell.must(f"kill -KILL {process} 2>/dev/null || [ ! -d /proc/{process} ]")
            self.wait_until_ended(process, self.limit(30))
        self.assert_settled(before, f"{which}, {kind}")

    def until_memory_ends(self) -> None:
        """Guests are started until there is no memory: one too many gets a sentence, the others live."""
        running: list[str] = []
        resting = int(self.shell.must(f"grep -c running {_VMS}"))
        for number in range(_MOST_LARGE):
            console = f"/tmp/large{number}.log"
            process = self.start_in_background(GuestCommand("wait", console=console, memory=_LARGE))
            # Its memory is taken when it runs.
            self.shell.must(f"n=0; until [ $(grep -c running {_VMS}) -gt {len(running) + resting} ] || "
                            f"[ ! -d /proc/{process} ]; do sleep 0.2; n=$((n+1)); "
                            f"[ $n -lt {300 * PATIENCE:.0f} ] || break; done", 120)
            if self.shell.command(f"[ -d /proc/{process} ]").status != 0:
                break
            running.append(process)
        else:
            self.fail(f"{_MOST_LARGE} guests of {_LARGE} have place in {self.configuration.memory}")
        self.assertGreaterEqual(len(running), 2)
        refused = self.run_guest(GuestCommand("wait", memory=_LARGE))
        self.assertEqual(refused.status, 1, refused.output)
        self.assertRegex(refused.output, r"^gunyah: [^\n]* \d+ MiB of memory[^\n]*$")
        for process in running:
            self.shell.must(f"[ -d /proc/{process} ]")
        self.shell.must(f"kill -KILL {' '.join(running)}")
        for process in running:
            self.wait_until_ended(process, self.limit(30))
        self.assertEqual(self.shell.command("dmesg | grep -iE 'out of memory|oom-kill'").output, "")
