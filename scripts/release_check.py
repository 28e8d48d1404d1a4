"""Build both distributions from a clean copy of the last commit, and prove that they install and work.

The runtime's wheel and sdist are installed and used on each Python that it supports, the workstation's sdist on its
oldest and its wheel on its newest, each Python in a new virtual environment, with the newest libraries that pip finds.
A Python that is not here is skipped with the reason, unless it was asked for.
"""

from __future__ import annotations

import argparse
import glob
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import release_contents
import wheel_sbom
from release_contents import RUNTIME, WORKSTATION, Built, ReleaseError

__all__ = ["TRIALS", "Trial", "build", "chosen", "find_python", "main", "packages"]

ROOT = Path(__file__).resolve().parent.parent
PROJECTS = {RUNTIME: "runtime", WORKSTATION: "."}  # folders of the repository
EXTRAS = "image,litert,serve"
LEFT_OUT = ("PIP_CONSTRAINT", "PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV")  # of the environment of what is installed


@dataclass(frozen=True)
class Python:
    """An interpreter, or the reason for which there is none of a version."""

    version: str
    path: str | None
    reason: str = ""


@dataclass(frozen=True)
class Trial:
    """A distribution that is installed and used on a Python.

    Attributes:
        distribution: its name.
        version: of the Python.
        kinds: fields of `Built`, installed one after the other in the same environment, and each used.
    """

    distribution: str
    version: str
    kinds: tuple[str, ...]


TRIALS = (
    *(Trial(RUNTIME, version, ("wheel", "sdist")) for version in ("3.10", "3.11", "3.12", "3.13")),
    Trial(WORKSTATION, "3.11", ("sdist",)),
    Trial(WORKSTATION, "3.13", ("wheel",)),
)


def find_python(version: str) -> Python:
    """Return a Python of a version, such as 3.12, that can make virtual environments: on PATH, else in pyenv."""
    folder = os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv")
    found = [shutil.which(f"python{version}"), *sorted(glob.glob(f"{folder}/versions/{version}.*/bin/python{version}"))]
    code = "import ensurepip, sys, venv; print('%d.%d' % sys.version_info[:2])"
    reasons = []
    for path in filter(None, found):
        try:
            done = subprocess.run([path, "-c", code], capture_output=True, text=True, check=False, timeout=60)
        except (OSError, subprocess.TimeoutExpired) as error:
            reasons.append(f"{path}: {error}")
            continue
        if done.returncode == 0 and done.stdout.strip() == version:
            return Python(version, path)
        reasons.append(f"{path}: {(done.stderr.strip() or done.stdout.strip()).splitlines()[-1:] or 'no output'}")
    return Python(version, None, "; ".join(reasons) or f"no python{version} on PATH, none in {folder}/versions")


def build(work: Path) -> tuple[Built, ...]:
    """Build the sdist and the wheel of both projects, that wheel from the sdist, and one more from the tree.

    Args:
        work: an empty folder; `dist` in it is what can be published.
    """
    clone = work / "clone"
    archive = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, check=True, capture_output=True).stdout
    clone.mkdir()
    subprocess.run(["tar", "-x", "-C", str(clone)], input=archive, check=True)
    when = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=ROOT, check=True, capture_output=True, text=True)
    environment = {**os.environ, "SOURCE_DATE_EPOCH": when.stdout.strip()}  # the same commit gives the same bytes
    built = []
    for name, folder in PROJECTS.items():
        made = {}
        for kind, options in {"dist": (), "tree": ("--wheel",)}.items():
            out = work / kind / name
            command = [sys.executable, "-m", "build", "--no-isolation", *options, "--outdir", str(out)]
            _run([*command, str(clone / folder)], environment)
            made.update({(kind, file.suffix): file for file in out.iterdir()})
            wheel_sbom.add(made[kind, ".whl"])
        built.append(Built(name, made["dist", ".gz"], made["dist", ".whl"], made["tree", ".whl"]))
    return tuple(built)


