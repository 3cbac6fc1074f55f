# SPDX-License-Identifier: BSD-3-Clause
"""Spells `gunyah run` command lines for the primary VM's shell."""

from dataclasses import dataclass


@dataclass(frozen=True)
class GuestCommand:
    """A guest that does a TASK of machine/guest/etc/tasks and powers off."""

    task: str
    cpus: int = 1
    memory: str = "128M"
    disk: str = ""
    console: str = ""
    more_consoles: tuple[str, ...] = ()
    name: str = ""
    shares: tuple[str, ...] = ()
    more: str = ""
    net: str = ""
    vsock: str = ""
    parameters: str = ""
    kernel: str = "/root/Image"
    initrd: str = "/root/guest.cpio"
    terminal: str = "ttyAMA0"
    options: tuple[str, ...] = ()
    user: str = ""

    def __str__(self) -> str:
        words = [
            "gunyah run", f"--kernel {self.kernel}", f"--initrd {self.initrd}",
            f"--cpus {self.cpus}", f"--mem {self.memory}",
            f"--cmdline 'console={self.terminal} loglevel=4 task={self.task} {self.parameters}'",
        ]
        if self.disk:
            words.append(f"--disk {self.disk}")
        words += [f"--share {share}" for share in self.shares]
        if self.console:
            words.append(f"--console {self.console}")
        words += [f"--console {console}" for console in self.more_consoles]
        words += self.options
        if self.net:
            words.append(f"--net {self.net}")
        if self.vsock:
            words.append(f"--vsock {self.vsock}")
        if self.name:
            words.append(f"--name {self.name}")
        if self.more:
            words.append(self.more)
        line = " ".join(words)
        return (f'su {self.user} -c "exec {line}"' if self.user else line) + " 2>&1"
