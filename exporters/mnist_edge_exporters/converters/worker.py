"""Convert in a process of its own, which a converter's crash ends instead of the command.

One child makes all files, since TensorFlow takes seconds to import, and works ahead while the parent proves those that
are done. After a crash another one makes the files that are left. Its arguments are FOLDER [MODULE ...].
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from mnist_edge_runtime.child_process import ChildResult, LineProcess
from mnist_edge_runtime.errors import MnistEdgeError, ModelError, reason
from mnist_edge_runtime.model_file.contract import InputSpec, OutputSpec
from mnist_edge_runtime.output_capture import suppress_output

from .. import own_code
from ..spec import VARIANTS, ExportSpec, Granularity, IoDtype, Quantization
from .base import ConvertedModel
from .calibration import Calibration

__all__ = ["ConverterProcess"]

_MODEL, _CALIBRATION = "model.keras", "calibration.npy"


class ConverterProcess:
    """A child that converts a model to one file after another."""

    def __init__(self, model: Any, calibration: Calibration, specs: Sequence[ExportSpec]) -> None:
        """Start it.

        Args:
            model: a checked Keras model.
            calibration: the images for the variants that are calibrated.
            specs: the files to make, in the order in which `convert` asks for them.
        """
        self._loops = _loops(model)
        self._waiting = list(specs)
        self._temporary = tempfile.TemporaryDirectory(prefix="mnist-edge-")
        self._folder = Path(self._temporary.name)
        model.save(self._folder / _MODEL)
        np.save(self._folder / _CALIBRATION, calibration.images)
        self._child: LineProcess | None = None
        self._start()

    def convert(self, spec: ExportSpec) -> ConvertedModel:
        """Return the next file.

        Raises:
            ModelError: the converter cannot make it, or crashed.
            OSError, MemoryError: there is no room for it.
        """
        assert spec == self._waiting.pop(0)
        answer = self._next(spec)
        if "error" in answer:
            raise ModelError(answer["error"])
        if "memory" in answer:
            raise MemoryError
        if "system" in answer:
            raise OSError(*answer["system"])
        payload = Path(answer["payload"]).read_bytes()
        return ConvertedModel(payload, InputSpec(*answer["input"]), OutputSpec(*answer["output"]))

    def _next(self, spec: ExportSpec) -> dict[str, Any]:
        """Return the child's answer to the next specification, or how it ended."""
        child = self._child or self._start(spec)
        line = child.receive()
        if line is not None:
            answer: dict[str, Any] = json.loads(line)
            return answer
        ended = child.ended()
        child.close()
        self._child = None
        return {"error": _obituary(ended, spec, self._loops)}

    def _start(self, *first: ExportSpec) -> LineProcess:
        """Start a child with the files that are left to make."""
        # Its settings are this process's own, never those in a person's keras.json.
        home = {"KERAS_HOME": os.devnull, "KERAS_BACKEND": "tensorflow"}
        self._child = LineProcess(__name__, str(self._folder), *own_code.requested(), environment=home)
        for spec in (*first, *self._waiting):
            self._child.send(json.dumps(asdict(spec)))
        return self._child

    def close(self) -> None:
        """End the child, also in the midst of a file."""
        if self._child:
            self._child.close()
            self._child = None
        self._temporary.cleanup()

    def __enter__(self) -> ConverterProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def _loops(model: Any) -> tuple[str, ...]:
    """Return the kinds of the model's layers that loop over time: no other layer is known to crash a converter."""
    import keras

    kinds = (keras.layers.RNN, keras.layers.Bidirectional, keras.layers.TimeDistributed)
    return tuple(dict.fromkeys(type(one).__name__ for one in model._flatten_layers() if isinstance(one, kinds)))


def _obituary(ended: ChildResult, spec: ExportSpec, loops: tuple[str, ...]) -> str:
    """Return how the child ended while it made a file, and what to do."""
    if ended.code == -getattr(signal, "SIGKILL", 0) or "bad_alloc" in ended.stderr:
        killed = "was killed (SIGKILL)" if "bad_alloc" not in ended.stderr else "ended"
        return (
            f"the converter {killed} for want of memory, as far as can be told; end other programs, export one "
            "variant at a time, or take a machine with more memory"
        )
    others = [
        str(key[1])
        for key, info in reversed(list(VARIANTS.items()))
        if key[0] == spec.format
        and key[1] != spec.quantization
        and not (info.needs_force or info.needs_extra or info.is_calibrated)
    ]
    advice = f"try --quantize {' or '.join(others)}"
    if loops:
        advice += f", or make {' and '.join(loops)} without a loop over time: with unroll=True, or by convolutions"
    if ended.code is not None and ended.code < 0:
        return f"the converter {ended.reason}, which is a fault of its own; {advice}"
    return f"the converter ended: {ended.reason}; {advice}"


def _spec(document: dict[str, Any]) -> ExportSpec:
    return ExportSpec(
        document["format"],
        Quantization(document["quantization"]),
        IoDtype(document["io_dtype"]),
        Granularity(document["granularity"]),
        document["opset"],
    )


def _answer(model: Any, spec: ExportSpec, calibration: Calibration, file: Path) -> dict[str, Any]:
    """Convert in the child, and return what it answers."""
    from .registry import CONVERTERS

    try:
        converted = CONVERTERS[spec.format].convert(model, spec, calibration)
        file.write_bytes(converted.payload)
    except MnistEdgeError as error:
        return {"error": str(error)}
    except MemoryError:
        return {"memory": True}
    except OSError as error:
        return {"system": [error.errno, error.strerror, error.filename and str(error.filename)]}
    except Exception as error:  # converters raise exceptions of any type
        return {"error": f"the converter cannot make it: {reason(error)}"}
    image, logits = converted.input, converted.output  # of which a converter sets these three
    return {
        "payload": str(file),
        "input": (image.dtype, image.scale, image.zero_point),
        "output": (logits.dtype, logits.scale, logits.zero_point),
    }


def main(name: str, *modules: str) -> int:
    """Answer each line, a specification, with the place of the file or the reason why there is none."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)  # so that nothing that a converter prints is taken for an answer
    folder = Path(name)
    with suppress_output():
        import tensorflow  # noqa: F401

        from .. import keras_model

        own_code.request(modules)
        model = keras_model.read(folder / _MODEL)
    calibration = Calibration(np.load(folder / _CALIBRATION), {})
    for number, line in enumerate(sys.stdin):
        answer = _answer(model, _spec(json.loads(line)), calibration, folder / f"{number}.model")
        print(json.dumps(answer), file=answers)
    shutil.rmtree(folder, ignore_errors=True)  # stdin ends only where the parent was killed
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
