"""Classify a folder of pictures on all machines of a Ray cluster: python many_pictures_ray.py FOLDER ANSWERS.

Without a cluster it starts one on this machine. FOLDER and ANSWERS are folders that every machine sees, or s3://...
and the like; each part of ANSWERS is a table, CSV.
"""

import sys

import numpy as np
import ray
from mnist_edge_runtime import Classifier, InputError


class Reader:
    """An actor with one classifier."""

    def __init__(self) -> None:
        self.classifier = Classifier.load()

    def __call__(self, batch: dict[str, np.ndarray]) -> dict[str, object]:
        labels, confidences, errors = map(list, zip(*map(self.answer, batch["bytes"]), strict=True))
        return {"file": batch["path"], "label": labels, "confidence": confidences, "error": errors}

    def answer(self, content: bytes) -> tuple[str, float, str]:
        try:
            found = self.classifier.classify(content)
        except InputError as error:
            return "", 0.0, str(error)
        return found.label if found.accepted else "unsure", found.confidence, ""


if __name__ == "__main__":
    ray.init()
    actors = ray.data.ActorPoolStrategy(min_size=1, max_size=int(ray.cluster_resources()["CPU"]))
    pictures = ray.data.read_binary_files(sys.argv[1], include_paths=True)
    pictures.map_batches(Reader, compute=actors, batch_size=256).write_csv(sys.argv[2])
