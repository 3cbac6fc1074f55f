# SPDX-License-Identifier: BSD-3-Clause
"""A QEMU machine whose clock counts instructions, the same at every run."""

from dataclasses import replace

from machine.qemu import Configuration

# The generic timer ticks once per instruction, so that guests can count for themselves.
COUNTING_CPU = "max,pauth-impdef=on,cntfrq=1000000000"

# One thread for all CPUs; an idle machine skips to its next event instead of waiting for it.
_DETERMINISTIC = ("-icount", "shift=0,sleep=off", "-rtc", "base=2024-01-01,clock=vm",
                  "-seed", "1")


def counting(configuration: Configuration) -> Configuration:
    """CONFIGURATION with a virtual nanosecond for every instruction of any CPU."""
    return replace(configuration, cpu=COUNTING_CPU, extra=(*configuration.extra, *_DETERMINISTIC))
