# SPDX-License-Identifier: BSD-3-Clause
"""The kernel modules as a distribution builds them for each new kernel: with dkms itself.

Everything that dkms writes lies under build/dkms; this computer's own trees stay as they are.
"""

import re
import shutil
import time

from machine.command import run_logged
from machine.kernel import STANDARD
from machine.paths import BUILD, ROOT
from machine.results import Results

_FOLDER = BUILD / "dkms"
_SOURCES = _FOLDER / "src"
_TREE = _FOLDER / "tree"
_INSTALLED = _FOLDER / "installed/lib/modules"
_SECONDS = 900
# dkms names architectures as uname -m does.
_ARCHITECTURE = "aarch64"


def _setting(name: str) -> str:
    text = (ROOT / "linux/dkms.conf").read_text()
    return str(re.findall(rf'(?m)^{name}="(.+)"$', text)[0])


def _dkms(action: str, *options: str) -> None:
    package = f"{_setting('PACKAGE_NAME')}/{_setting('PACKAGE_VERSION')}"
    run_logged(f"dkms {action}",
               ["dkms", action, package, "--sourcetree", _SOURCES, "--dkmstree", _TREE,
                "--installtree", _INSTALLED, *options],
               f"dkms-{action}.log", timeout=_SECONDS)


def _installed() -> list[str]:
    return sorted(path.stem for path in _INSTALLED.rglob("*.ko"))


def _add_install_remove() -> str:
    """What is wrong with the modules that dkms installed, or left when it removed them."""
    release = STANDARD.release()
    shutil.rmtree(_FOLDER, ignore_errors=True)
    (_INSTALLED / release).mkdir(parents=True)
    _TREE.mkdir()
    shutil.copytree(ROOT / "linux",
                    _SOURCES / f"{_setting('PACKAGE_NAME')}-{_setting('PACKAGE_VERSION')}")
    kernel = ("-k", release, "-a", _ARCHITECTURE, "--kernelsourcedir", str(STANDARD.headers()))
    _dkms("add")
    _dkms("build", *kernel)
    # depmod would look at this computer's own kernels.
    _dkms("install", *kernel, "--no-depmod")
    wanted = sorted(re.findall(r'(?m)^BUILT_MODULE_NAME\[\d+\]="(.+)"$',
                               (ROOT / "linux/dkms.conf").read_text()))
    if _installed() != wanted:
        return f"dkms installed {_installed()} instead of {wanted}"
    magic = run_logged("asking the modules for their kernel",
                       ["modinfo", "-F", "vermagic", *_INSTALLED.rglob("*.ko")], "modinfo.log")
    for line in magic.splitlines():
        if not line.startswith(f"{release} "):
            return f"a module is for '{line}' instead of {release}"
    # Every dependency between them is met by another that was installed.
    run_logged("listing the installed modules' dependencies",
               ["depmod", "-b", _FOLDER / "installed", release], "dkms-depmod.log")
    order = (_INSTALLED / release / "modules.dep").read_text()
    if not re.search(r"gunyah_rsc_mgr\.ko:.* \S*gunyah-msgq\.ko", order):
        return f"the modules do not know each other:\n{order}"
    _dkms("remove", "--all", "--no-depmod")
    return f"dkms left {_installed()}" if _installed() else ""


def run(results: Results) -> None:
    """One result: dkms adds, builds, installs and removes the modules."""
    start = time.monotonic()
    problem = _add_install_remove()
    results.add(f"dkms: the kernel modules for {STANDARD.release()}", problem, time.monotonic() - start)
