"""The table of the files that can be exported: each format and quantization, with its facts and options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec

from mnist_edge_runtime.errors import UsageError
from mnist_edge_runtime.host import install_extra

__all__ = [
    "SOURCE_FORMATS",
    "VARIANTS",
    "ExportSpec",
    "Granularity",
    "IoDtype",
    "Options",
    "Quantization",
    "VariantInfo",
    "formats",
    "select",
    "variant_info",
]

# Formats of source code, made of the int8 TFLite file; "all" stands for the files that engines run.
SOURCE_FORMATS = ("c", "web")
OPSETS = range(13, 19)  # below, there is no per-channel QDQ; above, tf2onnx does not write


class Quantization(StrEnum):
    NONE = "none"
    FLOAT16 = "float16"
    DYNAMIC = "dynamic"
    INT8 = "int8"
    INT16X8 = "int16x8"
    INT4 = "int4"


class IoDtype(StrEnum):
    """The type of the image and the logits of a full-integer file."""

    UINT8 = "uint8"
    INT8 = "int8"
    FLOAT32 = "float32"


class Granularity(StrEnum):
    """How many scales the weights of a layer have."""

    PER_CHANNEL = "per-channel"
    PER_TENSOR = "per-tensor"


@dataclass(frozen=True)
class ExportSpec:
    """The file to make: a variant and its options; those that the variant does not have keep their defaults."""

    format: str
    quantization: Quantization
    io_dtype: IoDtype = IoDtype.UINT8
    granularity: Granularity = Granularity.PER_CHANNEL
    opset: int = 17

    def __str__(self) -> str:
        """Return the name of the variant, followed by the options that differ from their defaults."""
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
    def variant(self) -> tuple[str, Quantization]:
        """The key of its row in the table."""
        return self.format, self.quantization

    @property
    def info(self) -> VariantInfo:
        """Its row in the table."""
        return VARIANTS[self.variant]


@dataclass(frozen=True)
class Options:
    """The options that all files of an export share.

    Attributes:
        targets: the runtimes the files are meant for, as `--target-runtime` names them; empty for the defaults.
        tolerances: figures that replace the table's, as `Tolerance.replaced` takes them.
        calibration_samples: the size of the calibration set; None for its default.
        as_is: whether a network that reads the images better in another way is exported as it is.
    """

    targets: tuple[str, ...] = ()
    tolerances: tuple[str, ...] = ()
    calibration_samples: int | None = None
    as_is: bool = False


@dataclass(frozen=True)
class VariantInfo:
    """A format in a quantization: one row of the table.

    Attributes:
        note: a warning for the person who exports it; empty where there is nothing to say.
        needs_force: whether only --force makes it.
        needs_extra: the module that makes it, whose package only an extra installs.
        must_run: whether it is published only for runtimes that ran it, since their operator versions cannot tell.
        is_calibrated: whether its quantizer learns ranges from calibration images.
        computes_in_half: whether processors with half precision compute in it, and others in float32.
        io_dtypes: the types of image and logits to choose from; empty where they are float32.
        granularities: the numbers of scales to choose from; empty where there is no choice.
        opsets: the ONNX opsets to choose from; empty where the format has none.
    """

    note: str = ""
    needs_force: bool = False
    needs_extra: str | None = None
    must_run: bool = False
    is_calibrated: bool = False
    computes_in_half: bool = False
    io_dtypes: tuple[IoDtype, ...] = ()
    granularities: tuple[Granularity, ...] = ()
    opsets: range = range(0)


VARIANTS: Mapping[tuple[str, Quantization], VariantInfo] = {
    ("tflite", Quantization.NONE): VariantInfo(),
    ("tflite", Quantization.FLOAT16): VariantInfo(),
    ("tflite", Quantization.DYNAMIC): VariantInfo(
        "dense weights are quantized per tensor, so that tflite-runtime 2.14 loads the file"
    ),
    ("tflite", Quantization.INT8): VariantInfo(
        is_calibrated=True, io_dtypes=tuple(IoDtype), granularities=tuple(Granularity)
    ),
    ("tflite", Quantization.INT16X8): VariantInfo(
        "runs on reference kernels, 40 times slower than int8 on x86", must_run=True, is_calibrated=True
    ),
    ("tflite", Quantization.INT4): VariantInfo(
        "for LiteRT alone: tflite-runtime loads such a file and answers at chance level",
        needs_extra="ai_edge_quantizer",
        must_run=True,
    ),
    ("onnx", Quantization.NONE): VariantInfo(opsets=OPSETS),
    ("onnx", Quantization.FLOAT16): VariantInfo(computes_in_half=True, opsets=OPSETS),
    ("onnx", Quantization.DYNAMIC): VariantInfo(
        "convolutions become ConvInteger: 381 against 71 microseconds of float32, measured on x86",
        needs_force=True,
        opsets=OPSETS,
    ),
    ("onnx", Quantization.INT8): VariantInfo(
        is_calibrated=True,
        io_dtypes=(IoDtype.UINT8, IoDtype.FLOAT32),
        granularities=tuple(Granularity),
        opsets=OPSETS,
    ),
}


def formats() -> tuple[str, ...]:
    """Return the names of the formats in the table, in its order."""
    return tuple(dict.fromkeys(name for name, _ in VARIANTS))


def variant_info(format: str, quantization: str) -> VariantInfo:
    """Return the row of the variant that a contract names; an empty one where it is not in the table."""
    return next((info for key, info in VARIANTS.items() if key == (format, quantization)), VariantInfo())


def select(
    format: str,
    quantization: str,
    *,
    io_dtype: str = IoDtype.UINT8,
    granularity: str = Granularity.PER_CHANNEL,
    opset: int = 17,
    force: bool = False,
) -> list[ExportSpec]:
    """Return the files that the options name; "all" stands for every value that needs no force and no extra.

    For a format of source code that is the file which it is made of.

    Raises:
        UsageError: an unknown value, a variant that is not offered, an extra that is not installed, or an option that
            fits none of the variants.
    """
    for option, value, known in (
        ("--format", format, ("all", *formats(), *SOURCE_FORMATS)),
        ("--quantize", quantization, ("all", *Quantization)),
        ("--io-dtype", io_dtype, tuple(IoDtype)),
        ("--granularity", granularity, tuple(Granularity)),
    ):
        if value not in known:
            raise UsageError(f"{option} {value} is unknown; choose from {', '.join(known)}")
    if opset not in OPSETS:
        raise UsageError(f"--opset is {opset}, expected {OPSETS[0]} to {OPSETS[-1]}")
    of_file = "tflite" if format in SOURCE_FORMATS else format
    if of_file != format and (quantization != Quantization.INT8 or io_dtype != IoDtype.UINT8):
        raise UsageError(f"--format {format} is made of the int8 file with uint8 images; leave out the other options")
    named = [
        key
        for key, info in VARIANTS.items()
        if of_file in ("all", key[0]) and (quantization == key[1] or (quantization == "all" and not info.needs_extra))
    ]
    if not named:
        offered = ", ".join("-".join(key) for key in VARIANTS)
        raise UsageError(f"--format {format} --quantize {quantization} is not offered; there are {offered}")
    made = [key for key in named if force or not VARIANTS[key].needs_force]
    if not made:
        raise UsageError(f"{'-'.join(named[0])} is made with --force only: {VARIANTS[named[0]].note}")
    for key in made:
        module = VARIANTS[key].needs_extra
        if module and find_spec(module) is None:
            package = module.replace("_", "-")
            raise UsageError(f"{'-'.join(key)} needs {package}; install it {install_extra(key[1])}")
    specs = [_spec(key, IoDtype(io_dtype), Granularity(granularity), opset) for key in made]
    _refuse_unused(specs, io_dtype=io_dtype, granularity=granularity, opset=opset)
    return specs


def _spec(key: tuple[str, Quantization], io_dtype: IoDtype, granularity: Granularity, opset: int) -> ExportSpec:
    """Return the variant with those of the options that it has."""
    info, spec = VARIANTS[key], ExportSpec(*key)
    if info.io_dtypes and io_dtype not in info.io_dtypes:
        raise UsageError(f"--io-dtype {io_dtype} is not offered for {spec}; choose from {', '.join(info.io_dtypes)}")
    return ExportSpec(
        *key,
        io_dtype=io_dtype if info.io_dtypes else spec.io_dtype,
        granularity=granularity if info.granularities else spec.granularity,
        opset=opset if info.opsets else spec.opset,
    )


def _refuse_unused(specs: list[ExportSpec], **options: object) -> None:
    """Raise UsageError for an option that would change none of the files."""
    for name, value in options.items():
        if all(getattr(spec, name) != value for spec in specs):
            raise UsageError(f"--{name.replace('_', '-')} {value} does nothing for {', '.join(map(str, specs))}")
