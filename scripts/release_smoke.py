"""Use an installed distribution once, as the person who installed it does; run by the Python that has it.

It needs nothing but that Python and what is installed there, from the runtime's oldest Python on.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent))  # which an isolated Python leaves out

from service_smoke import smoke

__all__ = ["main"]

SECONDS = 600  # for one command
RUNTIME, WORKSTATION = "mnist-edge-runtime", "mnist-edge"


def main(distribution: str, expected: str) -> None:
    """Use the distribution, whose version is `expected`; raise if anything is not as it should be."""
    is_ours = Path(__import__("mnist_edge_runtime").__file__).resolve().is_relative_to(Path(sys.prefix).resolve())
    _check(is_ours, "mnist_edge_runtime is not the one that is installed here")
    version = _run(distribution, "--version").strip()
    _check(version == f"{distribution} {expected}", f"--version says {version!r}")
    {RUNTIME: _use_runtime, WORKSTATION: _use_workstation}[distribution]()


def _use_runtime() -> None:
    passed = _run(RUNTIME, "selftest")
    _check(passed.startswith("passed:"), f"the self-test says {passed!r}")
    picture, label = _golden_picture()
    (row,) = csv.DictReader(_run(RUNTIME, "classify", "--csv", str(picture)).splitlines())
    _check(row["label"] == label, f"a {label} is classified as {row['label']!r}")
    from mnist_edge_runtime import Classifier

    with Classifier.load() as classifier:
        answer = classifier.classify(str(picture)).label
    _check(answer == label, f"a {label} is classified as {answer!r} by Classifier")
    smoke(sys.executable)


def _golden_picture() -> tuple[Path, str]:
    """Write the picture that the bundled model's self-test draws; return it with the right answer."""
    from mnist_edge_runtime import models
    from mnist_edge_runtime.model_file import sealed_model
    from mnist_edge_runtime.preprocessing.mnist import to_picture

    golden = sealed_model.read(models.bundled_models()[0]).golden
    drawn = to_picture(golden.images[golden.picture])
    file = Path("digit.pgm").resolve()
    file.write_bytes(f"P5 {drawn.shape[1]} {drawn.shape[0]} 255\n".encode() + drawn.tobytes())
    return file, str(golden.predicted[golden.picture])


def _use_workstation() -> None:
    _check("train" in _run(WORKSTATION, "--help"), "--help names no command train")
    _run(WORKSTATION, "train", "--data", "digits", "--epochs", "5")
    exported = json.loads(_run(WORKSTATION, "export", "--json"))
    files = sorted(Path("runs/classic/exports").glob("*.tflite"))
    _check(len(files) == 1, f"export wrote {[file.name for file in files]}: {exported}")
    _run(WORKSTATION, "verify", str(files[0]))
    picture, _ = _golden_picture()
    _run(WORKSTATION, "classify", "--run", "classic", str(picture))


def _script(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def _run(name: str, *arguments: str) -> str:
    """Return what a command prints, which must end with exit code 0."""
    command = [_script(name), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
    shown = " ".join([name, *arguments])
    _check(done.returncode == 0, f"{shown} ended with {done.returncode}: {done.stderr[-2000:]}{done.stdout[-500:]}")
    return done.stdout


def _check(is_true: bool, otherwise: str) -> None:
    if not is_true:
        raise SystemExit(otherwise)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="mnist-edge-smoke-") as folder:
        os.chdir(folder)
        os.environ["HOME"] = folder
        main(*sys.argv[1:])
        os.chdir("/")
