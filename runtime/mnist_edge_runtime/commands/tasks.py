"""What is done with each picture: the steps that are the same in this process and in others."""

from __future__ import annotations

import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ..classifier import Classifier
from ..command_line import open_streams
from ..errors import BlankError, InputError, MnistEdgeError, UsageError
from ..model_file.contract import IMAGE_SHAPE
from ..output_capture import hide_warnings, suppress_output
from ..time_limit import Limit, model_limit
from .image_sources import Notice, Picture, fault

if TYPE_CHECKING:
    from ..unverified.classifier import UnverifiedClassifier

__all__ = ["Classify", "PictureTask", "answers"]


@dataclass(frozen=True)
class PictureTask(ABC):
    """Answer a picture with a classifier.

    Attributes:
        classifier: answers; a copy in another process loads an engine of its own.
        debug: print where an error comes from.
        ending: errors that end the command, and are no picture's alone; they stay as they are.
    """

    step: ClassVar[str]  # in the message about its limit on time

    classifier: Classifier | UnverifiedClassifier
    debug: bool = False
    ending: tuple[type[MnistEdgeError], ...] = (UsageError,)

    def load(self) -> None:
        """Load the engine in a process of its own."""
        open_streams()
        hide_warnings(["--debug"] if self.debug else [])
        assert isinstance(self.classifier, Classifier)
        with model_limit(self.classifier.file, "load"), suppress_output():  # engines greet on stderr
            self.classifier.logits(np.zeros(IMAGE_SHAPE, np.uint8))

    @contextmanager
    def run(self) -> Iterator[Callable[[Picture | Notice], Any]]:
        """Yield the function that answers a picture, or returns its error; of a notice None."""
        with model_limit(self.classifier.file, self.step) as limit:
            limit.pause()
            yield partial(self._answer_or_error, limit)

    def _answer_or_error(self, limit: Limit, picture: Picture | Notice) -> Any:
        if isinstance(picture, Notice):
            return None
        try:
            return self.answer(picture, limit)
        except BlankError as error:
            return error
        except self.ending as error:
            return error
        except Exception as error:
            if self.debug:
                traceback.print_exc()
            return error if isinstance(error, InputError) else fault(picture.name, error)

    @abstractmethod
    def answer(self, picture: Picture, limit: Limit) -> Any:
        """Return the answer to a picture; the classifier's part of it counts to the limit."""


@dataclass(frozen=True)
class Classify(PictureTask):
    """Return the prediction for a picture, and where it is kept the image that the model sees of it."""

    step = "answer a picture"

    preprocess: str = "auto"
    keep: bool = True

    def answer(self, picture: Picture, limit: Limit) -> Any:
        image = picture.to_mnist(self.preprocess)
        limit.again()
        try:
            return self.classifier.classify(image), image if self.keep else None
        finally:
            limit.pause()


def answers(
    task: PictureTask, pictures: Iterable[Picture | Notice], processes: int
) -> Generator[tuple[Picture | Notice, Any], None, None]:
    """Yield each picture with its answer or its error, in order; with 1 as soon as the picture comes."""
    if processes > 1:
        from . import process_pool  # its import would cost a single picture more than its answer

        yield from process_pool.answers(task, pictures, processes)
        return
    with task.run() as answer:
        for picture in pictures:
            yield picture, answer(picture)
