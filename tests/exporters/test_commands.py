"""`mnist-edge export`, `verify`, `drift` and `report`, as a person runs them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_trainer.data.datasets import Dataset

MnistEdge = Callable[..., CompletedProcess[str]]


@pytest.fixture
def choice(dataset: Dataset) -> list[str]:
    """Return the option that says where the data of the session's run is."""
    return ["--data", dataset.source] if dataset.name != "digits" else []


@pytest.fixture
def own(own_file: Path, tmp_path: Path) -> Path:
    """Return a model of one's own in a folder of its own."""
    return Path(shutil.copy(own_file, tmp_path))


@pytest.mark.long
@pytest.mark.usefixtures("converting_here")
def test_export_ends_with_the_table(mnist_edge: MnistEdge, here: Path, choice: list[str]) -> None:
    result = mnist_edge("export", "--format", "all", "--quantize", "none", *choice, cwd=here)
    header, *rows, published = result.stdout.splitlines()
    assert header.split() == ["file", "KB", "accuracy", "95%", "interval", "difference", "agreement", "verdict"]
    assert rows.pop() == "tflite-none and onnx-none give 100.00% of the images the same answer"
    assert [row.split()[0] for row in rows] == ["classic-tflite-none.tflite", "classic-onnx-none.onnx"]
    assert all(row.endswith("passed") and "100.00%" in row for row in rows)
    assert published == "published into runs/classic/exports"


@pytest.mark.long
def test_a_model_of_ones_own_is_exported_beside_it_and_found(mnist_edge: MnistEdge, own: Path, tmp_path: Path) -> None:
    mnist_edge("export", "--model", own, "--data", "digits", cwd=tmp_path)
    file = own.parent / "exports" / "own-tflite-int8.tflite"
    assert file.is_file()
    assert mnist_edge("selftest", cwd=tmp_path).stderr == f"model: {file}, the newest int8 export\n"


@pytest.mark.long
def test_c_is_exported_with_the_file_that_it_is_made_of(mnist_edge: MnistEdge, own: Path, tmp_path: Path) -> None:
    options = ["--model", own, "--data", "digits", "--format", "c"]
    result = mnist_edge("export", *options, "--name", "Reader", "--rounding", "tflm", "--json", cwd=tmp_path)
    (made,) = json.loads(result.stdout)["sources"]
    assert (made["name"], made["rounding"], made["differing_logits"]) == ("Reader", "tflm", 0)
    assert sorted(path.name for path in (own.parent / "exports").iterdir()) == [
        *("Reader-c", "Reader-c.zip", "own-tflite-int8.tflite", "own-tflite-int8.tflite.parity.json"),
    ]


@pytest.mark.long
@pytest.mark.usefixtures("converting_here")
def test_a_network_on_other_pixels_is_stopped_and_goes_its_way_with_the_option(
    mnist_edge: MnistEdge, own: Path
) -> None:
    import keras

    inside = keras.saving.load_model(own)
    other = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Rescaling(0.5, offset=0.5), inside])
    other.save(own)
    options = ["--model", own, "--data", "digits"]
    stopped = mnist_edge("export", *options, code=4)
    assert "Export it with --pixels -1..1, or with --as-is" in stopped.stderr
    assert not (own.parent / "exports").exists()
    mnist_edge("export", *options, "--pixels", "-1..1")
    file = own.parent / "exports" / "own-tflite-int8.tflite"
    assert "the same answer" in mnist_edge("verify", file, *options).stdout
    assert json.loads(mnist_edge("drift", file, *options, "--json").stdout)["layers"]
    figures = mnist_edge("evaluate", *options, "--pixels", "-1..1", "--no-corruptions", "--json").stdout
    assert json.loads(figures)["accuracy"] > 0.95
    as_is = json.loads(mnist_edge("export", *options, "--as-is", "--json").stdout)["exports"][0]
    assert as_is["pixels"]["as_is"] is True
    assert "WARNING" in mnist_edge("inspect", file).stdout


@pytest.mark.long
def test_verify_proves_a_file_again(
    mnist_edge: MnistEdge, here: Path, files: Mapping[str, Path], choice: list[str]
) -> None:
    result = mnist_edge("verify", files["onnx-int8"], *choice, cwd=here)
    assert "onnxruntime==" in result.stdout
    assert "the same answer" in result.stdout
    strict = ["--tolerance", "probability-difference=0", "--json"]
    failed = mnist_edge("verify", files["onnx-int8"], *choice, *strict, cwd=here, code=5)
    assert json.loads(failed.stdout)["passed"] is False
    assert "does not answer as the run" in failed.stderr