def chosen(distribution: str | None, version: str | None) -> list[tuple[Trial, Python]]:
    """Return the trials of a distribution on a Python, or of each where it is None, and the interpreter of each.

    Raises:
        ReleaseError: there is no such trial, or a Python that was asked for is not here.
    """
    trials = [each for each in TRIALS if distribution in (None, each.distribution) and version in (None, each.version)]
    if not trials:
        raise ReleaseError(f"{distribution or 'no distribution'} is not tried on Python {version}, see TRIALS")
    found = [(trial, find_python(trial.version)) for trial in trials]
    for _, python in found:
        if version and not python.path:
            raise ReleaseError(f"there is no Python {version}: {python.reason}; install it, or ask for no version")
    return found


def packages(trial: Trial, kind: str, runtime: Built, workstation: Built) -> list[str]:
    """Return what pip is to install for a kind of file: the runtime with its extras, or the workstation with both."""
    own = str(getattr(runtime, kind))
    return [f"{own}[{EXTRAS}]"] if trial.distribution == RUNTIME else [own, str(getattr(workstation, kind))]


def _try(trial: Trial, python: Python, built: Sequence[Built], version: str, work: Path) -> Iterator[str]:
    """Install each kind of a trial's files into one new virtual environment and use it; yield what was done."""
    environment = {key: value for key, value in os.environ.items() if key not in LEFT_OUT}
    with tempfile.TemporaryDirectory(prefix="venv-", dir=work) as folder:
        assert python.path
        _run([python.path, "-m", "venv", folder], environment)
        own = f"{folder}/bin/python"
        pip = [own, "-m", "pip", "--disable-pip-version-check"]
        again: tuple[str, ...] = ()
        for kind in trial.kinds:
            start = time.monotonic()
            files = packages(trial, kind, *built)
            _run([*pip, "install", "--quiet", *again, *files], environment)
            installed = time.monotonic()
            _run([*pip, "check"], environment)
            smoke = str(Path(__file__).with_name("release_smoke.py"))
            _run([own, "-I", smoke, trial.distribution, version], environment)
            seconds = f"installed in {installed - start:.0f} s, used in {time.monotonic() - installed:.0f} s"
            names = " and ".join(Path(each).name for each in files)
            yield f"{trial.distribution} on Python {python.version}, {names}: {seconds}"
            again = ("--force-reinstall", "--no-deps")  # the libraries stay, what was installed before goes


def _run(command: Sequence[str], environment: dict[str, str]) -> None:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ReleaseError(
            f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout[-1000:]}{done.stderr[-3000:]}"
        )


def main(arguments: argparse.Namespace) -> None:
    """Check a release; raise ReleaseError where it is not fit."""
    trials = chosen(arguments.distribution, arguments.python)
    changed = subprocess.run(["git", "status", "--porcelain"], cwd=ROOT, check=True, capture_output=True, text=True)
    if changed.stdout:
        print(
            f"not in what is checked: {len(changed.stdout.splitlines())} files that are not committed", file=sys.stderr
        )
    with tempfile.TemporaryDirectory(prefix="mnist-edge-release-") as folder:
        work = Path(folder)
        built = build(work)
        version = release_contents.check(built, arguments.tag)
        for each in built:
            print(f"{each.sdist.name} and {each.wheel.name}: as they should be", flush=True)
        if arguments.out:
            arguments.out.mkdir(parents=True, exist_ok=True)
            for file in (file for each in built for file in (each.sdist, each.wheel)):
                shutil.copy2(file, arguments.out)
        if arguments.build_only:
            return
        for trial, python in trials:
            if python.path:
                for line in _try(trial, python, built, version, work):
                    print(line, flush=True)
            else:
                print(f"{trial.distribution} on Python {python.version}: skipped: {python.reason}", flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tag", help="Tag of the release, which must be v and the version.")
    parser.add_argument("--out", type=Path, metavar="DIR", help="Folder for the files that can be published.")
    parser.add_argument(
        "--build-only", action="store_true", help="Build and look at the files, without installing them."
    )
    parser.add_argument(
        "--distribution", choices=tuple(PROJECTS), help="Install and use this one alone, by default both."
    )
    parser.add_argument("--python", metavar="VERSION", help="Try this Python alone, such as 3.12; it must be here.")
    return parser.parse_args()


if __name__ == "__main__":
    try:
        main(_arguments())
    except ReleaseError as failure:
        sys.exit(f"error: {failure}")
