# SPDX-License-Identifier: BSD-3-Clause
"""Debian's package archive for arm64, through an apt configuration of our own.

The mirror, keyring and proxy are the system's; lists, cache and state lie under build/cache, so that
neither /etc/apt nor dpkg's architectures change.
"""

import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from machine.command import run_logged
from machine.failure import Failure
from machine.paths import CACHE
from machine.progress import Step

_DEBS = CACHE / "debs"
_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
_DEBIAN = "http://deb.debian.org/debian"


@dataclass(frozen=True)
class Source:
    """One entry of sources.list: where packages come from and which key signs them."""

    uri: str
    suite: str
    components: tuple[str, ...]
    signed_by: str

    def line(self) -> str:
        options = f"[arch=arm64,amd64 signed-by={self.signed_by}]"
        return f"deb {options} {self.uri} {self.suite} {' '.join(self.components)}"


def parse_deb822(text: str) -> list[Source]:
    """The sources of a *.sources file. A key written into the file itself is left out."""
    sources = []
    for stanza in re.split(r"\n\s*\n", re.sub(r"(?m)^#.*\n?", "", text)):
        fields = {
            name.lower(): value.split()
            for name, value in re.findall(r"(?m)^([\w-]+):((?:.*)(?:\n[ \t].*)*)", stanza)
        }
        if "deb" not in fields.get("types", []) or fields.get("enabled") == ["no"]:
            continue
        key = fields.get("signed-by", [_KEYRING])[0]
        signed_by = key if key.startswith("/") else _KEYRING
        sources += [
            Source(uri, suite, tuple(fields.get("components", [])), signed_by)
            for uri in fields.get("uris", []) for suite in fields.get("suites", [])
        ]
    return sources


def parse_one_line(text: str) -> list[Source]:
    """The sources of a sources.list file in the one-line style."""
    sources = []
    for line in text.splitlines():
        match = re.match(r"deb\s+(?:\[([^]]*)\]\s+)?(\S+)\s+(\S+)\s+(.*)", line.split("#")[0].strip())
        if match:
            key = re.search(r"signed-by=(/\S+)", match[1] or "")
            signed_by = key[1] if key else _KEYRING
            sources.append(Source(match[2], match[3], tuple(match[4].split()), signed_by))
    return sources


def system_sources(etc: Path, codename: str) -> list[Source]:
    """Debian's own entries for CODENAME in the system's apt configuration."""
    found = []
    for path in [etc / "sources.list", *sorted((etc / "sources.list.d").glob("*"))]:
        if path.is_file() and path.suffix in (".list", ".sources"):
            parse = parse_deb822 if path.suffix == ".sources" else parse_one_line
            found += parse(path.read_text(errors="replace"))
    suites = {codename, f"{codename}-updates", f"{codename}-security"}
    return [source for source in found if source.suite in suites and "main" in source.components]


def codename() -> str:
    """The release this system is, e.g. bookworm."""
    match = re.search(r"(?m)^VERSION_CODENAME=(\w+)", Path("/etc/os-release").read_text())
    return match[1] if match else "bookworm"


def _megabytes(path: Path) -> str:
    return f"{path.stat().st_size / 1e6:.1f} MB" if path.is_file() else ""


def _own_release() -> list[Source]:
    """What this system is installed from, or Debian itself where it does not say."""
    release = codename()
    sources = system_sources(Path("/etc/apt"), release)
    if not any(source.suite == release for source in sources):
        sources.append(Source(_DEBIAN, release, ("main",), _KEYRING))
        sources.append(Source(f"{_DEBIAN}-security", f"{release}-security", ("main",), _KEYRING))
    return sources


def _backports() -> list[Source]:
    """Debian 12's backports: kernels newer than its own whose build programs run here."""
    mirrors = [source.uri for source in system_sources(Path("/etc/apt"), codename())
               if source.suite == codename()]
    return [Source((mirrors or [_DEBIAN])[0], "bookworm-backports", ("main",), _KEYRING)]


