"""Run this machine's apt for another release and architecture of Debian, with a package state of its own."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from mnist_edge_runtime import InputError

__all__ = ["call", "options", "sources"]

_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_LIMIT = 600  # seconds


def options(folder: Path, architecture: str) -> list[str]:
    """Return the options with which apt works in `folder` alone, on a system without packages, and without root rights.

    It reads `sources/debian.sources` and keeps the packages that it fetches in `archives`.
    """
    for name in ("state/lists/partial", "archives/partial", "sources"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "status").write_text("")
    values = {
        "Dir::State": folder / "state",
        "Dir::State::status": folder / "status",
        "Dir::Cache": folder,
        "Dir::Etc::sourcelist": "/dev/null",
        "Dir::Etc::sourceparts": folder / "sources",
        "Dir::Etc::preferences": "/dev/null",
        "Dir::Etc::preferencesparts": "/dev/null",
        "APT::Architecture": architecture,
        "APT::Architectures": architecture,
        "APT::Install-Recommends": "false",
        "APT::Sandbox::User": "",  # another user could not write here
        "APT::Update::Post-Invoke": "",
        "APT::Update::Error-Mode": "any",  # by default a source that is not reached is a warning
        "Acquire::Languages": "none",
        "Acquire::Retries": "2",
    }
    return ["-qq", *(part for name, value in values.items() for part in ("-o", f"{name}={value}"))]


def sources(release: str, *, security: bool) -> str:
    """Return this machine's sources of Debian, with `release` in place of the one that it runs.

    Raises:
        InputError: there is no apt, or it has no source of Debian packages.
    """
    listing = ["apt-get", "--no-release-info", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)"]
    rows = [row.split() for row in call([*listing, "Created-By: Packages"], "apt's list of sources").splitlines()]
    names = {_codename(), "stable", "oldstable"}
    signed = f"Signed-By: {_KEYRING}\n" if _KEYRING.exists() else ""
    suffixes = ("", "-security") if security else ("",)
    entries = {
        (uri, f"{release}{suffix}")
        for uri, suite, component in (row for row in rows if len(row) == 3)
        for suffix in suffixes
        if component == "main" and suite in {f"{name}{suffix}" for name in names}
    }
    if not entries:
        raise InputError("apt has no source of Debian packages here (deb ... main); take a machine with Debian")
    return "\n".join(
        f"Types: deb\nURIs: {uri}\nSuites: {suite}\nComponents: main\n{signed}" for uri, suite in sorted(entries)
    )


def _codename() -> str:
    """Return the name of the release that this machine runs."""
    found = re.search(r"VERSION_CODENAME=(\w+)", Path("/etc/os-release").read_text(encoding="utf-8"))
    return found[1] if found else "stable"


def call(
    command: Sequence[str], what: str, folder: Path | None = None, environment: Mapping[str, str] | None = None
) -> str:
    """Run a tool that fetches packages and return its output.

    Raises:
        InputError: it is not installed, failed or did not end in time, so `what` is not available.
    """
    try:
        result = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=True, timeout=_LIMIT
        )
    except FileNotFoundError:
        raise InputError(
            f"{what} is not available: {command[0]} is not installed; take a machine with Debian"
        ) from None
    except subprocess.TimeoutExpired:
        raise InputError(f"{what} is not available: {command[0]} did not end within {_LIMIT} seconds") from None
    except subprocess.CalledProcessError as error:
        said = [line for line in error.stderr.splitlines() if line.startswith(("E:", "ERROR:", "/"))]
        reason = said[0].removeprefix("E: ") if said else f"exit code {error.returncode}"
        raise InputError(f"{what} is not available: {reason}") from None
    return result.stdout
