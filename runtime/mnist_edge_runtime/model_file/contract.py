"""Describe the contract of a model file: all that it promises, as one frozen value and as JSON inside the file.

Unknown keys are ignored, so that a newer minor revision stays readable; an unknown major version is refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields
from typing import Any

from .. import strict_json
from ..errors import ModelError
from ..text_output import short
from . import contract_fields
from .contract_fields import Number, OneOf, Rule, Text
from .formats.registry import FORMATS

__all__ = [
    "IMAGE_SHAPE",
    "PREPROCESSINGS",
    "VERSION",
    "Contract",
    "InputSpec",
    "OutputSpec",
    "Payload",
    "SelfTest",
]

VERSION = "mnist-edge/1"
IMAGE_SHAPE = (28, 28)  # pixels: rows, columns
PREPROCESSINGS = ("mnist/1",)  # the recipes that this runtime has, by name and version
POLARITY = "white on black"
REAL_VALUE = "pixel / 255"
_SCALES = Number(1e-30, 1e30)  # 255 steps of it are still a float32 of full precision
_TEMPERATURES = Number(1e-3, 1e3)
_ZERO_POINTS = {"uint8": Number(0, 255, whole=True), "int8": Number(-128, 127, whole=True)}
_TEXT = Text(r"[^\x00-\x1f\x7f]+", "a line of text")
_RULES: dict[str, Rule] = {
    "format": OneOf(FORMATS),
    "quantization": _TEXT,
    "input.shape": OneOf(((1, *IMAGE_SHAPE, 1),)),
    "input.polarity": OneOf((POLARITY,)),
    "input.real_value": OneOf((REAL_VALUE,)),
    "input.dtype": OneOf(("float32", "uint8", "int8")),
    "input.scale": _SCALES,
    "output.dtype": OneOf(("float32", "uint8", "int8")),
    "output.scale": _SCALES,
    "output.temperature": _TEMPERATURES,
    "output.softening": _TEMPERATURES,
    "output.threshold": Number(0, 1, optional=True),
    "output.chosen_on": _TEXT._replace(optional=True),
    "payload.size": Number(0, 2**40, whole=True),
    "payload.sha256": Text("[0-9a-f]{64}", "64 hexadecimal digits in lower case"),
    "selftest.unit": OneOf(("lsb", "absolute")),
    "selftest.probability": Number(0, 1),
}
_RUNTIME_RULES: dict[str, Rule] = {
    **dict.fromkeys(("engine", "version", "status"), _TEXT),
    "images": Number(0, 2**40, whole=True),
}
_LARGEST_DIFFERENCE = Number(0, 1e6)


@dataclass(frozen=True)
class InputSpec:
    """The input tensor, of one image: `quantized = real / scale + zero_point`.

    A float tensor has scale 1 and zero point 0: it takes the real value itself. `preprocessing` names the recipe that
    brings pictures to this input, with its version, one of `PREPROCESSINGS`; None is this runtime's own.
    """

    dtype: str
    scale: float
    zero_point: int
    shape: tuple[int, ...] = (1, *IMAGE_SHAPE, 1)
    polarity: str = POLARITY
    real_value: str = REAL_VALUE
    preprocessing: str | None = None


@dataclass(frozen=True)
class OutputSpec:
    """The logits: `real = (raw - zero_point) * scale`; softmax of `logits / temperature` is the runtime's.

    An answer is accepted if its score, the largest of the softmax of `logits / (temperature * softening)`, reaches
    `threshold`, which is None while none was chosen; for logits of 8 bits integers decide it (docs/integer.md).
    `chosen_on` names the images that temperature and threshold were chosen on.
    """

    dtype: str
    scale: float
    zero_point: int
    temperature: float = 1.0
    softening: float = 1.0
    threshold: float | None = None
    chosen_on: str | None = None


@dataclass(frozen=True)
class Payload:
    """The model's own bytes, before the trailer."""

    size: int
    sha256: str


@dataclass(frozen=True)
class SelfTest:
    """How far the answers of an intact device may be from the golden vectors.

    `logits` holds for each family of kernels the largest difference from that family's expected logits, in
    `unit`: "lsb" (steps of the output scale) or "absolute". `probability` is the largest absolute
    difference from the Keras model's probabilities.
    """

    unit: str
    logits: Mapping[str, float]
    probability: float


