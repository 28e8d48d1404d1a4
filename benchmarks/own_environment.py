"""Make a virtual environment of a benchmark's own, with packages from the package index, once."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

__all__ = ["make", "versions"]

ROOT = Path(__file__).resolve().parent.parent
CONSTRAINTS = ROOT / ".ci" / "constraints.txt"


def make(folder: Path, packages: Sequence[str], alone: Sequence[str] = ()) -> Path:
    """Return the interpreter of the environment `folder`, made where it is not there yet or has other packages.

    Args:
        folder: where it lies.
        packages: what pip installs, within the constraints of the project.
        alone: what it installs without that which these ask for.
    """
    python, record = folder / "bin" / "python", folder / "packages.txt"
    wanted = "\n".join([*packages, "alone:", *alone])
    if record.is_file() and record.read_text(encoding="utf-8") == wanted:
        return python
    shutil.rmtree(folder, ignore_errors=True)
    print(f"installing {', '.join([*packages, *alone])} into {folder}", file=sys.stderr, flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--only-binary", ":all:"]
    subprocess.run([*pip, "--constraint", str(CONSTRAINTS), *packages], check=True)
    if alone:
        subprocess.run([*pip, "--no-deps", *alone], check=True)
    record.write_text(wanted, encoding="utf-8")  # last, so that an interrupted installation is repeated
    return python


def versions(python: Path, packages: Sequence[str]) -> str:
    """Return the names and versions of installed packages, as a sentence lists them."""
    code = "import importlib.metadata as m, sys; print(', '.join(f'{n} {m.version(n)}' for n in sys.argv[1:]))"
    names = [package.partition("<")[0].partition("=")[0] for package in packages]
    result = subprocess.run([python, "-c", code, *names], capture_output=True, text=True, check=True)
    return result.stdout.strip()
