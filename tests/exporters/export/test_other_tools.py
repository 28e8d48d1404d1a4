"""Other projects' tools read the published files."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from mnist_edge_exporters.spec import select
from mnist_edge_runtime.engines import onnxruntime as runtime
from mnist_edge_runtime.engines.tensor_codec import encoder
from mnist_edge_runtime.model_file import sealed_model
from numpy.typing import NDArray
from onnx.reference import ReferenceEvaluator

ROOT = Path(__file__).resolve().parent.parent.parent.parent
VARIANTS = [str(spec) for spec in select("all", "all")]
TFLITE = [str(spec) for spec in select("tflite", "all")]
ONNX = [str(spec) for spec in select("onnx", "all")]

# How far the raw outputs of the reference evaluator may be from onnxruntime's: logits, for int8 steps of the output.
EVALUATOR_LIMITS = {"onnx-none": 1e-4, "onnx-float16": 0.1, "onnx-int8": 1}

# OpenVINO leaves the activations of dynamic-range files in float. That was measured to move logits by up to 0.07, which
# turns near ties: there only images whose two best logits are further apart than this have to keep their class.
NEAR_TIE = {"tflite-dynamic": 0.25}

# Where the processor can, OpenVINO would otherwise round float files to bfloat16, and activations to int8 of its own.
OPENVINO = """
import json, sys
import numpy as np, openvino
core, classes = openvino.Core(), {}
exact = {"INFERENCE_PRECISION_HINT": "f32", "DYNAMIC_QUANTIZATION_GROUP_SIZE": "0"}
for file, tensors in json.loads(sys.argv[1]).items():
    model = core.compile_model(file, "CPU", exact)
    classes[file] = [int(model(tensor[np.newaxis])[0].argmax()) for tensor in np.load(tensors)]
print(json.dumps(classes))
"""


def _golden_tensors(file: Path) -> NDArray[Any]:
    """Return the golden images as the file's input takes them, (G, 28, 28, 1)."""
    sealed = sealed_model.read(file)
    return encoder(sealed.contract.input)(sealed.golden.images)


@pytest.mark.parametrize("variant", ONNX)
def test_onnx_checks_and_infers_every_shape(variant: str, files: Mapping[str, Path]) -> None:
    onnx.checker.check_model(files[variant], full_check=True)
    model = onnx.load(files[variant])
    inferred = onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    shapes = {value.name: value.type.tensor_type.shape.dim for value in inferred.graph.value_info}
    computed = {name for node in model.graph.node for name in node.output} - {"logits"}
    assert computed <= shapes.keys()
    assert all(size.dim_value or size.dim_param == "batch" for name in computed for size in shapes[name])


@pytest.mark.parametrize("variant", ONNX)
def test_onnxruntime_finds_it_usable_on_phones(
    variant: str, files: Mapping[str, Path], caplog: pytest.LogCaptureFixture
) -> None:
    # What onnxruntime.tools.check_onnx_model_mobile_usability calls; that module sets up logging when imported.
    from onnxruntime.tools.mobile_helpers import usability_checker

    with caplog.at_level(logging.INFO):
        assert usability_checker.analyze_model(files[variant], logger=logging.getLogger("usability"))
    # It minds nothing but the free batch.
    assert "Model should perform well with NNAPI if modified to have fixed input shapes: YES" in caplog.text


@pytest.mark.parametrize("variant", ONNX)
def test_the_reference_evaluator_answers_as_onnxruntime_does(variant: str, files: Mapping[str, Path]) -> None:
    # The evaluator has no DequantizeLinear below opset 19, where it only gained data types. ONNX's own converter takes
    # the file there, so that every operator is still the evaluator's and not one written for this test.
    model = onnx.version_converter.convert_version(onnx.load(files[variant]), 19)
    tensors = _golden_tensors(files[variant])
    (answered,) = ReferenceEvaluator(model).run(["logits"], {"image": tensors})
    session = runtime.session(files[variant].read_bytes())
    (expected,) = session.run(["logits"], {"image": tensors})
    assert answered.dtype == expected.dtype
    assert np.array_equal(answered.argmax(axis=1), expected.argmax(axis=1))
    assert np.abs(answered.astype(np.float64) - expected).max() <= EVALUATOR_LIMITS[variant]


