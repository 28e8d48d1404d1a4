from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mnist_edge_runtime import Classifier, Contract, EngineError, InputError, ModelError, UsageError, models
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_runtime.prediction import softmax
from mnist_edge_trainer.data.datasets import Dataset
from numpy.typing import NDArray

Images = NDArray[np.uint8]


@pytest.fixture
def images(model_file: Path) -> Images:
    return sealed_model.read(model_file).golden.images


@pytest.fixture
def classifier(model_file: Path) -> Iterator[Classifier]:
    with Classifier.load(model_file) as loaded:
        yield loaded


def _output(**changes: Any) -> Callable[[Contract], Contract]:
    return lambda contract: replace(contract, output=replace(contract.output, **changes))


@pytest.mark.parametrize("as_path", [Path, str])
def test_a_file_is_loaded_with_its_contract_and_an_engine(
    model_file: Path, as_path: Callable[[Path], str | Path]
) -> None:
    with Classifier.load(as_path(model_file)) as classifier:
        assert classifier.contract == sealed_model.read(model_file).contract
        assert classifier.engine_name == {".tflite": "litert", ".onnx": "onnxruntime"}[model_file.suffix]


def test_logits_and_probabilities_of_a_batch(classifier: Classifier, images: Images) -> None:
    logits, probabilities = classifier.logits(images), classifier.probabilities(images)

    for answers in (logits, probabilities):
        assert (answers.shape, answers.dtype) == ((len(images), 10), np.dtype(np.float32))
    assert np.isfinite(logits).all()
    assert ((probabilities >= 0) & (probabilities <= 1)).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)


def test_probabilities_are_the_softmax_of_the_logits(classifier: Classifier, images: Images) -> None:
    temperature = classifier.contract.output.temperature
    exponentials = np.exp(classifier.logits(images).astype(np.float64) / temperature)

    np.testing.assert_allclose(
        classifier.probabilities(images), exponentials / exponentials.sum(axis=1, keepdims=True), atol=1e-5
    )


def test_the_answers_are_those_of_the_keras_model(model_file: Path, classifier: Classifier) -> None:
    sealed = sealed_model.read(model_file)
    golden, limit = sealed.golden, sealed.contract.selftest.probability

    assert [classifier.classify(image).label for image in golden.images] == golden.predicted.tolist()
    probabilities = softmax(classifier.logits(golden.images))
    np.testing.assert_allclose(probabilities, golden.probabilities, rtol=0, atol=limit)


def test_a_prediction_says_what_the_probabilities_say(classifier: Classifier, images: Images) -> None:
    prediction = classifier.classify(images[0])

    assert prediction.label == classifier.contract.labels[int(prediction.probabilities.argmax())]
    assert isinstance(prediction.confidence, float)
    assert prediction.confidence == prediction.probabilities.max()
    assert (prediction.probabilities.shape, prediction.probabilities.dtype) == ((10,), np.dtype(np.float32))
    assert prediction.accepted is True
    assert prediction.reason is None


@pytest.mark.parametrize("count", [1, 40, 300])
def test_a_batch_gives_what_its_images_give_one_by_one(classifier: Classifier, images: Images, count: int) -> None:
    batch = np.resize(images, (count, 28, 28))
    singles = np.concatenate([classifier.logits(image[np.newaxis]) for image in batch])

    if classifier.contract.quantization == "int8":
        np.testing.assert_array_equal(classifier.logits(batch), singles)
    else:
        np.testing.assert_allclose(classifier.logits(batch), singles, rtol=0, atol=1e-4)


def test_one_image_gives_what_it_gives_in_a_batch(classifier: Classifier, images: Images) -> None:
    for answers in (classifier.logits, classifier.probabilities):
        (in_batch,), alone = answers(images[:1]), answers(images[0])

        assert (alone.shape, alone.dtype) == ((10,), np.dtype(np.float32))
        np.testing.assert_array_equal(alone, in_batch)
    np.testing.assert_array_equal(classifier.classify(images[0]).probabilities, alone)


def test_a_second_batch_does_not_change_the_first_ones_answers(classifier: Classifier, images: Images) -> None:
    first = classifier.logits(images[:1])
    kept = first.copy()

    classifier.logits(np.invert(images[:1]))

    np.testing.assert_array_equal(first, kept)


def test_an_empty_batch_has_no_answers(classifier: Classifier, images: Images) -> None:
    for answers in (classifier.logits(images[:0]), classifier.probabilities(images[:0])):
        assert (answers.shape, answers.dtype) == ((0, 10), np.dtype(np.float32))


