"""Train the convnet of Keras' own MNIST example, epoch by epoch; a child of `training.py`.

    convnet_worker.py SEED DATA

DATA is an .npz file with train_images, train_labels, validation_images and validation_labels. Each epoch prints a line
on stderr as `mnist-edge train` does; the training ends with the first that reaches the goal, else after its 15.
"""

from __future__ import annotations

import os
import sys
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from keras import layers

EPOCHS, BATCH = 15, 128  # of the example
GOAL = 0.99


class Told(keras.callbacks.Callback):  # type: ignore[misc]
    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        reached = logs["val_accuracy"]
        print(f"epoch {epoch + 1}/{EPOCHS}  validation accuracy {reached:.2%}", file=sys.stderr, flush=True)
        self.model.stop_training = reached >= GOAL


def main(seed: str, file: str) -> None:
    keras.utils.set_random_seed(int(seed))
    data = np.load(file)

    def images(part: str) -> Any:
        return np.expand_dims(data[f"{part}_images"].astype("float32") / 255, -1)

    def labels(part: str) -> Any:
        return keras.utils.to_categorical(data[f"{part}_labels"], 10)

    model = keras.Sequential(
        [
            keras.Input(shape=(28, 28, 1)),
            layers.Conv2D(32, kernel_size=(3, 3), activation="relu"),
            layers.MaxPooling2D(pool_size=(2, 2)),
            layers.Conv2D(64, kernel_size=(3, 3), activation="relu"),
            layers.MaxPooling2D(pool_size=(2, 2)),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    model.fit(
        images("train"),
        labels("train"),
        batch_size=BATCH,
        epochs=EPOCHS,
        validation_data=(images("validation"), labels("validation")),
        callbacks=[Told()],
        verbose=0,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
