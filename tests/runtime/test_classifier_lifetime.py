from __future__ import annotations

import copy
import gc
import pickle
import shutil
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from mnist_edge_runtime import Classifier, InputError
from mnist_edge_runtime.model_file import sealed_model
from numpy.typing import NDArray

Images = NDArray[np.uint8]


@pytest.fixture
def images(model_file: Path) -> Images:
    return sealed_model.read(model_file).golden.images


# Forks while another thread is in the engine; the child, and a child of it, must answer as their parent does.
FORK = """
import os, sys, threading
import numpy as np
from mnist_edge_runtime import Classifier
from mnist_edge_runtime.model_file import sealed_model

classifier = Classifier.load(sys.argv[1], threads=int(sys.argv[2]))
images = sealed_model.read(sys.argv[1]).golden.images
expected = classifier.logits(images)
done = threading.Event()

def work():
    while not done.is_set():
        classifier.logits(images)

thread = threading.Thread(target=work)
thread.start()
for _ in range(5):
    child = os.fork()
    if child == 0:
        code = 0 if np.array_equal(classifier.logits(images), expected) else 1
        grandchild = os.fork()
        if grandchild == 0:
            sys.exit(0 if np.array_equal(classifier.logits(images[:1]), expected[:1]) else 1)
        sys.exit(code or os.waitstatus_to_exitcode(os.waitpid(grandchild, 0)[1]))
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
done.set()
thread.join()
"""


def test_a_closed_classifier_is_not_used(model_file: Path, images: Images) -> None:
    with Classifier.load(model_file) as classifier:
        classifier.classify(images[0])

    for use in (classifier.logits, classifier.probabilities, lambda batch: classifier.classify(batch[0])):
        with pytest.raises(InputError, match="closed"):
            use(images)


def test_a_classifier_may_be_closed_twice_and_also_after_an_error(model_file: Path) -> None:
    classifier = Classifier.load(model_file)
    with pytest.raises(InputError, match="got NoneType"), classifier:
        classifier.classify(None)  # type: ignore[arg-type]
    classifier.close()

    with pytest.raises(InputError, match="closed"):
        classifier.logits(np.zeros((1, 28, 28), np.uint8))


def _engines_alive() -> Counter[str]:
    names = [type(found).__name__ for found in gc.get_objects()]
    return Counter(name for name in names if name in ("Interpreter", "InferenceSession"))


def test_closing_releases_the_engine_immediately(int8_file: Path) -> None:
    images = sealed_model.read(int8_file).golden.images
    before = _engines_alive()
    gc.disable()
    try:
        with Classifier.load(int8_file) as classifier:
            classifier.logits(np.resize(images, (100, 28, 28)))
            assert _engines_alive() - before
        assert not _engines_alive() - before
    finally:
        gc.enable()


@pytest.mark.long
def test_threads_may_share_a_classifier(tflite_file: Path) -> None:
    images = sealed_model.read(tflite_file).golden.images
    count, together = len(images), threading.Barrier(8)
    with Classifier.load(tflite_file) as classifier, ThreadPoolExecutor(8) as pool:
        expected = np.stack([classifier.logits(image) for image in images])

        def mismatches(thread: int) -> int:
            together.wait()
            places = (np.arange(2_000) * (2 * thread + 1) + thread) % count
            return sum(not np.array_equal(classifier.logits(images[place]), expected[place]) for place in places)

        assert list(pool.map(mismatches, range(8))) == [0] * 8


def test_threads_may_share_a_classifier_for_batches(int8_file: Path) -> None:
    images = sealed_model.read(int8_file).golden.images
    together = threading.Barrier(4)
    with Classifier.load(int8_file) as classifier, ThreadPoolExecutor(4) as pool:
        expected = np.stack([classifier.logits(image) for image in images])

        def mismatches(thread: int) -> int:
            together.wait()
            counts = [1 + (number + thread) % len(images) for number in range(100)]
            return sum(not np.array_equal(classifier.logits(images[:count]), expected[:count]) for count in counts)

        assert list(pool.map(mismatches, range(4))) == [0] * 4


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
@pytest.mark.parametrize("threads", [1, 2])
def test_a_classifier_survives_fork(int8_file: Path, threads: int) -> None:
    command = [sys.executable, "-c", FORK, int8_file, str(threads)]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    assert (result.returncode, result.stdout.split()) == (0, ["0"] * 5), result.stderr


def test_two_classifiers_do_not_disturb_each_other(model_file: Path, images: Images) -> None:
    with Classifier.load(model_file) as first:
        expected = first.logits(images)
        with Classifier.load(model_file) as second:
            np.testing.assert_array_equal(second.logits(images), expected)
        np.testing.assert_array_equal(first.logits(images), expected)


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_do_not_change_the_answers(int8_file: Path, threads: int) -> None:
    golden = sealed_model.read(int8_file).golden
    with Classifier.load(int8_file) as one, Classifier.load(int8_file, threads=threads) as several:
        np.testing.assert_array_equal(several.logits(golden.images), one.logits(golden.images))


def _label(classifier: Classifier, image: Images) -> str:
    return classifier.classify(image).label


@pytest.mark.parametrize("method", ["spawn", "fork"])
def test_process_pools_take_a_classifier(tflite_file: Path, method: str) -> None:
    images = sealed_model.read(tflite_file).golden.images[:3]
    with Classifier.load(tflite_file, accept_all=True) as classifier:
        expected = [classifier.classify(image).label for image in images]
        with ProcessPoolExecutor(1, get_context(method)) as pool:
            assert list(pool.map(partial(_label, classifier), images)) == expected


@pytest.mark.parametrize("copied", [lambda value: pickle.loads(pickle.dumps(value)), copy.copy, copy.deepcopy])
def test_a_copy_carries_the_file(tflite_file: Path, tmp_path: Path, copied: Callable[[Classifier], Classifier]) -> None:
    file = tmp_path / "digits.tflite"
    shutil.copy(tflite_file, file)
    original = Classifier.load(file)
    other = copied(original)
    file.unlink()
    original.close()
    images = sealed_model.read(tflite_file).golden.images

    with Classifier.load(tflite_file) as expected:
        np.testing.assert_array_equal(other.logits(images), expected.logits(images))
    assert (other.file, other.engine_name, other.contract) == (file, original.engine_name, original.contract)
    other.close()
    with pytest.raises(InputError, match="closed"):
        pickle.loads(pickle.dumps(other)).classify(images[0])
