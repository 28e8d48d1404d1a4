"""What watches over a training: its bar and its lines, its checkpoints, and when it stops."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from mnist_edge_runtime.errors import UsageError

from ..networks.recipe import Recipe
from . import checkpoint
from .checkpoint import State

__all__ = ["DivergedError", "Keeper"]

_EMPTY = State(history={"accuracy": [], "loss": [], "val_accuracy": [], "val_loss": []}, seconds=0.0, variables=())


class DivergedError(UsageError):
    """The loss became NaN or infinite: this recipe does not train this network."""


class Keeper(keras.callbacks.Callback):  # type: ignore[misc]
    """Moves the bar while batches pass; after every epoch leaves a line on stderr and a checkpoint in the folder.

    Stops where the loss is not finite, or where the recipe's patience ends.

    Args:
        model: compiled, its optimizer built; it is brought to `state`.
        recipe: how it is trained.
        state: where a training that was cut short had come to, or None.
        folder: where checkpoints are written.
        advance: moves the bar.
        steps: batches in an epoch.
        watch: called after each epoch's checkpoint with the validation accuracies of all epochs, or None.
    """

    def __init__(
        self,
        model: Any,
        recipe: Recipe,
        state: State | None,
        folder: Path,
        advance: Callable[..., None],
        steps: int,
        watch: Callable[[Sequence[float]], None] | None,
    ) -> None:
        super().__init__()
        self._watch = watch
        self._network, self._recipe, self._folder, self._advance = model, recipe, folder, advance
        self._variables = [*model.variables, *model.optimizer.variables]
        self._state = state or _EMPTY
        if state:
            checkpoint.restore(self._variables, state, folder)
        self._best = self._state.best
        advance(self.epochs * steps)
        self._started = time.monotonic()

    @property
    def history(self) -> dict[str, list[float]]:
        """The figures of every epoch, those before a resumption too."""
        return {name: list(values) for name, values in self._state.history.items()}

    @property
    def epochs(self) -> int:
        return len(self._state.history["loss"])

    @property
    def seconds(self) -> float:
        return self._state.seconds

    @property
    def finished(self) -> bool:
        """Whether all epochs are over, or too many without a lower validation loss."""
        losses = self._state.history["val_loss"]
        tired = self._recipe.patience and losses and self.epochs - 1 - int(np.argmin(losses)) >= self._recipe.patience
        return bool(tired) or self.epochs >= self._recipe.epochs

    def finish(self) -> None:
        """Leave the final weights in the network: the averaged ones, or with patience those of the best epoch."""
        self._network.optimizer.finalize_variable_values(self._network.trainable_variables)
        if self._best:
            self._network.set_weights(self._best)

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        self._started = time.monotonic()

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        loss = (logs or {})["loss"]
        self._advance(self._network.steps_per_execution, note=f"loss {loss:.4f}")
        self._insist(loss)

    def on_test_end(self, logs: Mapping[str, Any] | None = None) -> None:
        loss = (logs or {})["loss"]
        if self._recipe.patience and loss < min(self._state.history["val_loss"], default=math.inf):
            self._best = tuple(self._network.get_weights())

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        logs, seconds = logs or {}, time.monotonic() - self._started
        for loss in (logs["loss"], logs["val_loss"]):
            self._insist(loss)
        print(
            f"epoch {epoch + 1}/{self.params['epochs']}  loss {logs['loss']:.4f}  accuracy {logs['accuracy']:.2%}"
            f"  validation loss {logs['val_loss']:.4f}  accuracy {logs['val_accuracy']:.2%}  {seconds:.1f} s",
            file=sys.stderr,
        )
        self._state = State(
            history={name: [*values, float(logs[name])] for name, values in self._state.history.items()},
            seconds=self.seconds + seconds,
            variables=tuple(variable.numpy() for variable in self._variables),
            best=self._best,
        )
        checkpoint.write(self._folder, self._state)
        if self._watch:
            self._watch(self._state.history["val_accuracy"])
        self.model.stop_training = self.finished

    def _insist(self, loss: float) -> None:
        if not math.isfinite(loss):
            rate = self._recipe.learning_rate
            raise DivergedError(f"the loss became NaN or infinite; choose a --learning-rate below {rate:g}")
