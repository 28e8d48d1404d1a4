"""Build both distributions from a clean copy of the last commit, and prove that they install and work.

The runtime is installed and used on each Python that it supports, the workstation on the newest, each in a new virtual
environment, with the newest libraries that pip finds; a Python that is not here is skipped with the reason.
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
from release_contents import RUNTIME, WORKSTATION, Built, ReleaseError

__all__ = ["build", "find_python", "main"]

ROOT = Path(__file__).resolve().parent.parent
PROJECTS = {RUNTIME: "runtime", WORKSTATION: "."}  # folders of the repository
RUNTIME_PYTHONS = ("3.10", "3.11", "3.12", "3.13")
WORKSTATION_PYTHON = "3.13"
EXTRAS = "image,litert,serve"
LEFT_OUT = ("PIP_CONSTRAINT", "PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV")  # of the environment of what is installed


@dataclass(frozen=True)
class Python:
    """An interpreter, or the reason for which there is none of a version."""

    version: str
    path: str | None
    reason: str = ""


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
        built.append(Built(name, made["dist", ".gz"], made["dist", ".whl"], made["tree", ".whl"]))
    return tuple(built)


def _install_and_use(python: Python, name: str, packages: Sequence[str], version: str, work: Path) -> str:
    """Install packages into a new virtual environment and use the distribution `name`; return what was done."""
    start = time.monotonic()
    environment = {key: value for key, value in os.environ.items() if key not in LEFT_OUT}
    with tempfile.TemporaryDirectory(prefix="venv-", dir=work) as folder:
        assert python.path
        _run([python.path, "-m", "venv", folder], environment)
        own = f"{folder}/bin/python"
        pip = [own, "-m", "pip", "--disable-pip-version-check"]
        _run([*pip, "install", "--quiet", *packages], environment)
        installed = time.monotonic()
        _run([*pip, "check"], environment)
        _run([own, "-I", str(Path(__file__).with_name("release_smoke.py")), name, version], environment)
    seconds = f"installed in {installed - start:.0f} s, used in {time.monotonic() - installed:.0f} s"
    return f"{name} on Python {python.version}, {' and '.join(Path(each).name for each in packages)}: {seconds}"


def _run(command: Sequence[str], environment: dict[str, str]) -> None:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ReleaseError(
            f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout[-1000:]}{done.stderr[-3000:]}"
        )


def _trials(
    runtime: Built, workstation: Built, pythons: Sequence[Python], newest: Python
) -> Iterator[tuple[object, ...]]:
    """Yield the Python, the distribution and the packages of each trial: the sdist on the oldest, else wheels."""
    present = [python for python in pythons if python.path]
    for python in present:
        file = runtime.sdist if python is present[0] and len(present) > 1 else runtime.wheel
        yield python, RUNTIME, [f"{file}[{EXTRAS}]"]
    if newest.path:
        yield newest, WORKSTATION, [str(runtime.wheel), str(workstation.wheel)]


def main(arguments: argparse.Namespace) -> None:
    """Check a release; raise ReleaseError where it is not fit."""
    changed = subprocess.run(["git", "status", "--porcelain"], cwd=ROOT, check=True, capture_output=True, text=True)
    if changed.stdout:
        print(
            f"not in what is checked: {len(changed.stdout.splitlines())} files that are not committed", file=sys.stderr
        )
    with tempfile.TemporaryDirectory(prefix="mnist-edge-release-") as folder:
        work = Path(folder)
        runtime, workstation = built = build(work)
        version = release_contents.check(built, arguments.tag)
        for each in built:
            print(f"{each.sdist.name} and {each.wheel.name}: as they should be", flush=True)
        if arguments.out:
            arguments.out.mkdir(parents=True, exist_ok=True)
            for file in (file for each in built for file in (each.sdist, each.wheel)):
                shutil.copy2(file, arguments.out)
        if arguments.build_only:
            return
        pythons = [find_python(each) for each in RUNTIME_PYTHONS]
        newest = find_python(WORKSTATION_PYTHON)
        if arguments.quick:
            present = [python for python in pythons if python.path]
            pythons = [*present[:1], *present[1:][-1:]]
        for python in pythons:
            if not python.path:
                print(f"{RUNTIME} on Python {python.version}: skipped: {python.reason}", flush=True)
        if not newest.path:
            print(f"{WORKSTATION} on Python {newest.version}: skipped: {newest.reason}", flush=True)
        for python, name, packages in _trials(runtime, workstation, pythons, newest):
            print(_install_and_use(python, name, packages, version, work), flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tag", help="Tag of the release, which must be v and the version.")
    parser.add_argument("--out", type=Path, metavar="DIR", help="Folder for the files that can be published.")
    parser.add_argument(
        "--build-only", action="store_true", help="Build and look at the files, without installing them."
    )
    parser.add_argument(
        "--quick", action="store_true", help="Take only the oldest and the newest Python for the runtime."
    )
    return parser.parse_args()


if __name__ == "__main__":
    try:
        main(_arguments())
    except ReleaseError as failure:
        sys.exit(f"error: {failure}")