@dataclass(frozen=True)
class Archive:
    """Some suites with an apt configuration, package lists and state of their own in FOLDER."""

    title: str
    folder: Path
    sources: Callable[[], list[Source]]

    @property
    def _config(self) -> Path:
        return self.folder / "apt.conf"

    def _write_configuration(self) -> None:
        for folder in ("state/lists/partial", "cache/archives/partial"):
            (self.folder / folder).mkdir(parents=True, exist_ok=True)
        (self.folder / "status").touch()
        (self.folder / "sources.list").write_text(
            "".join(f"{source.line()}\n" for source in self.sources()))
        self._config.write_text(f"""\
#clear APT::Architectures;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Post-Invoke;
APT::Architecture "arm64";
APT::Architectures {{ "arm64"; "amd64"; }};
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Retries "3";
Dir::State "{self.folder}/state";
Dir::State::status "{self.folder}/status";
Dir::Cache "{self.folder}/cache";
Dir::Etc::sourcelist "{self.folder}/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
""")

    def update(self) -> None:
        """Reads the archive's current package lists."""
        with Step(f"reading the package lists of {self.title} for arm64"):
            self._write_configuration()
            run_logged("reading Debian's package lists", ["apt-get", "-c", self._config, "update"],
                       "apt-update.log", timeout=600)

    def _field(self, package: str, name: str) -> str:
        """A field of the archive's record of the current PACKAGE, or nothing."""
        shown = subprocess.run(
            ["apt-cache", "-c", str(self._config), "show", "--no-all-versions", package],
            capture_output=True, text=True, check=False)
        line = re.search(rf"(?m)^{name}: (.*)", shown.stdout)
        return line[1] if line else ""

    def depends(self, package: str, pattern: str) -> str:
        """The dependency of PACKAGE that matches PATTERN, e.g. the kernel a meta-package names."""
        for dependency in re.split(r",\s*|\s*\|\s*", self._field(package, "Depends")):
            name = dependency.split(" ")[0]
            if re.fullmatch(pattern, name):
                return name
        raise Failure(f"{self.title} has no {package} that depends on {pattern}")

    def download(self, package: str) -> Path:
        """Fetches the current PACKAGE (NAME:ARCH) unless it is here already; returns the .deb."""
        name, arch = package.split(":")
        version = self._field(package, "Version")
        if not version:
            raise Failure(f"{self.title} has no package {package}")
        # An interrupted download must not look like a finished one.
        unfinished = _DEBS / "unfinished"
        unfinished.mkdir(parents=True, exist_ok=True)
        # Packages for every architecture carry "all" where others carry theirs.
        file_arch = self._field(package, "Architecture")
        deb = _DEBS / f"{name}_{version.replace(':', '%3a')}_{file_arch}.deb"
        if not deb.is_file():
            with Step(f"downloading {name} {version} ({arch})") as step:
                step.detail = lambda: _megabytes(deb if deb.is_file() else unfinished / deb.name)
                run_logged(f"downloading {package}",
                           ["apt-get", "-c", self._config, "download", f"{package}={version}"],
                           f"download-{name}.log", cwd=unfinished, timeout=1800)
                if not (unfinished / deb.name).is_file():
                    raise Failure(f"apt-get downloaded {package}, but not as {deb.name}")
                (unfinished / deb.name).rename(deb)
        return deb


OWN_RELEASE = Archive("Debian's archive", CACHE / "apt", _own_release)
BACKPORTS = Archive("Debian's backports", CACHE / "apt-backports", _backports)


def unpack(deb: Path, tree: Path) -> None:
    """Lays the files of DEB into the folder TREE. Nothing is installed."""
    tree.mkdir(parents=True, exist_ok=True)
    run_logged(f"unpacking {deb.name}", ["dpkg-deb", "-x", deb, tree], "unpack.log", timeout=600)
