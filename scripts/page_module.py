"""Write the network `small` that ships with the runtime as JavaScript, for the page of `serve`, and prove it in V8.

python scripts/page_module.py

`scripts/models.py` does it whenever it publishes networks.
"""

from __future__ import annotations

from mnist_edge_exporters.export import export_web
from mnist_edge_exporters.javascript import proof
from mnist_edge_runtime import Classifier, models
from mnist_edge_runtime.files import atomic_path
from mnist_edge_trainer.data import datasets

NETWORK, DATA = "small", "mnist"


def write() -> None:
    """Prove the module on MNIST's test images and write it into the runtime's package."""
    (file,) = models.bundled_models("litert", NETWORK)
    images = datasets.load(DATA).test_images
    proof.check_tools()
    with Classifier.load(file, engine="litert") as classifier:
        made, compared = export_web.proven(file, images, classifier.logits(images), NETWORK)
    with atomic_path(models.MODULE) as target:
        target.write_text(made.module, encoding="utf-8")
    print(f"{models.MODULE.name}: 0 of {compared:,} logits differ")


if __name__ == "__main__":
    write()