@pytest.mark.parametrize("variant", ONNX)
def test_onnxruntime_shows_labels_description_and_author(variant: str, files: Mapping[str, Path]) -> None:
    session = onnxruntime.InferenceSession(files[variant], providers=["CPUExecutionProvider"])
    metadata = session.get_modelmeta()
    assert metadata.description.startswith("A 28 x 28 grey image, white ink on black")
    assert metadata.graph_description == metadata.description
    assert metadata.producer_name == metadata.custom_metadata_map["model_author"] == "mnist-edge"
    labels = sealed_model.read(files[variant]).contract.labels
    assert metadata.custom_metadata_map["labels"].splitlines() == list(labels)


@pytest.mark.parametrize("variant", TFLITE)
def test_the_labels_are_in_the_archive_behind_the_flatbuffer(variant: str, files: Mapping[str, Path]) -> None:
    with zipfile.ZipFile(files[variant]) as archive:
        assert archive.testzip() is None
        labels = archive.read("labels.txt").decode().splitlines()
    assert labels == list(sealed_model.read(files[variant]).contract.labels)


@pytest.mark.parametrize("variant", TFLITE)
def test_the_analyzer_reads_it(variant: str, files: Mapping[str, Path], capfd: pytest.CaptureFixture[str]) -> None:
    import tensorflow as tf

    tf.lite.experimental.Analyzer.analyze(model_path=str(files[variant]))
    analysis = capfd.readouterr().out
    assert "Your TFLite model has '1' subgraph(s)" in analysis
    assert all(f"'{name}' : T#" in analysis for name in ("image", "logits"))
    assert f" {files[variant].stat().st_size} bytes" in analysis


@pytest.fixture(scope="module")
def openvino(pytestconfig: pytest.Config) -> Path:
    """Return the interpreter of an environment with OpenVINO alone, which pytest's cache keeps."""
    assert pytestconfig.cache
    folder = pytestconfig.cache.mkdir("openvino")
    python = folder / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--only-binary", ":all:"]
    options = ["--retries", "1", "--constraint", str(ROOT / ".ci" / "constraints.txt")]
    installed = subprocess.run([*command, *options, "openvino"], capture_output=True, text=True, check=False)
    if installed.returncode:
        errors = [line for line in installed.stderr.splitlines() if line.startswith("ERROR")]
        pytest.skip(f"OpenVINO cannot be had: {(errors or ['pip is not installed'])[0]}")
    return python


@pytest.fixture(scope="module")
def openvino_classes(openvino: Path, files: Mapping[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return for each file, by its path, the index of the class that OpenVINO gives each golden image."""
    folder = tmp_path_factory.mktemp("tensors")
    tensors = {str(file): str(folder / f"{variant}.npy") for variant, file in files.items()}
    for file, path in tensors.items():
        np.save(path, _golden_tensors(Path(file)))
    answer = subprocess.run(
        [openvino, "-I", "-c", OPENVINO, json.dumps(tensors)], capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


@pytest.mark.parametrize("variant", VARIANTS)
def test_openvino_reads_it_and_gives_the_golden_classes(
    variant: str, files: Mapping[str, Path], openvino_classes: Mapping[str, list[int]]
) -> None:
    sealed = sealed_model.read(files[variant])
    golden = sealed.golden
    read = np.array(sealed.contract.labels)[openvino_classes[str(files[variant])]]
    margins = [np.diff(np.sort(logits, axis=1)[:, -2:])[:, 0] for logits in golden.logits.values()]
    clear = np.min(margins, axis=0) > NEAR_TIE.get(variant, 0)
    assert clear.mean() > 0.5
    assert read[clear].tolist() == golden.predicted[clear].tolist()
