"""Training callback: progress bar, epoch log, checkpoints, early stopping."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from mnist_edge_runtime.command_line import tell
from mnist_edge_runtime.errors import UsageError

from .. import progress
from ..networks.recipe import Recipe
from . import checkpoint
from .checkpoint import State

__all__ = ["DivergedError", "TrainingCallback"]

_EMPTY = State(history={"accuracy": [], "loss": [], "val_accuracy": [], "val_loss": []}, seconds=0.0, variables=())


class DivergedError(UsageError):
    """The loss became NaN or infinite: the recipe does not suit the network."""


class TrainingCallback(keras.callbacks.Callback):  # type: ignore[misc]
    """Advances the progress bar with every batch; after every epoch writes a checkpoint and logs a line on stderr.

    Where stderr is no terminal, it logs at most every few seconds, and always the first and the last epoch.

    Stops the training when the loss is not finite or the recipe's patience ends.

    Args:
        model: compiled, with its optimizer built; `state` is restored into it.
        recipe: the hyper-parameters.
        state: the last checkpoint of an interrupted training, or None.
        folder: for the checkpoint.
        advance: moves the progress bar.
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
        self._started = self._told = time.monotonic()

    @property
    def history(self) -> dict[str, list[float]]:
        """The metrics of every epoch, including those before a resumption."""
        return {name: list(values) for name, values in self._state.history.items()}

    @property
    def epochs(self) -> int:
        return len(self._state.history["loss"])

    @property
    def seconds(self) -> float:
        return self._state.seconds

    @property
    def finished(self) -> bool:
        """Whether all epochs are done, or the patience for a lower validation loss has run out."""
        losses = self._state.history["val_loss"]
        patience = self._recipe.patience
        out_of_patience = patience and losses and self.epochs - 1 - int(np.argmin(losses)) >= patience
        return bool(out_of_patience) or self.epochs >= self._recipe.epochs

    def finish(self) -> None:
        """Set the final weights of the network: the moving averages, or with patience those of the best epoch."""
        self._network.optimizer.finalize_variable_values(self._network.trainable_variables)
        if self._best:
            self._network.set_weights(self._best)

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        self._started = time.monotonic()

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        loss = (logs or {})["loss"]
        self._advance(self._network.steps_per_execution, note=f"loss {loss:.4f}")
        self._check_finite(loss)

    def on_test_end(self, logs: Mapping[str, Any] | None = None) -> None:
        loss = (logs or {})["loss"]
        if self._recipe.patience and loss < min(self._state.history["val_loss"], default=math.inf):
            self._best = tuple(self._network.get_weights())

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        logs, seconds = logs or {}, time.monotonic() - self._started
        for loss in (logs["loss"], logs["val_loss"]):
            self._check_finite(loss)
        line = (
            f"epoch {epoch + 1}/{self.params['epochs']}  loss {logs['loss']:.4f}  accuracy {logs['accuracy']:.2%}"
            f"  validation loss {logs['val_loss']:.4f}  accuracy {logs['val_accuracy']:.2%}  {seconds:.1f} s"
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
        if sys.stderr is None:
            return
        if sys.stderr.isatty() or not epoch or self.finished or time.monotonic() - self._told >= progress.LOG_INTERVAL:
            self._told = time.monotonic()
            tell(line)

    def _check_finite(self, loss: float) -> None:
        if not math.isfinite(loss):
            rate = self._recipe.learning_rate
            raise DivergedError(f"the loss became NaN or infinite; choose a --learning-rate below {rate:g}")
