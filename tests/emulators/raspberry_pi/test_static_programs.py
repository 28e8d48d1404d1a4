"""The programs of `bundle --engine c` on the processors that they are for: a Pi Zero, 32 and 64 bits."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from mnist_edge_emulators import cache, debian
from mnist_edge_emulators.errors import UnavailableError
from mnist_edge_emulators.raspberry_pi.device import emulator
from mnist_edge_exporters.bundle import static_program
from mnist_edge_runtime import Classifier, models
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_runtime.preprocessing import mnist
from mnist_edge_trainer.data.datasets import Dataset

MODEL = models.bundled_models("litert")[0]
PROCESSORS = {
    "armv6": ("qemu-arm", "arm1176"),
    "armhf": ("qemu-arm", "cortex-a7"),
    "arm64": ("qemu-aarch64", "cortex-a53"),
}
CODE = 80_000  # bytes besides the network, at most


@pytest.fixture(scope="module", autouse=True)
def _compilers_cache() -> Iterator[None]:
    """Keep the compiler's C libraries beside the boards."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ZIG_GLOBAL_CACHE_DIR", str(cache.folder() / "zig"))
        yield


@pytest.mark.parametrize("processor", PROCESSORS)
def test_it_proves_itself_and_answers_as_on_the_workstation(processor: str, dataset: Dataset, tmp_path: Path) -> None:
    try:
        tools = emulator()
    except UnavailableError as error:
        pytest.skip(str(error))
    program = static_program.build(MODEL, processor, tmp_path / "digits")
    qemu, cpu = PROCESSORS[processor]
    command = [*debian.host_command(tools, qemu), "-cpu", cpu, str(program.file)]
    images = dataset.test_images[:100]
    lines = "\n".join(json.dumps({"id": index, "pixels": image.tolist()}) for index, image in enumerate(images))
    selftest = subprocess.run([*command, "--selftest"], capture_output=True, text=True, check=True)
    answered = subprocess.run([*command, "-"], input=lines, capture_output=True, text=True, check=True)

    assert program.bytes <= len(sealed_model.read(MODEL).payload) + CODE
    assert json.loads(selftest.stdout) == {"model": MODEL.name, "passed": True, "wrong_logits": 0}
    found = [json.loads(line) for line in answered.stdout.splitlines()]
    assert [line["id"] for line in found] == list(range(len(images)))
    with Classifier.load(MODEL) as classifier:
        for image, line in zip(images, found, strict=True):
            expected = classifier.classify(mnist.to_mnist(image))
            assert (line["label"], line["accepted"]) == (expected.label, expected.accepted)
            assert line["confidence"] == pytest.approx(expected.confidence, abs=1e-6)
