from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from mnist_edge_exporters.integer.evaluate import evaluate
from mnist_edge_exporters.integer.network import Network, Reshape
from mnist_edge_exporters.javascript import generate, project, proof
from mnist_edge_exporters.javascript.project import Project
from mnist_edge_runtime import ModelError, models
from mnist_edge_runtime.acceptance import acceptance
from mnist_edge_runtime.model_file.sealed_model import SealedModel
from numpy.typing import NDArray

from .conftest import ORIGIN

Make = Callable[..., tuple[Project, Network]]


def _with_output(bundled: SealedModel, **changes: float | None) -> SealedModel:
    return replace(bundled, contract=replace(bundled.contract, output=replace(bundled.contract.output, **changes)))


@pytest.mark.parametrize("threshold", [0.2, 0.6, 0.999, None])
@pytest.mark.parametrize("literal", [False, True])
def test_an_answer_is_accepted_as_in_python(
    threshold: float | None,
    literal: bool,
    bundled: SealedModel,
    make: Make,
    images: NDArray[np.uint8],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if literal:  # as where a weight is so near to a half that engines might round it otherwise
        monkeypatch.setattr(generate, "_UNCERTAIN", 1.0)
    sealed = _with_output(bundled, threshold=threshold)
    made = project.make(sealed, make()[1], "net", ORIGIN)
    assert ("Math.exp(steps" in made.module) == (threshold is not None and not literal)
    found, rule = proof.answers(made.module, images, []), acceptance(sealed.contract.output)
    assert found.accepted.tolist() == [rule is None or rule.accepts(raw) for raw in found.logits]
    if threshold == 0.6:
        assert 0 < found.accepted.sum() < len(images)


def test_golden_images_are_packed_and_come_back(make: Make, bundled: SealedModel) -> None:
    packed = generate._packed(np.array([[0] * 300 + [7, 0, 255]], np.uint8))
    assert packed == bytes([0, 255, 0, 45, 7, 0, 1, 255])


def test_what_the_contract_says_ends_no_script(bundled: SealedModel, make: Make, images: NDArray[np.uint8]) -> None:
    note = "</script><b> '\\\n `${x}` \u2028"
    contract = replace(bundled.contract, origin={**bundled.contract.origin, "note": note})
    made = project.make(replace(bundled, contract=contract), make()[1], "net", ORIGIN)
    assert "</script><b>" not in made.module
    assert made.files["net.html"].count("</script>") == 1
    proof.answers(made.module, images[:2], [])
    found = re.search(r"^export const contract = (.*);$", made.module, re.MULTILINE)
    assert found
    assert json.loads(found[1])["origin"]["note"] == note


def test_another_type_of_image_is_refused(bundled: SealedModel, make: Make) -> None:
    network = make()[1]
    tensors = list(network.tensors)
    tensors[network.input] = replace(tensors[network.input], dtype="int8")
    with pytest.raises(ModelError, match="images and logits of uint8; export with --io-dtype uint8"):
        project.make(bundled, replace(network, tensors=tuple(tensors)), "net", ORIGIN)


def test_the_same_network_gives_the_same_bytes(make: Make) -> None:
    assert make()[0].files == make()[0].files


def test_the_module_of_the_wheel_is_made_of_the_file_that_ships(bundled: SealedModel, make: Make) -> None:
    """The same bytes are made again of that file, and what is proven of the module."""
    text = models.bundled_module()
    said = re.search(r"from (\S+) \(SHA-256 (\w+)\).*?on (\d+) test images.*?on (\d+) pictures", text, re.DOTALL)
    version = re.search(r"Made by mnist-edge (\S+) from", text)
    assert said
    assert version
    file, sha256, images, pictures = said.groups()
    origin = {"file": file, "sha256": sha256, "images": int(images), "pictures": int(pictures), "version": version[1]}
    assert project.make(bundled, make()[1], "small", origin).module == text
    assert int(images) == 10_000


def test_the_outputs_of_layers_are_those_of_the_integer_network(make: Make, images: NDArray[np.uint8]) -> None:
    from py_mini_racer import MiniRacer

    made, network = make()
    with MiniRacer() as engine:
        engine.eval(generate.as_script(made.module))
        text = engine.eval(
            f"const image = Uint8Array.from({images[3].reshape(-1).tolist()});"
            "const first = layers(image); classify(new Uint8Array(784));"
            "JSON.stringify(first.map(({ y, values }) => [y, Array.from(values)]))"
        )
    found, picture = json.loads(str(text)), images[3][np.newaxis, ..., np.newaxis]
    ends = [index for index, operator in enumerate(network.operators, 1) if not isinstance(operator, Reshape)]
    for (shape, values), end in zip(found, ends, strict=True):
        output = network.operators[end - 1].output
        expected = evaluate(replace(network, operators=network.operators[:end], output=output), picture)
        assert values == expected.reshape(-1).tolist()
        assert np.prod(shape[:3]) == len(values)
        assert shape[3] == network.tensors[output].zero_point


def test_a_script_exports_nothing(make: Make) -> None:
    made, _ = make()
    script = generate.as_script(made.module)
    assert not re.search(r"^export", script, re.MULTILINE)
    assert script.count("function read(") == 1
