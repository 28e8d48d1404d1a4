from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mnist_edge_exporters.parity.targets import Target
from mnist_edge_exporters.report import gallery
from mnist_edge_exporters.report.evidence import Evidence, Verdict
from mnist_edge_exporters.source import Source
from mnist_edge_runtime import InputError
from PIL import Image


def _evidence(variant: str, **changed: list[dict[str, Any]]) -> Evidence:
    verdicts = tuple(
        Verdict(Target(engine.replace("_", "-"), "1"), "ran", {"changed_predictions": found})
        for engine, found in changed.items()
    )
    return Evidence(Path(variant), variant, 1, "", None, verdicts, None, "")


def _changed(source: Source, image: int, reference: int, answer: int, margin: float) -> dict[str, Any]:
    true = int(source.test[1][image])
    return {"image": image, "true": true, "reference": reference, "answer": answer, "margin": margin}


def test_a_changed_answer_is_shown_once_with_all_who_gave_it(source: Source) -> None:
    true = int(source.test[1][7])
    other, third = (true + 1) % 10, (true + 2) % 10
    small, large = _changed(source, 7, true, other, 0.1), _changed(source, 7, true, third, 0.3)
    found = gallery.collect(
        [
            _evidence("tflite-int8", litert=[small], tflite_runtime=[small]),
            _evidence("onnx-int8", onnxruntime=[small, large]),
        ],
        source,
    )
    assert [each.margin for each in found] == [0.3, 0.1]
    assert found[1].files == ("tflite-int8 on litert and tflite-runtime", "onnx-int8 on onnxruntime")
    assert (found[1].true, found[1].reference, found[1].answer) == tuple(source.labels[i] for i in (true, true, other))
    assert found[1].effect == "worse"


def test_the_effect_of_a_change(source: Source) -> None:
    true = int(source.test[1][0])
    other, third = (true + 1) % 10, (true + 2) % 10
    listed = [_changed(source, 0, other, true, 0.2), _changed(source, 0, other, third, 0.1)]
    found = gallery.collect([_evidence("a", litert=listed)], source)
    assert [each.effect for each in found] == ["better", "wrong either way"]


def test_the_picture_is_the_image_itself_in_dark_ink(source: Source) -> None:
    image = source.test[0][3]
    kind, _, data = gallery.picture(image).partition(",")
    assert kind == "data:image/png;base64"
    assert np.array_equal(255 - np.asarray(Image.open(io.BytesIO(base64.b64decode(data)))), image)


@pytest.mark.parametrize("change", [{"image": 10**6}, {"true": 99}])
def test_a_proof_on_another_test_set_is_refused(change: dict[str, int], source: Source) -> None:
    changed = {**_changed(source, 0, 0, 1, 0.1), **change}
    with pytest.raises(InputError, match="another test set"):
        gallery.collect([_evidence("a", litert=[changed])], source)
