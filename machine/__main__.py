# SPDX-License-Identifier: BSD-3-Clause
"""The command line of ./dev."""

import argparse
import os
import shutil
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from machine import build, coverage, debian, fetch, image, packages, run, style, test, unit
from machine.bench import run as bench
from machine.debug_kernel import ENVIRONMENT
from machine.failure import Failure
from machine.kernel import KERNELS, STANDARD, named
from machine.paths import BUILD, CACHE, HYPERVISOR_IMAGE
from machine.qemu import Configuration

# What --long makes of the hostile guest's rounds.
_LONG_ROUNDS = "20"
# How long each fuzz target runs where everything is tested, and with --long; else some seconds.
_FUZZ_SECONDS = "20"
_LONG_FUZZ_SECONDS = "300"
# How many steps the core makes beside its model.
_LONG_MODEL_STEPS = "10000000"
# And of the rounds of tests/system/reliability_test.py, and of the time limit for all system tests.
_LONG_MISCHIEF_ROUNDS = "1000"
_LONG_WAKEUPS = "1000000"
_LONG_SECONDS = str(6 * 3600)

_EXAMPLES = """\
examples:
  ./dev run                       from nothing to a guest's shell; poweroff leads back out
  ./dev run </dev/null            the same without a person: tries the guest and powers off
  ./dev run --cpu cortex-a57      on a CPU without the virtualization host extensions
  ./dev run --kernel 6.12         with the newer of Debian's kernels
  ./dev run --debian              Debian's own system as guest, from a qcow2 disk, with systemd
  ./dev shell                     only to the primary VM's shell
  ./dev test                      everything that must hold
  ./dev test --only unit          the unit tests alone
  ./dev test --only system -k kill
  ./dev test --debug-kernel       the system tests with KASAN, lockdep, kmemleak, fault injection
"""


def _prepare(for_test: bool = False) -> None:
    packages.install(for_test)
    fetch.fetch()


def _prepare_machine(arguments: argparse.Namespace) -> Configuration:
    _prepare()
    bare = arguments.without_hypervisor
    kernel = named(arguments.kernel) if arguments.kernel else STANDARD
    if not bare:
        build.build_machine([kernel])
    image.pack(kernel, with_our_parts=not bare)
    return Configuration(cpu=arguments.cpu, cpus=arguments.cpus, memory=arguments.memory,
                         hypervisor=None if bare else HYPERVISOR_IMAGE,
                         kernel=kernel.boot_image, initrd=kernel.primary_initrd)


def _run(arguments: argparse.Namespace) -> int:
    configuration = _prepare_machine(arguments)
    if arguments.debian:
        debian.make_disk()
        run.run_debian(replace(configuration, memory=debian.MACHINE_MEMORY,
                               extra=debian.machine_devices()))
    else:
        run.run(configuration)
    return 0


def _shell(arguments: argparse.Namespace) -> int:
    run.shell(_prepare_machine(arguments))
    return 0


# The debug kernel is so many times slower.
_DEBUG_PATIENCE = "6"


def _test(arguments: argparse.Namespace) -> int:
    if arguments.debug_kernel and ENVIRONMENT not in os.environ:
        # Every module has to know from its beginning what machines boot.
        os.environ[ENVIRONMENT] = "1"
        os.environ.setdefault("GUNYAH_PATIENCE", _DEBUG_PATIENCE)
        os.execv(sys.executable, [sys.executable, "-m", "machine", *sys.argv[1:]])
    if arguments.debug_kernel:
        packages.install(for_test=True, for_debug_kernel=True)
        arguments.only = "system"
    _prepare(for_test=True)
    if arguments.long:
        os.environ.setdefault("GUNYAH_HOSTILE_ROUNDS", _LONG_ROUNDS)
        os.environ.setdefault("GUNYAH_ROUNDS", _LONG_MISCHIEF_ROUNDS)
        os.environ.setdefault("GUNYAH_WAKEUPS", _LONG_WAKEUPS)
        os.environ.setdefault("GUNYAH_SYSTEM_SECONDS", _LONG_SECONDS)
        os.environ.setdefault(unit.FUZZ_SECONDS, _LONG_FUZZ_SECONDS)
        os.environ.setdefault(unit.MODEL_STEPS, _LONG_MODEL_STEPS)
    if arguments.fuzz_seconds is not None:
        os.environ[unit.FUZZ_SECONDS] = str(arguments.fuzz_seconds)
    elif not arguments.only and not arguments.keyword:
        os.environ.setdefault(unit.FUZZ_SECONDS, _FUZZ_SECONDS)
    return test.run(arguments.only, arguments.keyword, arguments.long)


def _bench(arguments: argparse.Namespace) -> int:
    _prepare(for_test=True)
    return bench.run(arguments.only, arguments.update, arguments.json)


def _coverage(_: argparse.Namespace) -> int:
    _prepare(for_test=True)
    return coverage.run()


def _packages(_: argparse.Namespace) -> int:
    packages.install(for_test=True)
    return 0


