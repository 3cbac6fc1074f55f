# SPDX-License-Identifier: BSD-3-Clause
"""Static analysis of the C++ code, without its tests, by cppcheck. (The drivers go through sparse.)"""

import subprocess
import time

from machine.paths import ROOT
from machine.results import Results
from machine.sources import CXX, tracked

_FOLDERS = ("bench", "hypervisor", "resource_manager", "runtime", "vmm")
_NOT_CHECKED = {"fake", "testing", "fuzz"}
_INCLUDES = ("", "hypervisor", "hypervisor/arm64", "resource_manager", "runtime/include", "vmm")
# Where cppcheck, which does not see every type, takes one thing for another.
_MISTAKEN = (
    "ignoredReturnValue",           # our log() for the logarithm
    "mismatchingContainerExpression",  # the end() of an address range for an iterator
    "noCopyConstructor", "noDestructor", "noOperatorEq",  # placement new for new
    "passedByValue",                # views for objects
    "returnDanglingLifetime",       # a std::string made from a char* for that pointer
    "uninitMemberVar:*/wakeups.hpp",  # it says which of its elements are valid
    "returnStdMoveLocal",           # an element of a local container for the container
)


def _check() -> str:
    files = [str(path) for path in tracked()
             if path.parts[0] in _FOLDERS and path.suffix == CXX[0]
             and not path.stem.endswith("_test") and not _NOT_CHECKED & set(path.parts)]
    done = subprocess.run(
        ["cppcheck", "--quiet", "--inline-suppr", "--error-exitcode=1", "-j2", "--language=c++",
         "--std=c++20", "-D__aarch64__", "--enable=warning,performance,portability",
         "--template={file}:{line}: {severity}: {id}: {message}",
         *(f"--suppress={name}" for name in _MISTAKEN),
         *(f"-I{ROOT / folder}" for folder in _INCLUDES), *files],
        cwd=ROOT, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def run(results: Results) -> None:
    """Runs it over all files."""
    start = time.monotonic()
    results.add("cppcheck: C++", _check(), time.monotonic() - start)
