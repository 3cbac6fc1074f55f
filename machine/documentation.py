# SPDX-License-Identifier: BSD-3-Clause
"""The drivers' documentation through Sphinx, with the kernel's own directive for C comments."""

import os
import shutil
import subprocess

from machine import kernel_scripts
from machine.paths import BUILD, ROOT
from machine.sources import kernel_sources

# Debian's, whatever Python runs ./dev.
_SPHINX = "/usr/bin/sphinx-build"
_PAGES = ROOT / "linux/Documentation/virt/gunyah"
_OUT = BUILD / "documentation"


def check() -> str:
    """What is wrong with the pages, or with the comments that describe functions and structures."""
    return _pages() + _comments()


def _comments() -> str:
    sources = [str(path) for path in kernel_sources()]
    done = subprocess.run(["perl", str(kernel_scripts.folder() / "kernel-doc"), "-none", *sources],
                          cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def _pages() -> str:
    """Sphinx's complaints; any warning counts. The pages end up in build/documentation."""
    scripts = kernel_scripts.folder()
    shutil.rmtree(_OUT, ignore_errors=True)
    settings = {
        "extensions": "kerneldoc",
        "kerneldoc_bin": str(scripts / "kernel-doc"),
        "kerneldoc_srctree": str(ROOT / "linux"),
        "kerneldoc_verbosity": "1",
        "root_doc": "index",
        "project": "Gunyah",
    }
    done = subprocess.run(
        [_SPHINX, "-q", "-W", "--keep-going", "-C", "-b", "html",
         *(f"-D{name}={value}" for name, value in settings.items()), str(_PAGES), str(_OUT)],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONPATH": str(scripts), "PYTHONDONTWRITEBYTECODE": "1",
                          "srctree": str(ROOT / "linux")})
    said = (done.stdout + done.stderr).strip()
    return said or ("" if done.returncode == 0 else f"sphinx-build ended with {done.returncode}")
