from __future__ import annotations

import pickle

import numpy as np
import pytest
from mnist_edge_runtime import BlankError, Classifier, EngineError, InputError, UsageError
from mnist_edge_runtime.commands import tasks
from mnist_edge_runtime.commands.image_sources import Notice, Picture
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_runtime.models import bundled_models


def _raising(error: Exception) -> Picture:
    def load() -> np.ndarray:
        raise error

    return Picture("a.png", load)


def test_each_picture_has_its_answer_or_its_error() -> None:
    (file, *_) = bundled_models("litert")
    image = sealed_model.read(file).golden.images[0]
    pictures = [
        Picture("digit", lambda: image),
        Notice(print, "said between"),
        Picture("blank", lambda: np.zeros((28, 28), np.uint8)),
        _raising(InputError("cut short")),
        _raising(ZeroDivisionError("by zero")),
        _raising(UsageError("not offered")),
        _raising(EngineError("crashed")),
    ]
    with Classifier.load(file) as classifier:
        expected = classifier.classify(image)
        for task in (tasks.Classify(classifier), pickle.loads(pickle.dumps(tasks.Classify(classifier)))):
            (prediction, seen), nothing, *errors = (found for _, found in tasks.answers(task, pictures, 1))

            assert prediction[:2] == expected[:2]
            assert np.array_equal(seen, image)
            assert nothing is None
            assert [type(error) for error in errors] == [BlankError, InputError, InputError, UsageError, EngineError]
            assert [str(error) for error in errors[1:]] == [
                "a.png: cut short",
                "a.png: cannot be read, by a fault of this program: internal error: ZeroDivisionError: by zero "
                "(--debug shows where)",
                "not offered",
                "a.png: crashed",
            ]


def test_an_error_that_ends_the_command_stays_as_it_is() -> None:
    with Classifier.load() as classifier:
        task = tasks.Classify(classifier, ending=(UsageError, EngineError))
        ((_, error),) = tasks.answers(task, [_raising(EngineError("crashed"))], 1)
    assert str(error) == "crashed"


def test_an_image_is_kept_where_it_is_wanted() -> None:
    (file, *_) = bundled_models("litert")
    image = sealed_model.read(file).golden.images[0]
    with Classifier.load(file) as classifier:
        ((_, (_, seen)),) = tasks.answers(tasks.Classify(classifier, keep=False), [Picture("digit", lambda: image)], 1)
    assert seen is None


def test_a_copy_loads_its_engine_without_a_word(capfd: pytest.CaptureFixture[str]) -> None:
    with Classifier.load() as classifier:
        copy = pickle.loads(pickle.dumps(tasks.Classify(classifier)))
    capfd.readouterr()
    copy.load()
    assert capfd.readouterr() == ("", "")
    assert copy.classifier._engine