@pytest.mark.long
@pytest.mark.usefixtures("converting_here")
def test_drift_shows_each_layer(
    mnist_edge: MnistEdge, here: Path, files: Mapping[str, Path], choice: list[str]
) -> None:
    shown = mnist_edge("drift", files["tflite-int8"], *choice, cwd=here).stdout
    assert "CONV_2D_0" in shown
    assert "falls most" in shown
    layers = json.loads(mnist_edge("drift", files["onnx-int8"], *choice, "--json", cwd=here).stdout)["layers"]
    assert layers[-1]["name"] == "logits"
    assert "not quantized" in mnist_edge("drift", files["onnx-none"], *choice, cwd=here, code=3).stderr


@pytest.mark.long
@pytest.mark.usefixtures("converting_here")
def test_export_picks_the_best_file_within_constraints(mnist_edge: MnistEdge, own: Path) -> None:
    options = ["--model", own, "--data", "digits", "--format", "onnx"]
    best = mnist_edge("export", *options, "--constraints", "kb<=200,p50us<=100000").stdout
    assert "<- the best" in best
    assert "On the test images:" in best
    assert sorted(path.name for path in (own.parent / "exports").iterdir()) == [
        "own-onnx-int8.onnx",
        "own-onnx-int8.onnx.parity.json",
    ]
    none = mnist_edge("export", *options, "--constraints", "kb<=1,accuracy>=0.5", "--json", code=5)
    assert "kb<=1 cannot be met: the smallest, onnx-int8, misses kb<=1 by" in none.stderr
    document = json.loads(none.stdout)
    assert (document["best"], document["exports"]) == (None, [])
    assert len(document["candidates"]) == 3


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ("export", 3, "no run yet; make one with: mnist-edge train"),
        ("export --run lost", 3, "no run 'lost'"),
        ("export --format coreml", 2, "--format coreml is unknown"),
        ("export --format web --rounding tflm", 2, "--rounding is for --format c; leave it out for web"),
        ("export --format web --io-dtype int8", 2, "--format web is made of the int8 file with uint8 images"),
        ("export --format onnx --quantize int16x8", 2, "is not offered; there are"),
        ("export --format onnx --quantize dynamic", 2, "--force only"),
        ("export --opset 99", 2, "--opset is 99"),
        ("export --constraints 'watt<=3'", 2, "expected each at most once of kb<=NUMBER"),
        ("export --constraints ''", 2, "expected each at most once of kb<=NUMBER"),
        ("export --run a --model b.keras", 2, "exclude each other"),
        ("export --pixels 0..255", 2, "--pixels and --labels are for a Keras model that --model names"),
        ("evaluate --model some.tflite --labels 1,0", 2, "--pixels and --labels are for a Keras model"),
        ("export --model none.keras --data digits", 3, "none.keras: no such file"),
        ("verify none.tflite", 3, "none.tflite: is not there"),
        ("drift .", 3, ".: is a folder; name an exported file"),
        ("report", 3, "no run yet; make one with: mnist-edge train"),
    ],
)
def test_mistakes_get_a_sentence_and_a_code(
    arguments: str, code: int, message: str, mistake: Callable[..., None]
) -> None:
    mistake(arguments, code, message)


def test_nothing_loads_tensorflow_before_its_messages_are_hidden() -> None:
    """Whatever an export is asked for: the source, which comes from elsewhere, is found first, and hides them."""
    program = (
        "import sys\n"
        "from types import SimpleNamespace as Of\n"
        "from mnist_edge_exporters import commands\n"
        "def find(*asked):\n"
        "    print(sorted({'keras', 'tensorflow'} & sys.modules.keys()))\n"
        "    raise SystemExit\n"
        "for options in ({}, {'format': 'c'}, {'format': 'web'}, {'format': 'all'}, {'constraints': 'kb<=64'}):\n"
        "    try:\n"
        "        commands.export(Of(obj=Of(find=find)), opset=17, force=False, io_dtype='uint8', **options)\n"
        "    except SystemExit:\n"
        "        continue\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout.splitlines(), done.stderr) == (["[]"] * 5, "")


@pytest.mark.long
def test_a_file_that_names_other_classes_than_its_run_proves_nothing(
    mnist_edge: MnistEdge, here: Path, choice: list[str], files: Mapping[str, Path], tmp_path: Path
) -> None:
    sealed = sealed_model.read(files["tflite-int8"])
    labels = sealed.contract.labels
    exchanged = replace(sealed.contract, labels=(labels[1], labels[0], *labels[2:]))
    file = tmp_path / "exchanged.tflite"
    file.write_bytes(sealed_model.seal(sealed.payload, exchanged, sealed.golden))
    refused = mnist_edge("verify", file, "--run", "classic", *choice, cwd=here, code=3)
    assert "its labels are 1 0 2 3" in refused.stderr