@dataclass(frozen=True)
class Contract:
    """All that a device needs to know about a model file, and the file's origin."""

    format: str
    quantization: str
    labels: tuple[str, ...]
    input: InputSpec
    output: OutputSpec
    payload: Payload
    selftest: SelfTest
    origin: Mapping[str, Any] = field(default_factory=dict)
    parity: Mapping[str, Any] | None = None
    runtimes: tuple[Mapping[str, Any], ...] = ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """Cautions for users of the file, about its data and how its network reads pixels."""
        dataset, pixels = (self.origin.get(name) for name in ("dataset", "pixels"))
        of_data = dataset.get("warning") if isinstance(dataset, Mapping) else None
        of_pixels = pixels.get("warnings") if isinstance(pixels, Mapping) else None
        return tuple(str(each) for each in (of_data, *(of_pixels if isinstance(of_pixels, list) else ())) if each)

    def to_json(self) -> str:
        """Return the canonical JSON text: sorted keys, so that the same contract gives the same bytes."""
        return json.dumps({"contract": VERSION, **asdict(self)}, indent=1, sort_keys=True, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str | bytes) -> Contract:
        """Read what `to_json` wrote.

        Raises:
            ModelError: not a contract, of an unknown major version, or not consistent in itself.
        """
        try:
            document = contract_fields.as_object(strict_json.parse(text), "it")
            version = document["contract"]
        except KeyError as error:
            why = f"it has no field {error}"
            raise ModelError(f"the contract inside the file cannot be read ({why}); export the model again") from None
        except ValueError as error:
            raise ModelError(f"the contract inside the file cannot be read ({error}); export the model again") from None
        if version != VERSION and not str(version).startswith(VERSION + "."):
            raise ModelError(
                f"the file's contract is {short(version)}, this runtime reads {VERSION!r}; "
                "install the runtime of the mnist-edge that made it, from its folder runtime/ or in a bundle, "
                "or export it again"
            )
        try:
            strict_json.check_leaves(document)
            contract = cls(
                format=document["format"],
                quantization=document["quantization"],
                labels=_labels(document["labels"]),
                input=_build(InputSpec, document, "input"),
                output=_build(OutputSpec, document, "output"),
                payload=_build(Payload, document, "payload"),
                selftest=_build(SelfTest, document, "selftest"),
                origin=document.get("origin") or {},
                parity=document.get("parity"),
                runtimes=tuple(contract_fields.as_list(document.get("runtimes") or [], "runtimes")),
            )
            contract._check()
        except KeyError as error:
            raise ModelError(f"the file's contract is not valid: it has no field {error}; export it again") from None
        except (TypeError, ValueError, AttributeError) as error:
            raise ModelError(f"the file's contract is not valid: {error}; export the model again") from None
        return contract

    def _check(self) -> None:
        """Raise ValueError where a field has a kind or a value that this version does not know."""
        parts = {"input": self.input, "output": self.output, "payload": self.payload, "selftest": self.selftest}
        values = {f"{name}.{key}": value for name, part in parts.items() for key, value in vars(part).items()}
        contract_fields.check({**vars(self), **values}, _RULES)
        named = self.input.preprocessing
        if named not in (None, *PREPROCESSINGS):
            raise ValueError(
                f"input.preprocessing is {short(named)}, which this runtime does not have; install a newer one"
            )
        for name, mapping in (
            ("selftest.logits", self.selftest.logits),
            ("origin", self.origin),
            ("parity", self.parity or {}),
            *(("runtimes", runtime) for runtime in self.runtimes),
        ):
            contract_fields.as_object(mapping, name)
        limits = {f"selftest.logits.{family}": limit for family, limit in self.selftest.logits.items()}
        contract_fields.check(limits, dict.fromkeys(limits, _LARGEST_DIFFERENCE))
        for runtime in self.runtimes:
            contract_fields.check(runtime, {name: rule for name, rule in _RUNTIME_RULES.items() if name in runtime})
        for name, tensor in (("input", self.input), ("output", self.output)):
            if tensor.dtype in _ZERO_POINTS:
                zero_point = f"{name}.zero_point"
                contract_fields.check(values, {zero_point: _ZERO_POINTS[tensor.dtype]})
            elif (tensor.scale, tensor.zero_point) != (1, 0):
                raise ValueError(f"{name} is float32 with a scale or zero point; it is its own real value")
        if len(self.labels) < 2 or len(set(self.labels)) != len(self.labels):
            raise ValueError(f"labels are {short(self.labels)}, expected at least two that differ")


def _labels(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(label, str) and label.strip() for label in value):
        raise ValueError(f"labels are {short(value)}, expected a list of strings, none of them blank")
    return tuple(value)


def _build(kind: Any, document: Mapping[str, Any], name: str) -> Any:
    """Make the dataclass `kind` of those keys that it has of the object `name` in `document`."""
    found = contract_fields.as_object(document[name], name)
    known = {}
    for each in fields(kind):
        if each.name in found:
            known[each.name] = found[each.name]
        elif each.name == "shape" or (each.default is MISSING and each.default_factory is MISSING):
            raise ValueError(f"{name} has no field {each.name!r}")
    if "shape" in known:
        known["shape"] = tuple(contract_fields.as_list(known["shape"], f"{name}.shape"))
    return kind(**known)
