"""Diagnose the engines of this machine, and name the command that fixes each that fails.

Each engine runs the self-test of a model file in a child process, where a crash is a finding.
"""

from __future__ import annotations

import json
import re
import signal
from dataclasses import asdict, dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .. import models
from ..child_process import run_code, run_module
from ..engines.availability import alternative, can_be_installed, missing
from ..engines.registry import ENGINES
from ..errors import EngineError, VerificationError
from ..host import Host
from ..model_file import sealed_model
from ..preprocessing.pillow_decoder import PILLOW
from ..time_limit import ENDLESS, SECONDS

__all__ = ["DoctorReport", "Finding", "SelfTestOutcome", "diagnose", "examine", "run"]

_SECONDS = SECONDS + 60  # for a self-test, which ends itself before
_ONNX = "onnxruntime"


@dataclass(frozen=True)
class SelfTestOutcome:
    """How the self-test on one engine ended: exit code (negative: a signal; None: not in time) and last words."""

    code: int | None
    message: str


@dataclass(frozen=True)
class Finding:
    """What was found of one engine; `wrong` and `fix` (a command, or what to do) are None where it works.

    `fix` is None as well where the engine cannot be had and nothing is lost by it: another one here runs its files.
    `note` is what a person should know of an engine that works here.
    """

    engine: str
    distribution: str
    version: str | None
    works: bool
    wrong: str | None = None
    fix: str | None = None
    note: str | None = None


@dataclass(frozen=True)
class DoctorReport:
    """The findings of `doctor`."""

    host: Host
    model: str | None
    engines: tuple[Finding, ...]
    pictures: Finding

    @property
    def works(self) -> bool:
        """Whether anything here runs the model file, or a model file at all where none was named."""
        wanted = Path(self.model).suffix[1:].lower() if self.model else None
        return any(found.works and wanted in (None, ENGINES[found.engine].format) for found in self.engines)

    def to_dict(self) -> dict[str, Any]:
        """Return what `doctor --json` prints."""
        return {**asdict(self), "works": self.works}


# By whether the usual kernels saturate, as the child prints it.
_INT8_KERNELS = {
    "True": "int8 files run on slower kernels: without VNNI this processor's usual ones overflow and answer wrongly",
    "False": "int8 files run on the usual kernels, which are exact on this processor, as with VNNI",
}
_PACKAGES = {"libstdc++": "libstdc++6", "libgomp": "libgomp1", "libatomic": "libatomic1", "libopenblas": "libopenblas0"}


def examine(model: Path | None = None) -> DoctorReport:
    """Run the self-test of `model`, where it is of an engine's format, or else of the model that ships, on each engine.

    Raises:
        InputError: the file cannot be read.
        ModelError: it is damaged.
    """
    contract = sealed_model.read(model).contract if model else None
    host = Host.here()
    findings = []
    for name, row in ENGINES.items():
        fits = contract and contract.format == row.format
        file = model if fits else next(iter(models.bundled_models(name)), None)
        installed = _installed(row.distribution, row.library)
        if installed and file is None:
            wrong = f"no {row.format} file ships with this package to try it on"
            findings.append(Finding(name, row.distribution, installed, False, wrong, "mnist-edge-runtime doctor MODEL"))
        else:
            outcome = run(name, file) if installed and file else None
            found = diagnose(name, installed, outcome, host)
            findings.append(replace(found, note=_int8_kernels(host)) if found.works and name == _ONNX else found)
    runs = {ENGINES[found.engine].format for found in findings if found.works}
    engines = tuple(replace(found, fix=None) if _is_no_loss(found, runs, host) else found for found in findings)
    return DoctorReport(host, str(model) if model else None, engines, _pictures(host))


def _is_no_loss(found: Finding, runs: set[str], host: Host) -> bool:
    """Return whether an engine that is not there cannot be had, while another runs its format, one of `runs`."""
    return found.version is None and ENGINES[found.engine].format in runs and not can_be_installed(found.engine, host)


def run(engine: str, file: Path) -> SelfTestOutcome:
    """Run the self-test of `file` on one engine in a child process."""
    found = run_module("mnist_edge_runtime", "selftest", "--engine", engine, "--json", str(file), seconds=_SECONDS)
    if found.code == VerificationError.exit_code and not found.stdout:
        return SelfTestOutcome(None, found.reason)  # it reached its limit of time
    if found.code == VerificationError.exit_code:
        return SelfTestOutcome(found.code, "; ".join(json.loads(found.stdout)["failures"]))
    message = found.reason.removeprefix(f"{file}: ")
    if found.code == EngineError.exit_code:
        # Where the library cannot even be imported, its own message is the reason.
        imported = run_code(f"import {ENGINES[engine].library}", seconds=_SECONDS)
        if imported.code:
            message = (imported.stderr.strip().splitlines() or [message])[-1]
    return SelfTestOutcome(found.code, message)


