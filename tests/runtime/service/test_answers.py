"""What is answered is what the classifier and the line reader say, to the bit."""

from __future__ import annotations

import asyncio
import base64
import io
import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from mnist_edge_runtime import Classifier
from mnist_edge_runtime.answer_fields import lines_fields, prediction_fields
from mnist_edge_runtime.line_reader import read_lines
from mnist_edge_runtime.preprocessing.image_io import load_picture
from mnist_edge_runtime.preprocessing.mnist import to_mnist
from PIL import Image

from .conftest import JSON, App, form, pgm


def _without_times(entry: dict[str, Any]) -> dict[str, Any]:
    times = entry.pop("milliseconds")
    assert list(times) == ["prepare", "engine"]
    assert all(0 <= each < 60_000 for each in times.values())
    return entry


def test_a_prediction_is_the_classifiers(app: App, classifier: Classifier, drawn: Sequence[bytes]) -> None:
    for data in drawn:
        answer = app.post("/v1/classify", data, image="1").json
        assert answer["model"] == classifier.file.name  # type: ignore[union-attr]
        image = to_mnist(load_picture(io.BytesIO(data)))
        (entry,) = answer["predictions"]
        assert base64.b64decode(entry.pop("image")) == image.tobytes()
        assert _without_times(entry) == prediction_fields(classifier.classify(image))


def test_a_blank_picture_has_no_label(app: App) -> None:
    (entry,) = app.post("/v1/classify", pgm(np.full((50, 60), 200, np.uint8)), image="1").json["predictions"]
    assert (entry["label"], entry["probabilities"], entry["accepted"]) == (None, None, False)
    assert "image" not in entry
    (reading,) = app.post("/v1/read", pgm(np.full((50, 60), 200, np.uint8))).json["readings"]
    assert reading["lines"] == []
    assert reading["reason"] == entry["reason"]


def test_preprocessing_is_chosen_by_the_address_or_by_the_document(app: App, classifier: Classifier) -> None:
    image = np.zeros((28, 28), np.uint8)
    image[3:9, 2:5] = 255
    seen = {
        way: app.post("/v1/classify", pgm(image), image="1", preprocess=way).json["predictions"][0]["image"]
        for way in ("none", "mnist")
    }
    assert base64.b64decode(seen["none"]) == image.tobytes() != base64.b64decode(seen["mnist"])
    for way in seen:
        document = json.dumps({"pictures": [{"pixels": image.tolist()}], "preprocess": way}).encode()
        (entry,) = app.post("/v1/classify", document, JSON, image="1").json["predictions"]
        assert entry["image"] == seen[way]
    assert app.post("/v1/classify", pgm(image), preprocess="no").status == 400
    refused = app.post("/v1/classify", pgm(np.zeros((20, 20), np.uint8)), preprocess="none")
    assert (refused.status, "28 x 28" in refused.error) == (422, True)


def _page(drawn: Sequence[bytes]) -> np.ndarray[Any, Any]:
    digits = [np.asarray(Image.open(io.BytesIO(data)).convert("L")) for data in drawn[:3]]
    return np.pad(np.hstack(digits), 40, mode="edge")


def test_a_reading_is_the_line_readers(app: App, classifier: Classifier, drawn: Sequence[bytes]) -> None:
    picture = _page(drawn)
    expected = lines_fields(read_lines(picture, classifier))
    assert len(expected["lines"]) == 1
    (reading,) = app.post("/v1/read", pgm(picture)).json["readings"]
    assert _without_times(reading) == json.loads(json.dumps(expected))


def test_boxes_are_in_pixels_of_the_file_where_it_was_shrunk(app: App, drawn: Sequence[bytes]) -> None:
    picture = Image.fromarray(_page(drawn))
    plain, large = io.BytesIO(), io.BytesIO()
    picture.save(plain, "JPEG", quality=95)
    factor = 12
    picture.resize((picture.width * factor, picture.height * factor)).save(large, "JPEG", quality=40)
    names = {"plain.jpg": plain.getvalue(), "large.jpg": large.getvalue()}
    small, enlarged = app.post("/v1/read", *form(names)).json["readings"]
    boxes = [
        np.array([digit["box"] for line in each["lines"] for digit in line["digits"]]) for each in (small, enlarged)
    ]
    assert boxes[0].shape == boxes[1].shape == (3, 4)
    assert np.abs(boxes[1] / factor - boxes[0]).max() < 8


def test_what_takes_too_long_is_given_up_between_pictures(
    app_with: Callable[..., App], drawn: Sequence[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mnist_edge_runtime.service.refusal.monotonic", lambda: float("inf"))
    answer = app_with().post("/v1/classify", drawn[0])
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")
    assert "send fewer" in answer.error


def test_large_pictures_are_decoded_one_at_a_time(
    app_with: Callable[..., App], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A picture of 20 megapixels takes 180 MB, and four at a time more than a small board has."""
    data = io.BytesIO()
    Image.new("L", (2500, 2000), 255).save(data, "PNG")
    inside, most = [0], [0]

    def load(*unused: Any, **options: Any) -> Any:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        found = load_picture(io.BytesIO(data.getvalue()))
        inside[0] -= 1
        return found

    monkeypatch.setattr("mnist_edge_runtime.service.pictures.load_picture", load)
    app = app_with(threads=4)

    async def ask() -> list[int]:
        asked = [app.ask("POST", path, data.getvalue()) for path in ("/v1/classify", "/v1/read") * 3]
        return [answer.status for answer in await asyncio.gather(*asked)]

    assert asyncio.run(ask()) == [200] * 6
    assert most == [1]


def test_a_page_has_no_preprocessing_to_choose(app: App) -> None:
    document = json.dumps({"pictures": [{"pixels": [[0, 255]] * 3}], "preprocess": "none"}).encode()
    refused = app.post("/v1/read", document, JSON)
    assert (refused.status, refused.error) == (400, "pages are always prepared; leave preprocess out")


def test_a_pixel_that_is_no_number_is_refused(app: App) -> None:
    refused = app.post("/v1/classify", b'{"pictures": [{"pixels": [[0.0, NaN, 1.0], [0, 1, 0.5], [0, 1, 0]]}]}', JSON)
    assert refused.status == 422
    assert "pixels are from nan to nan" in refused.error
