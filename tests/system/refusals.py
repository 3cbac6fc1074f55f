# SPDX-License-Identifier: BSD-3-Clause
"""What the VMM must refuse with a sentence that names the cause, while the machine goes on."""

from tests.system.guest_command import GuestCommand
from tests.system.guest_scenarios import GuestScenarios

_REFUSAL_SECONDS = 30


class Refusals(GuestScenarios):
    """Mixed into a class per CPU model, beside the guests that must work."""

    def assert_refused(self, command: GuestCommand, *said: str) -> None:
        """COMMAND ends with an error that mentions every one of SAID, and starts no guest."""
        answer = self.shell.command(str(command), self.limit(_REFUSAL_SECONDS))
        self.assertNotEqual(answer.status, 0, answer.output)
        self.assertNotIn("[guest] init", answer.output)
        for words in said:
            self.assertRegex(answer.output, words)
        self.assertLessEqual(len(answer.output.splitlines()), 4, "more than a sentence")

    def test_kernel_that_is_no_kernel(self) -> None:
        self.shell.must("yes no kernel | head -c 100000 >/tmp/text")
        self.assert_refused(GuestCommand("check", kernel="/tmp/text"), "/tmp/text",
                            "not an arm64 Linux kernel")

    def test_missing_file(self) -> None:
        self.assert_refused(GuestCommand("check", kernel="/tmp/nowhere"), "/tmp/nowhere",
                            "(?i)no such file")
        self.assert_refused(GuestCommand("check", initrd="/tmp/nowhere"), "/tmp/nowhere",
                            "(?i)no such file")
        self.assert_refused(GuestCommand("check", disk="/tmp/nowhere"), "/tmp/nowhere",
                            "(?i)no such file")

    def test_more_memory_than_there_is(self) -> None:
        self.assert_refused(GuestCommand("check", memory="64G"), "65536 MiB of memory")

    def test_second_vm_on_the_same_disk(self) -> None:
        self.shell.must("truncate -s 4M /tmp/shared.img")
        first = GuestCommand("wait", disk="/tmp/shared.img", console="/tmp/first.log")
        process = self.start_in_background(first)
        self.shell.wait_for(r"\[guest\] waiting", "/tmp/first.log", self.limit(90))
        self.assert_refused(GuestCommand("check", disk="/tmp/shared.img"), "/tmp/shared.img",
                            "another VM uses it")
        self.shell.must(f"kill -TERM {process}")
        self.wait_until_ended(process, self.limit(30))
        self.run_checked_guest(disk="/tmp/shared.img")