def _fetch(arguments: argparse.Namespace) -> int:
    packages.install()
    fetch.fetch(arguments.update)
    return 0


def _build(arguments: argparse.Namespace) -> int:
    _prepare(for_test=True)
    for part in arguments.parts or [*build.PRESETS, "modules"]:
        if part == "modules":
            for kernel in KERNELS:
                build.build_modules(kernel)
        else:
            build.build_preset(part)
    return 0


def _image(_: argparse.Namespace) -> int:
    _prepare()
    build.build_machine()
    for kernel in KERNELS:
        image.pack(kernel)
    return 0


def _format(_: argparse.Namespace) -> int:
    packages.install(for_test=True)
    style.format_sources()
    return 0


def _clean(arguments: argparse.Namespace) -> int:
    for path in BUILD.glob("*") if BUILD.is_dir() else []:
        if path == CACHE and not arguments.all:
            continue
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./dev", description="Builds, runs and tests Gunyah in C++.", epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def command(name: str, action: Callable[[argparse.Namespace], int],
                text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text.capitalize() + ".")
        added.set_defaults(action=action)
        return added

    for name, action, text in (
            ("run", _run, "build everything, boot the machine, start a guest"),
            ("shell", _shell, "boot to the primary VM's shell, without a guest")):
        machine = command(name, action, text)
        machine.add_argument("--cpu", default="max", metavar="MODEL",
                             help="QEMU's CPU model: max (default), cortex-a57, cortex-a76, ...")
        machine.add_argument("--cpus", type=int, default=2, metavar="N", help="CPUs (default 2)")
        machine.add_argument("--memory", default="2G", metavar="SIZE", help="RAM (default 2G)")
        machine.add_argument("--kernel", metavar="VERSION",
                             help="6.12 takes the kernel of Debian's backports for all VMs")
        machine.add_argument("--without-hypervisor", action="store_true",
                             help="development only: the same images on plain QEMU")
        if name == "run":
            machine.add_argument("--debian", action="store_true",
                                 help="a guest of 4 vCPUs with Debian's own arm64 system, made first with "
                                      "mmdebstrap")
    tests = command("test", _test, "run every check and test; ends with one line that counts them")
    tests.add_argument("--only", choices=test.KINDS, help="one kind of test")
    tests.add_argument("-k", dest="keyword", default="", metavar="WORD",
                       help="only unit and system tests whose name contains WORD")
    tests.add_argument("--debug-kernel", action="store_true",
                       help="the system tests with a kernel that looks for mistakes: KASAN, lockdep, "
                            "kmemleak, fault injection; built first, takes 40 minutes or more")
    tests.add_argument("--long", action="store_true",
                       help=f"the random parts of the hostile guest {_LONG_ROUNDS} times as long, "
                            f"{_LONG_MISCHIEF_ROUNDS} rounds of mischief with VMMs and guests, {_LONG_WAKEUPS} "
                            "wake-ups from WFI, "
                            f"each fuzz target for {_LONG_FUZZ_SECONDS} s, {_LONG_MODEL_STEPS} steps of the "
                            "core beside its model, the hypervisor built twice, "
                            "and with traps for undefined behaviour")
    tests.add_argument("--fuzz-seconds", type=int, metavar="N",
                       help=f"each fuzz target for N s (default {_FUZZ_SECONDS}, 3 with --only or -k)")
    benches = command("bench", _bench, "count instructions per operation and compare with bench/budgets")
    benches.add_argument("--only", choices=[group.name for group in bench.GROUPS],
                         help="one group of rows")
    benches.add_argument("--json", type=Path, metavar="FILE", help="write all rows there, too")
    benches.add_argument("--update", action="store_true", help="make what is measured the budget")
    command("coverage", _coverage, "count the lines of the core that the host tests run")
    parts = command("build", _build, "build all parts, or the named ones")
    parts.add_argument("parts", nargs="*", metavar="PART",
                       help=f"{', '.join(build.PRESETS)} or modules")
    command("image", _image, "build and pack the images that a machine boots")
    fetched = command("fetch", _fetch, "fetch kernel, headers and libraries from Debian's archive")
    fetched.add_argument("--update", action="store_true", help="look for newer packages")
    command("packages", _packages, "install the Debian packages that building and testing need")
    command("format", _format, "rewrite the C++ files as clang-format would have them")
    clean = command("clean", _clean, "delete what was built")
    clean.add_argument("--all", action="store_true", help="also what was fetched")
    return parser


def main() -> int:
    """Runs one command; returns the exit status."""
    arguments = _parser().parse_args()
    # Ends like Ctrl-C does, so that QEMU is stopped and the terminal is as before.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        action: Callable[[argparse.Namespace], int] = arguments.action
        return action(arguments)
    except Failure as failure:
        if failure.log_tail:
            print("\n".join(f"    | {line}" for line in failure.log_tail.splitlines()), file=sys.stderr)
        print(f"./dev: {failure.sentence}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\n./dev: interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