def diagnose(engine: str, installed: str | None, outcome: SelfTestOutcome | None, host: Host) -> Finding:
    """Return what an outcome means on a host.

    Args:
        engine: its name.
        installed: the version of its distribution, None where it is not installed.
        outcome: how the self-test ended on it, None where it is not installed.
        host: where.
    """
    row = ENGINES[engine]
    if installed is None or outcome is None:
        wrong, fix = missing(engine, host)
    elif outcome.code == 0:
        return Finding(engine, row.distribution, installed, works=True)
    else:
        wrong, fix = _broken(engine, outcome, host)
    return Finding(engine, row.distribution, installed, works=False, wrong=wrong, fix=fix)


def _broken(engine: str, outcome: SelfTestOutcome, host: Host) -> tuple[str, str]:
    distribution, said = ENGINES[engine].distribution, outcome.message
    again = host.pip("install", "--force-reinstall", "--no-deps", distribution)
    if outcome.code is None:
        own = "  # if the file of this package does not end either (mnist-edge-runtime doctor)"
        return f"its self-test did not end within {SECONDS:g} seconds: {ENDLESS}", again + own
    if outcome.code < 0:
        number = signal.Signals(-outcome.code)
        if number == signal.SIGILL:
            built = f"it was built for newer processors than this {host.architecture}"
            # As long as it is there it is tried first, and takes the process with it.
            away = host.pip("uninstall", "-y", distribution)
            return f"it ends on an illegal instruction (SIGILL): {built}", f"{away} && {alternative(engine, host)}"
        return f"it crashes ({number.name})", again
    numpy = int(host.numpy.split(".")[0])
    if "numpy" in said.lower() or (engine == "tflite-runtime" and numpy >= 2):
        if numpy >= 2:
            return f"it was built for numpy 1 and fails with numpy {host.numpy}", host.pip("install", "numpy<2")
        return f"it was built for a newer numpy than {host.numpy}: {said}", host.pip("install", "--upgrade", "numpy")
    if found := re.search(r"(lib[\w+-]+)\.so[.\d]*: cannot open shared object", said):
        package = _PACKAGES.get(found[1])
        other = f"install the system's package that holds {found[1]}.so"
        return f"a library of the system is missing: {said}", f"sudo apt-get install {package}" if package else other
    if (found := re.search(r"No module named '(\w+)", said)) and found[1] not in ENGINES[engine].library:
        # Not by the module's name: the package may have another, and a stranger may own that one.
        again = host.pip("install", "--force-reinstall", *ENGINES[engine].requirements)
        return f"a package that it needs is missing: {said}", again
    if re.search(r"version .(GLIBC|GLIBCXX|CXXABI)_[\d.]+' not found", said):
        return f"it was built for a newer system than this: {said}", alternative(engine, host)
    if "the file is not for" in said:
        return said, f"mnist-edge export --target-runtime {engine}"
    if outcome.code == 5:
        return f"it runs, and answers otherwise than it should: {said}", again
    return f"it is installed, and fails: {said}", again


def _int8_kernels(host: Host) -> str | None:
    """Return which kernels onnxruntime takes for int8 files on x86; None elsewhere, where it has but one kind."""
    if host.architecture not in ("x86_64", "AMD64"):
        return None
    # In a child, as all that loads an engine.
    code = "from mnist_edge_runtime.engines import onnxruntime; print(onnxruntime.saturates())"
    return _INT8_KERNELS.get(run_code(code, seconds=_SECONDS).stdout.strip())


def _pictures(host: Host) -> Finding:
    installed = _installed("Pillow", "PIL")
    if installed:
        return Finding("pictures", "Pillow", installed, works=True)
    return Finding(
        *("pictures", "Pillow", None),
        works=False,
        wrong="pictures other than PGM and .npy cannot be read without it",
        fix=host.pip("install", PILLOW),
    )


def _installed(distribution: str, module: str) -> str | None:
    """Return the version of a distribution, None where it is not installed."""
    try:
        return version(distribution)
    except PackageNotFoundError:  # some systems' own packages do not tell their version
        return "of unknown version" if find_spec(module.partition(".")[0]) else None
