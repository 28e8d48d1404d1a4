from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
from mnist_edge_runtime import Classifier, models
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_runtime.unverified import worker

MEMORY = 4 * 10**9  # bytes
SECONDS = 60


def _run(payload: bytes, pixels: bytes = b"", engine: str = "litert") -> tuple[dict[str, object], list[bytes]]:
    """Return the greeting of the child, and its messages behind it."""
    command = [sys.executable, "-m", "mnist_edge_runtime.unverified.worker", engine]
    command += [str(len(payload)), str(MEMORY), str(SECONDS)]
    result = subprocess.run(command, input=payload + pixels, capture_output=True, check=True, timeout=120)
    messages, rest = [], result.stdout
    while rest:
        end = 4 + int.from_bytes(rest[:4], "little")
        messages.append(rest[4:end])
        rest = rest[end:]
    return json.loads(messages[0]), messages[1:]


def test_each_image_gets_the_logits_of_the_verified_model() -> None:
    (file,) = models.bundled_models("litert")
    sealed = sealed_model.read(file)
    images = sealed.golden.images[:3]
    greeting, outputs = _run(sealed.payload, images.tobytes())
    found = [np.frombuffer(output.removeprefix(worker.ANSWER), np.float32) for output in outputs]

    assert greeting["classes"] == 10
    assert str(greeting["assumptions"]).endswith("labels as 0 to 9")
    with Classifier.load(file, engine="litert") as classifier:
        np.testing.assert_allclose(found, classifier.logits(images), rtol=1e-6)


def test_an_image_that_is_cut_short_gets_no_answer() -> None:
    sealed = sealed_model.read(models.bundled_models("litert")[0])
    _, outputs = _run(sealed.payload, sealed.golden.images[:2].tobytes()[:-1])

    assert [len(output) for output in outputs] == [1 + 10 * 4]


def test_bytes_that_are_no_model_are_an_error_of_one_line() -> None:
    greeting, outputs = _run(b"garbage")

    assert list(greeting) == ["error"]
    assert len(str(greeting["error"]).splitlines()) == 1
    assert outputs == []
