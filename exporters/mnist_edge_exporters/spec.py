"""What can be exported: formats, quantizations, and the table of the cells that are offered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec

from mnist_edge_runtime.errors import UsageError

__all__ = [
    "CALIBRATION_SAMPLES",
    "OFFERED",
    "REPORT_SUFFIX",
    "ExportSpec",
    "Format",
    "Granularity",
    "IoDtype",
    "Offer",
    "Options",
    "Quantization",
    "must_run",
    "select",
]

CALIBRATION_SAMPLES = 500
REPORT_SUFFIX = ".parity.json"  # behind the name of the file that it tells of
OPSETS = range(13, 19)  # below, there is no per-channel QDQ; above, tf2onnx does not write


class Format(StrEnum):
    TFLITE = "tflite"
    ONNX = "onnx"


class Quantization(StrEnum):
    NONE = "none"
    FLOAT16 = "float16"
    DYNAMIC = "dynamic"
    INT8 = "int8"
    INT16X8 = "int16x8"
    INT4 = "int4"


class IoDtype(StrEnum):
    """What the image and the logits of a full-integer file are."""

    UINT8 = "uint8"
    INT8 = "int8"
    FLOAT32 = "float32"


class Granularity(StrEnum):
    """How many scales the weights of a layer have."""

    PER_CHANNEL = "per-channel"
    PER_TENSOR = "per-tensor"


@dataclass(frozen=True)
class ExportSpec:
    """The file to make: a cell of the table and its options.

    `io_dtype` and `granularity` are for int8, `opset` is for ONNX.
    """

    format: Format
    quantization: Quantization
    io_dtype: IoDtype = IoDtype.UINT8
    granularity: Granularity = Granularity.PER_CHANNEL
    opset: int = 17

    def __str__(self) -> str:
        """Return the name of the cell, with what differs from the default behind it."""
        default = ExportSpec(self.format, self.quantization)
        parts: list[str] = [self.format, self.quantization]
        if self.io_dtype != default.io_dtype:
            parts.append(f"{self.io_dtype}-io")
        if self.granularity != default.granularity:
            parts.append(self.granularity)
        if self.opset != default.opset:
            parts.append(f"opset{self.opset}")
        return "-".join(parts)

    @property
    def cell(self) -> tuple[Format, Quantization]:
        """Its place in the table."""
        return self.format, self.quantization

    @property
    def note(self) -> str:
        """What a person should know of the file; empty where there is nothing."""
        return OFFERED[self.cell].note


@dataclass(frozen=True)
class Options:
    """What a person can choose for all files of an export.

    Attributes:
        targets: the runtimes the files are meant for, as `--target-runtime` names them; empty for the defaults.
        tolerances: figures that replace the table's, as `Tolerance.replaced` takes them.
        calibration_samples: how many training images the quantizers see.
    """

    targets: tuple[str, ...] = ()
    tolerances: tuple[str, ...] = ()
    calibration_samples: int = CALIBRATION_SAMPLES


@dataclass(frozen=True)
class Offer:
    """A cell that is offered.

    Attributes:
        note: what a person should know of it.
        needs_force: whether only --force makes it.
        needs_extra: the module that makes it, whose package only an extra installs.
        must_run: whether it is published only for runtimes that ran it, since the table cannot tell.
    """

    note: str = ""
    needs_force: bool = False
    needs_extra: str | None = None
    must_run: bool = False


OFFERED: Mapping[tuple[Format, Quantization], Offer] = {
    (Format.TFLITE, Quantization.NONE): Offer(),
    (Format.TFLITE, Quantization.FLOAT16): Offer(),
    (Format.TFLITE, Quantization.DYNAMIC): Offer(
        "dense weights are quantized per tensor, so that tflite-runtime 2.14 loads the file"
    ),
    (Format.TFLITE, Quantization.INT8): Offer(),
    (Format.TFLITE, Quantization.INT16X8): Offer(
        "runs on reference kernels, 40 times slower than int8 on x86", must_run=True
    ),
    (Format.TFLITE, Quantization.INT4): Offer(
        "for LiteRT alone: tflite-runtime loads such a file and answers at chance level",
        needs_extra="ai_edge_quantizer",
        must_run=True,
    ),
    (Format.ONNX, Quantization.NONE): Offer(),
    (Format.ONNX, Quantization.FLOAT16): Offer(),
    (Format.ONNX, Quantization.DYNAMIC): Offer(
        "convolutions become ConvInteger: 381 against 71 microseconds of float32, measured on x86", needs_force=True
    ),
    (Format.ONNX, Quantization.INT8): Offer(),
}


def select(
    format: str,
    quantization: str,
    *,
    io_dtype: str = IoDtype.UINT8,
    granularity: str = Granularity.PER_CHANNEL,
    opset: int = 17,
    force: bool = False,
) -> list[ExportSpec]:
    """Return the cells that the options name; "all" stands for every value that needs no force and no extra.

    Raises:
        UsageError: an unknown value, a cell that is not offered, an extra that is not installed, or an option that
            fits none of the cells.
    """
    for option, value, known in (
        ("--format", format, ("all", *Format)),
        ("--quantize", quantization, ("all", *Quantization)),
        ("--io-dtype", io_dtype, tuple(IoDtype)),
        ("--granularity", granularity, tuple(Granularity)),
    ):
        if value not in known:
            raise UsageError(f"{option} {value} is unknown; choose from {', '.join(known)}")
    if opset not in OPSETS:
        raise UsageError(f"--opset is {opset}, expected {OPSETS[0]} to {OPSETS[-1]}")
    cells = [
        cell
        for cell, offer in OFFERED.items()
        if format in ("all", cell[0]) and (quantization == cell[1] or (quantization == "all" and not offer.needs_extra))
    ]
    if not cells:
        offered = ", ".join("-".join(cell) for cell in OFFERED)
        raise UsageError(f"--format {format} --quantize {quantization} is not offered; there are {offered}")
    willing = [cell for cell in cells if force or not OFFERED[cell].needs_force]
    if not willing:
        raise UsageError(f"{'-'.join(cells[0])} is made with --force only: {OFFERED[cells[0]].note}")
    for cell in willing:
        module = OFFERED[cell].needs_extra
        if module and find_spec(module) is None:
            package = module.replace("_", "-")
            raise UsageError(f"{'-'.join(cell)} needs a package that is not installed: pip install {package}")
    specs = [_spec(cell, IoDtype(io_dtype), Granularity(granularity), opset) for cell in willing]
    _refuse_idle(specs, io_dtype=io_dtype, granularity=granularity, opset=opset)
    return specs


def must_run(format: str, quantization: str) -> bool:
    """Return whether a file of this cell is published only for runtimes that ran it."""
    return any(offer.must_run for cell, offer in OFFERED.items() if cell == (format, quantization))


def _spec(cell: tuple[Format, Quantization], io_dtype: IoDtype, granularity: Granularity, opset: int) -> ExportSpec:
    """Return the cell with those of the options that it has."""
    spec = ExportSpec(*cell)
    if spec.quantization is Quantization.INT8:
        if spec.format is Format.ONNX and io_dtype is IoDtype.INT8:
            raise UsageError("--io-dtype int8 is for TFLite; ONNX files take uint8 or float32")
        spec = ExportSpec(*cell, io_dtype=io_dtype, granularity=granularity)
    if spec.format is Format.ONNX:
        spec = ExportSpec(*cell, io_dtype=spec.io_dtype, granularity=spec.granularity, opset=opset)
    return spec


def _refuse_idle(specs: list[ExportSpec], **options: object) -> None:
    """Raise UsageError for an option that would change none of the files."""
    for name, value in options.items():
        if all(getattr(spec, name) != value for spec in specs):
            raise UsageError(f"--{name.replace('_', '-')} {value} does nothing for {', '.join(map(str, specs))}")