@pytest.mark.parametrize(
    "view",
    [
        lambda images: np.repeat(images, 2, axis=0)[::2],
        lambda images: np.repeat(images, 2, axis=2)[..., ::2],
        lambda images: np.asfortranarray(images),
        lambda images: images[:, ::-1].copy()[:, ::-1],
    ],
    ids=["every second image", "every second column", "columns first", "upside down"],
)
def test_the_order_in_memory_does_not_matter(
    classifier: Classifier, images: Images, view: Callable[[Images], Images]
) -> None:
    viewed = view(images)
    viewed.setflags(write=False)

    np.testing.assert_array_equal(viewed, images)
    np.testing.assert_array_equal(classifier.logits(viewed), classifier.logits(images))


UNFIT: dict[str, tuple[Callable[[Images], Any], str]] = {
    "float": (lambda images: images.astype(np.float32), r"float32 \(40, 28, 28\)"),
    "above 255": (lambda images: images.astype(np.int64) + 256, "int64 from 256 to "),
    "below 0": (lambda images: images.view(np.int8), "int8 from -"),
    "bool": (lambda images: images > 0, r"bool \(40, 28, 28\)"),
    "two channels": (lambda images: np.stack([images, images], axis=-1), r"uint8 \(40, 28, 28, 2\)"),
    "too narrow": (lambda images: images[:, :, 1:], r"uint8 \(40, 28, 27\)"),
    "ragged": (lambda images: [*images.tolist(), [1]], "list"),
    "bytes": (lambda images: images.tobytes(), "bytes"),
    "None": (lambda images: None, "NoneType"),
}


@pytest.mark.parametrize("kind", UNFIT)
@pytest.mark.parametrize("method", ["logits", "probabilities"])
def test_what_is_no_batch_of_images_is_refused(tflite_file: Path, method: str, kind: str) -> None:
    change, got = UNFIT[kind]
    batch = change(np.resize(sealed_model.read(tflite_file).golden.images, (40, 28, 28)))

    with (
        Classifier.load(tflite_file) as classifier,
        pytest.raises(InputError, match=rf"got {got}.*, expected uint8 \(28, 28\) or \(N, 28, 28\)"),
    ):
        getattr(classifier, method)(batch)


@pytest.mark.parametrize("kind", UNFIT)
def test_what_is_no_image_is_refused(tflite_file: Path, kind: str) -> None:
    change, _ = UNFIT[kind]
    batch = change(np.resize(sealed_model.read(tflite_file).golden.images, (40, 28, 28)))
    image = batch[0] if isinstance(batch, np.ndarray) else batch

    expected = "picture" if kind == "bytes" else r"got .*, expected .*uint8 \(28, 28\)"
    with Classifier.load(tflite_file) as classifier, pytest.raises(InputError, match=expected):
        classifier.classify(image)


def test_many_images_are_no_image(classifier: Classifier, images: Images) -> None:
    with pytest.raises(InputError, match="got 2 images, expected one"):
        classifier.classify(images[:2])


def test_every_form_of_an_image_has_the_same_answer(classifier: Classifier, images: Images) -> None:
    expected = classifier.classify(images[0])

    for form in (images[:1], images[0].ravel(), images[0, ..., np.newaxis], images[0].astype(np.int64).tolist()):
        found = classifier.classify(form)
        assert (found.label, found.confidence) == (expected.label, expected.confidence)
    for batch in (images.reshape(-1, 784), images[:, np.newaxis], images.astype(">i4"), images.tolist()):
        np.testing.assert_array_equal(classifier.logits(batch), classifier.logits(images))
        np.testing.assert_array_equal(classifier.probabilities(batch), classifier.probabilities(images))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_nan_is_never_an_answer(classifier: Classifier, images: Images, value: float) -> None:
    engine = classifier._engine
    assert engine

    def decode(raw: Any) -> Any:
        logits = engine.decode(raw).copy()
        logits[..., 3] = value
        return logits

    classifier._engine = engine._replace(decode=decode)

    with pytest.raises(EngineError, match="answers with NaN"):
        classifier.classify(images[0])
    with pytest.raises(EngineError, match="answers with NaN"):
        classifier.probabilities(images)
    with pytest.raises(EngineError, match="answers with NaN"):
        classifier.scores(classifier.logits(images))


def test_a_confidence_below_the_threshold_is_not_accepted(int8_file: Path, reseal: Callable[..., Path]) -> None:
    golden = sealed_model.read(int8_file).golden
    with Classifier.load(int8_file) as classifier:
        confidences = sorted(classifier.classify(image).confidence for image in golden.images)
    threshold = (confidences[0] + confidences[-1]) / 2

    with Classifier.load(reseal(int8_file, contract=_output(softening=1.0, threshold=threshold))) as classifier:
        predictions = [classifier.classify(image) for image in golden.images]

    assert {prediction.accepted for prediction in predictions} == {True, False}
    for prediction in predictions:
        assert prediction.accepted is (prediction.confidence >= threshold)
        if prediction.accepted:
            assert prediction.reason is None
        else:
            assert prediction.reason is not None
            assert f"{prediction.confidence:.3f}" in prediction.reason
            assert f"{threshold:.3f}" in prediction.reason


