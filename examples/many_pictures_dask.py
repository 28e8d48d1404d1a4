"""Classify a folder of pictures on a Dask cluster: python many_pictures_dask.py FOLDER ANSWERS [SCHEDULER].

Without the address of a scheduler it starts a cluster on this machine. FOLDER and ANSWERS are folders that every
machine sees; each part of ANSWERS is a file of JSON lines.
"""

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from dask import bag
from distributed import Client
from mnist_edge_runtime import Classifier, InputError


def answers(files: Iterable[str], classifier: Classifier) -> Iterator[dict[str, object]]:
    """Classify the pictures of a part, each with a copy of the classifier, which loads an engine of its own."""
    for file in files:
        try:
            found = classifier.classify(file)
        except InputError as error:
            yield {"file": file, "label": "", "confidence": 0.0, "error": str(error)}
        else:
            label = found.label if found.accepted else "unsure"
            yield {"file": file, "label": label, "confidence": found.confidence, "error": ""}


if __name__ == "__main__":
    with Client(*sys.argv[3:], **({} if sys.argv[3:] else {"threads_per_worker": 1})):
        files = [str(file.resolve()) for file in Path(sys.argv[1]).iterdir()]
        found = bag.from_sequence(files, partition_size=256).map_partitions(answers, Classifier.load())
        found.map(json.dumps).to_textfiles(f"{sys.argv[2]}/*.jsonl", last_endline=True)
