# SPDX-License-Identifier: BSD-3-Clause
"""The bare-metal checks on every CPU model, with one, two and four CPUs, and without a hypervisor."""

from machine.boards import Versal
from machine.qemu import Configuration
from tests.system import conformance


def _machine(cpu: str, cpus: int = 2) -> Configuration:
    return Configuration(cpu=cpu, cpus=cpus, kernel=conformance.PROGRAM, initrd=None,
                         boot_arguments="conformance")


def _every_call(cpu: str, cpus: int = 1) -> Configuration:
    return Configuration(cpu=cpu, cpus=cpus, hypervisor=conformance.ROOT_IMAGE,
                         kernel=conformance.PROGRAM, initrd=None)


class ChecksOnMax(conformance.Conformance):
    """Everything QEMU can emulate."""

    configuration = _machine("max")


class ChecksOnMaxWithMemoryTags(conformance.Conformance):
    """A feature that the CPU has and that no VM may touch (FEAT_MTE2)."""

    configuration = Configuration(cpu="max", kernel=conformance.PROGRAM, initrd=None,
                                  boot_arguments="conformance", extra=("-machine", "mte=on"))


class ChecksOnMaxWithOneCpu(conformance.Conformance):
    """The Resource Manager and the guests share the only CPU with the program."""

    configuration = _machine("max", cpus=1)


class ChecksOnMaxWithFourCpus(conformance.Conformance):
    """More CPUs than this computer may have."""

    configuration = _machine("max", cpus=4)


class ChecksOnCortexA57(conformance.Conformance):
    """Armv8.0, without VHE."""

    configuration = _machine("cortex-a57")


class ChecksOnCortexA76(conformance.Conformance):
    """Armv8.2 with 40 bits of physical address."""

    configuration = _machine("cortex-a76")


class ChecksOnNeoverseN1(conformance.Conformance):
    """Armv8.2 with 48 bits of physical address."""

    configuration = _machine("neoverse-n1")


class ChecksOnVersal(conformance.Conformance):
    """Another board: cortex-a72, RAM from address 0, UART and GIC elsewhere."""

    configuration = Versal(kernel=conformance.PROGRAM, initrd=None, boot_arguments="conformance")


class WakeUpByInstructions(conformance.Conformance):
    """How late an idle vCPU wakes, where QEMU counts instructions instead of time."""

    configuration = Configuration(cpu="max", kernel=conformance.PROGRAM, initrd=None,
                                  boot_arguments="conformance exact only=wake_up.",
                                  extra=("-icount", "shift=0,sleep=off"))
    least_checks = 2


class ChecksOnBareMachine(conformance.Conformance):
    """QEMU itself as the reference: what needs no hypervisor must hold there, too."""

    configuration = Configuration(cpu="max", hypervisor=None, kernel=conformance.PROGRAM,
                                  initrd=None, boot_arguments="bare")
    bare = True


class CallsOnMax(conformance.Conformance):
    """Every hypercall, by a program in place of the Resource Manager."""

    configuration = _every_call("max")
    least_checks = 116


class CallsOnMaxWithTwoCpus(conformance.Conformance):
    """The same, and vCPUs that move between two CPUs."""

    configuration = _every_call("max", cpus=2)
    least_checks = 125


class CallsOnCortexA57WithTwoCpus(conformance.Conformance):
    """The same without VHE, SVE and random numbers in the CPU."""

    configuration = _every_call("cortex-a57", cpus=2)
    least_checks = 125
