"""Build a static program of an int8 TFLite file for boards without an engine, in C, with ziglang's compiler."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from mnist_edge_runtime import Contract, InputError, ModelError, UsageError, VerificationError
from mnist_edge_runtime.command_line import tell
from mnist_edge_runtime.files import atomic_path
from mnist_edge_runtime.host import install_extra
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_runtime.model_file.sealed_model import SealedModel

from ..c_source import project
from ..integer import tflite_reader
from ..integer.evaluate import evaluate

__all__ = ["PROCESSORS", "StaticProgram", "build", "processor"]

_PARTS = files("mnist_edge_exporters.bundle") / "program"
_NAME = "network"
_OPTIONS = (
    *("-std=c99", "-Os", "-s", "-static", "-Werror", "-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections"),
    *("-fno-asynchronous-unwind-tables", "-fno-unwind-tables", "-fno-stack-protector"),
)
_SECONDS = 600  # to compile; the first time zig makes its C library
# Options of zig, by the processor as Debian names it; armv6 is that of the Pi Zero and the first Pi.
PROCESSORS: Mapping[str, tuple[str, ...]] = {
    "arm64": ("-target", "aarch64-linux-musl"),
    "armhf": ("-target", "arm-linux-musleabihf", "-mcpu=generic+v7a+vfp3d16"),
    "armv6": ("-target", "arm-linux-musleabihf", "-mcpu=arm1176jzf_s"),
    "amd64": ("-target", "x86_64-linux-musl"),
}


@dataclass(frozen=True)
class StaticProgram:
    """A program that was written: its path, its processor, its size and SHA-256, and the model's name."""

    file: Path
    processor: str
    bytes: int
    sha256: str
    model: str

    def to_dict(self) -> dict[str, Any]:
        """Return the output of `bundle --json`."""
        about = {"target": self.processor, "engine": "c", "model": self.model}
        return {"file": str(self.file), "bytes": self.bytes, "sha256": self.sha256, **about}

    def text(self) -> str:
        """Return the same for a person to read, with the next step."""
        return (
            f"{self.file}: {self.model} as a program for {self.processor} with any Linux, {self.bytes / 1e3:.0f} KB\n"
            f"on the device: ./{self.file.name} --selftest && ./{self.file.name} picture.pgm"
        )


def processor(target: str) -> str:
    """Return the processor of a target: its name, or that behind a release, such as trixie-armhf.

    Raises:
        UsageError: there is none.
    """
    found = target.rpartition("-")[2]
    if found not in PROCESSORS:
        raise UsageError(f"--target {target} is unknown for --engine c; choose from {', '.join(PROCESSORS)}")
    return found


def build(model: Path, target: str, out: Path | None = None) -> StaticProgram:
    """Write the program of a model.

    Args:
        model: an exported int8 TFLite file with uint8 images and logits.
        target: a key of `PROCESSORS`, perhaps behind the name of a release.
        out: the file to write, by default MODEL-PROCESSOR in the working folder.

    Raises:
        UsageError: the target is unknown.
        InputError: a file cannot be read or written, or there is no compiler.
        ModelError: no C can be made of the model.
        VerificationError: the program does not compile.
    """
    name = processor(target)
    sealed = sealed_model.read(model)
    contract = sealed.contract
    if (contract.format, contract.quantization, contract.input.dtype, contract.output.dtype) != (
        *("tflite", "int8"),
        *("uint8", "uint8"),
    ):
        raise ModelError(f"{model}: --engine c takes int8 TFLite files with uint8 images and logits; export one")
    if find_spec("ziglang") is None:
        raise InputError(f"--engine c needs the compiler ziglang, {install_extra('c')}")
    out = out or Path(f"{model.stem}-{name}")
    if not out.parent.is_dir() or out.is_dir():
        raise InputError(f"--out {out}: name a file in a folder that is there")
    texts = _sources(model, sealed)
    tell(f"compiling {model.name} for {name}")
    data = _compiled(texts, PROCESSORS[name])
    try:
        with atomic_path(out) as temporary:
            temporary.write_bytes(data)
            temporary.chmod(0o755)
    except OSError as error:
        raise InputError(f"--out {out}: {error.strerror or error}") from None
    return StaticProgram(out, name, len(data), hashlib.sha256(data).hexdigest(), model.name)


def _sources(model: Path, sealed: SealedModel) -> dict[str, str]:
    """Return the files of the program, by name; its golden logits are those of the integer network."""
    origin = {
        "file": model.name,
        "sha256": hashlib.sha256(model.read_bytes()).hexdigest(),
        "version": version("mnist-edge"),
        "images": len(sealed.golden.images),
    }
    try:
        network = tflite_reader.read(sealed.payload)
        made = project.make(sealed, network, _NAME, "litert", origin)
    except ModelError as error:
        raise ModelError(f"{model}: no C can be made of it: {error}") from None
    images = sealed.golden.images
    raw = np.asarray(evaluate(network, images[..., np.newaxis]), np.int64)
    if (found := np.array(sealed.contract.labels)[raw.argmax(axis=1)]).tolist() != list(sealed.golden.predicted):
        wrong = int(np.count_nonzero(found != np.array(sealed.golden.predicted)))
        raise VerificationError(f"{model}: {wrong} golden images get another class than the file was sealed with")
    texts = {Path(path).name: text for path, text in made.files.items() if path.startswith("src/")}
    texts |= {
        part.name: part.read_text(encoding="utf-8") for part in _PARTS.iterdir() if part.name[-2:] in (".c", ".h")
    }
    texts["contract.h"] = _contract(model, sealed.contract, origin)
    return texts


def _contract(model: Path, contract: Contract, origin: Mapping[str, Any]) -> str:
    """Return the header with what is the model's own."""
    output = contract.output
    labels = ", ".join(_literal(json.dumps(label)) for label in contract.labels)
    return "\n".join(
        [
            f"#define LABELS {{{labels}}}",
            f"#define SCALE {output.scale!r}",
            f"#define TEMPERATURE {output.temperature!r}",
            f"#define SOFT_TEMPERATURE {output.temperature * output.softening!r}",
            f"#define THRESHOLD {float(output.threshold or 0)!r}",
            f"#define MODEL {_literal(json.dumps(model.name)[1:-1])}",
            f'#define MODEL_SHA256 "{origin["sha256"]}"',
            f'#define VERSION "{origin["version"]}"',
            "",
        ]
    )


def _literal(text: str) -> str:
    """Return a C string literal of ASCII text; none is part of a format, so that a % stays one."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("?", "\\?")
    return f'"{escaped}"'


def _compiled(texts: Mapping[str, str], options: tuple[str, ...]) -> bytes:
    with tempfile.TemporaryDirectory(prefix="mnist-edge-") as name:
        folder = Path(name)
        for file, text in texts.items():
            (folder / file).write_text(text, encoding="utf-8", newline="\n")
        sources = sorted(file for file in texts if file.endswith(".c"))
        command = [sys.executable, "-m", "ziglang", "cc", *options, *_OPTIONS, "-o", "program", *sources, "-lm"]
        try:
            run = subprocess.run(
                command, cwd=folder, capture_output=True, text=True, errors="replace", timeout=_SECONDS, env=os.environ
            )
        except subprocess.TimeoutExpired:
            late = f"the program did not compile within {_SECONDS} seconds; repeat the command, zig keeps what it made"
            raise VerificationError(late) from None
        if run.returncode:
            reason = next((line for line in run.stderr.splitlines() if "error" in line), run.stderr.strip())
            raise VerificationError(f"the program does not compile: {reason}")
        return (folder / "program").read_bytes()