def test_the_threshold_itself_is_accepted(files: Mapping[str, Path], reseal: Callable[..., Path]) -> None:
    """By the score of a float file; test_acceptance.py has the integers of the others."""
    float_file = files["tflite-none"]
    image = sealed_model.read(float_file).golden.images[0]
    with Classifier.load(float_file) as classifier:
        confidence = classifier.classify(image).confidence

    with Classifier.load(reseal(float_file, contract=_output(softening=1.0, threshold=confidence))) as classifier:
        assert classifier.classify(image).accepted


def test_scores_are_the_largest_softened_probabilities(int8_file: Path, reseal: Callable[..., Path]) -> None:
    images = sealed_model.read(int8_file).golden.images
    with Classifier.load(reseal(int8_file, contract=_output(temperature=1.25, softening=4.0))) as classifier:
        logits = classifier.logits(images)
        scores = classifier.scores(logits)
    exponentials = np.exp(logits.astype(np.float64) / 5)
    np.testing.assert_allclose(scores, exponentials.max(axis=1) / exponentials.sum(axis=1), rtol=1e-5)


def _accepted(classifier: Classifier, images: Images) -> float:
    return float(np.mean([classifier.classify(image).accepted for image in images]))


NOISE = np.random.default_rng(0).integers(0, 256, (100, 28, 28), np.uint8)
BLANKS = np.repeat(np.arange(0, 256, 8, np.uint8), 784).reshape(-1, 28, 28)


def test_a_file_refuses_noise_and_blanks_and_accepts_most_digits(int8_file: Path, dataset: Dataset) -> None:
    with Classifier.load(int8_file) as classifier:
        # The weights of a training, and with them its threshold, are others on other processors.
        assert _accepted(classifier, dataset.test_images[:300]) > 0.7
        assert _accepted(classifier, NOISE) < 0.2
        assert _accepted(classifier, BLANKS) < 0.2


@pytest.mark.parametrize("network", models.NETWORKS)
def test_so_does_every_file_that_ships(network: str, dataset: Dataset) -> None:
    """Of scikit-learn's digits, which are no MNIST images, most."""
    for file in models.bundled_models(network=network):
        with Classifier.load(file) as classifier:
            assert _accepted(classifier, dataset.test_images[:300]) > (0.7 if dataset.name == "digits" else 0.95)
            assert _accepted(classifier, NOISE) < 0.05
            assert _accepted(classifier, BLANKS) < 0.05


def test_a_threshold_changes_neither_labels_nor_confidences(int8_file: Path, reseal: Callable[..., Path]) -> None:
    image = sealed_model.read(int8_file).golden.images[0]
    strict = reseal(int8_file, contract=_output(threshold=1.0))
    with Classifier.load(int8_file) as plain, Classifier.load(strict) as with_threshold:
        one, other = plain.classify(image), with_threshold.classify(image)

    assert (one.label, one.confidence) == (other.label, other.confidence)


@pytest.mark.parametrize("temperature", [0.5, 2.0, 10.0])
def test_a_temperature_softens_probabilities_only(
    int8_file: Path, reseal: Callable[..., Path], temperature: float
) -> None:
    images = sealed_model.read(int8_file).golden.images
    changed = reseal(int8_file, contract=_output(temperature=temperature))
    with Classifier.load(int8_file) as plain, Classifier.load(changed) as tempered:
        logits = plain.logits(images)
        before, after = plain.probabilities(images), tempered.probabilities(images)
        np.testing.assert_array_equal(tempered.logits(images), logits)

    exponentials = np.exp(logits.astype(np.float64) / temperature)
    np.testing.assert_allclose(after, exponentials / exponentials.sum(axis=1, keepdims=True), atol=1e-5)
    np.testing.assert_array_equal(after.argmax(axis=1), before.argmax(axis=1))
    softer = bool(after.max(axis=1).mean() < before.max(axis=1).mean())
    assert softer == (temperature > 1)


def test_what_cannot_be_loaded_is_refused(model_file: Path, tmp_path: Path, reseal: Callable[..., Path]) -> None:
    with pytest.raises(InputError, match="missing"):
        Classifier.load(tmp_path / "missing.tflite")
    with pytest.raises(UsageError, match="engine"):
        Classifier.load(model_file, engine="tensorflow")
    plain = tmp_path / f"plain{model_file.suffix}"
    plain.write_bytes(sealed_model.read(model_file).payload)
    with pytest.raises(ModelError, match="no contract"):
        Classifier.load(plain)


def test_an_engine_error_names_the_file(int8_file: Path, reseal: Callable[..., Path]) -> None:
    broken = reseal(int8_file, contract=lambda contract: replace(contract, labels=contract.labels[:-1]))
    engine = {".tflite": "litert", ".onnx": "onnxruntime"}[int8_file.suffix]

    with pytest.raises(EngineError, match=rf"{broken.name}: .*{engine} cannot run it"):
        Classifier.load(broken, engine=engine)
