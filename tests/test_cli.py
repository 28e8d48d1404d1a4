"""The workstation's command line, as a person runs it; what a command does has its test beside the command's."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from subprocess import CompletedProcess
from typing import Annotated, get_args, get_origin, get_type_hints

import pytest
from mnist_edge import cli
from mnist_edge_runtime.errors import InputError
from mnist_edge_trainer.data import datasets
from mnist_edge_trainer.data.datasets import Dataset
from mnist_edge_trainer.demo.synthetic_digits import draw
from mnist_edge_trainer.handwriting import pool
from mnist_edge_trainer.networks.architectures import ARCHITECTURES
from mnist_edge_trainer.networks.published import weights_file
from mnist_edge_trainer.runs.run import Run
from PIL import Image

COMMANDS = [
    "train",
    "tune",
    "export",
    "verify",
    "drift",
    "evaluate",
    "compare",
    "runs",
    "report",
    "demo",
    "bundle",
    "deploy",
]
COMMANDS += [
    "classify",
    "watch",
    "read",
    "serve",
    "label",
    "inspect",
    "selftest",
    "doctor",
    "benchmark",
]  # the device's
ROOT = Path(__file__).resolve().parent.parent
PROGRAM = str(Path(sys.executable).with_name("mnist-edge"))

MnistEdge = Callable[..., CompletedProcess[str]]


@pytest.fixture
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("picture") / "three.png"
    Image.fromarray(draw("3")).save(file)
    return file


def test_a_process_prints_its_answer_on_stdout_and_nothing_else() -> None:
    result = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=True)
    assert (result.stdout, result.stderr) == (f"mnist-edge {version('mnist-edge')}\n", "")


def test_a_process_says_its_error_on_stderr_and_ends_with_the_code(tmp_path: Path) -> None:
    result = subprocess.run([PROGRAM, "export"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (3, "")
    assert result.stderr == "error: runs: no run yet; make one with: mnist-edge train\n"


@pytest.mark.parametrize("arguments", ["--debug export", "export --debug", "--debug inspect", "inspect --debug"])
def test_debug_shows_where_an_error_comes_from(tmp_path: Path, arguments: str) -> None:
    command = [PROGRAM, *arguments.split()]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 3
    assert "Traceback" in result.stderr


@pytest.mark.long
def test_a_training_that_is_told_to_end_says_nothing_and_leaves_no_run(tmp_path: Path) -> None:
    command = [PROGRAM, "train", "--arch", "nano", "--data", "digits", "--epochs", "10000"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stderr
        assert any("epoch 1/10000" in line for line in process.stderr)
        process.terminate()
        assert "Traceback" not in process.stderr.read()
        assert process.stdout.read() == ""
    assert process.returncode == 128 + signal.SIGTERM
    assert not (tmp_path / "runs" / "nano").exists()


def test_help_is_quick_and_loads_nothing_heavy() -> None:
    script = (
        "import sys; sys.argv = ['mnist-edge', '--help']\n"
        "from mnist_edge.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = ('tensorflow', 'keras', 'numpy.random', 'sklearn', 'matplotlib', 'optuna')\n"
        "print([m for m in heavy if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert all(command in result.stdout for command in COMMANDS)
    loaded = result.stdout.strip().splitlines()[-1]
    assert not any(name in loaded for name in ("tensorflow", "keras", "sklearn", "matplotlib", "optuna"))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str, mnist_edge: MnistEdge) -> None:
    assert "--help" in mnist_edge(command, "--help").stdout


@pytest.mark.long
def test_train_then_export_then_classify(mnist_edge: MnistEdge, tmp_path: Path, picture: Path) -> None:
    trained = mnist_edge("train", "--data", "digits", "--epochs", 8, "--name", "mine", "--json", cwd=tmp_path)
    record = json.loads(trained.stdout)
    assert record["run"] == "runs/mine"
    assert record["architecture"] == "classic"
    assert record["parameters"] == 110_474
    assert record["metrics"]["test"]["accuracy"] > 0.8
    assert "epoch 8/8" in trained.stderr

    exported = json.loads(mnist_edge("export", "--json", cwd=tmp_path).stdout)
    (outcome,) = exported["exports"]
    assert exported["run"] == "runs/mine"
    assert outcome["file"] == "runs/mine/exports/mine-tflite-int8.tflite"
    assert (outcome["format"], outcome["quantization"], outcome["passed"]) == ("tflite", "int8", True)
    assert outcome["bytes"] == (tmp_path / outcome["file"]).stat().st_size
    assert {"sha256", "accuracy", "reference_accuracy", "agreement"} <= outcome.keys()

    classified = json.loads(mnist_edge("classify", picture, "--json", cwd=tmp_path).stdout)
    assert classified["model"] == outcome["file"]
    assert classified["predictions"][0]["file"] == str(picture)

    written = json.loads(mnist_edge("report", "--json", cwd=tmp_path).stdout)
    assert (written["run"], written["report"]) == ("runs/mine", "runs/mine/report.html")
    assert written["exports"][0]["file"] == outcome["file"]
    assert written["exports"][0]["runtimes"][0]["p50_us"] > 0
    assert "mine-tflite-int8.tflite" in (tmp_path / written["report"]).read_text()

    again = mnist_edge("train", "--data", "digits", "--epochs", 1, "--name", "mine", cwd=tmp_path)
    assert again.stdout.startswith("runs/mine-2:")
    assert (tmp_path / "runs" / "latest").read_text().strip() == "mine-2"


def test_the_device_commands_take_the_newest_int8_export(mnist_edge: MnistEdge, here: Path, picture: Path) -> None:
    classified = mnist_edge("classify", picture, cwd=here)
    assert ": 3  " in classified.stdout
    assert classified.stderr.startswith("model: runs/classic/exports/classic-")
    assert classified.stderr.endswith("-int8.onnx, the newest int8 export\n") or "-int8.tflite, " in classified.stderr
    elsewhere = ["--run", "classic", "--runs-dir", here / "runs"]
    assert ": 3  " in mnist_edge("classify", *elsewhere, picture).stdout
    assert str(here) in mnist_edge("inspect", *elsewhere).stderr
    assert "int8" in mnist_edge("inspect", cwd=here).stdout
    report = json.loads(mnist_edge("selftest", "--json", cwd=here).stdout)
    assert report["passed"] is True
    assert report["max_lsb"] == 0
    assert report["golden"] == 30


@pytest.mark.long
def test_evaluate_a_run_and_its_file(mnist_edge: MnistEdge, here: Path, dataset: Dataset) -> None:
    choice = ["--data", dataset.source] if dataset.name != "digits" else []
    result = mnist_edge("evaluate", "--no-corruptions", *choice, cwd=here)
    assert result.stdout.startswith(f"runs/classic/model.keras on {len(dataset.test_images):,} test images")
    assert "runs/classic/evaluation.json" in result.stdout
    of_run = json.loads((here / "runs/classic/evaluation.json").read_text())
    trained = json.loads((here / "runs/classic/run.json").read_text())
    assert of_run["accuracy"] == pytest.approx(trained["metrics"]["test"]["accuracy"], abs=1e-6)

    file = here / "runs/classic/exports/classic-tflite-none.tflite"
    command = ("evaluate", "--no-corruptions", "--model", file, *choice, "--json")
    document = json.loads(mnist_edge(*command, cwd=here).stdout)
    assert (document["model"], document["engine"]) == (str(file), "litert")
    assert document["confusion"] == of_run["confusion"]
    assert document["ece"] == pytest.approx(of_run["ece"], abs=0.02)  # the file has a temperature
    assert document["acceptance"]["refused"].keys() >= {"blanks", "letters"}
    assert document["corruption_means"] is None
    assert all(Path(name).is_file() for name in document["files"])


@pytest.mark.long
def test_evaluate_a_model_of_ones_own(mnist_edge: MnistEdge, tmp_path: Path) -> None:
    model = Path(shutil.copy(weights_file("nano"), tmp_path / "own.keras"))
    options = ["--data", "digits", "--on", "validation", "--no-corruptions"]
    assert "validation images" in mnist_edge("evaluate", "--model", model, *options).stdout
    assert (tmp_path / "own.keras.evaluation-validation.json").is_file()


def test_a_model_file_is_checked_before_its_data_is_looked_for(mnist_edge: MnistEdge, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no model")
    refused = mnist_edge("export", "--model", tmp_path / "notes.txt", "--data", tmp_path / "nowhere", code=4)
    assert "notes.txt: only .keras and .h5 files are loaded" in refused.stderr


@pytest.mark.long
def test_runs_and_compare(mnist_edge: MnistEdge, here: Path, dataset: Dataset) -> None:
    (listed,) = json.loads(mnist_edge("runs", "--json", cwd=here).stdout)["runs"]
    assert listed["name"] == "classic"
    assert all(each["verdict"].startswith("passed on ") for each in listed["exports"])
    assert listed["exports"]
    choice = ["--data", dataset.source] if dataset.name != "digits" else []
    file = "runs/classic/exports/classic-tflite-int8.tflite"
    compared = json.loads(mnist_edge("compare", "classic", file, *choice, "--json", cwd=here).stdout)
    assert compared["paired"]["images"] == len(dataset.test_images)
    assert compared["differing"]["quantization"] == [None, "int8"]
    assert compared["sides"][1]["bytes"] == (here / file).stat().st_size
    assert "no run 'nobody'" in mnist_edge("compare", "classic", "nobody", cwd=here, code=3).stderr


def test_shells_complete_commands_options_and_names_of_runs(here: Path) -> None:
    def completed(words: str) -> str:
        environment = {**os.environ, "_MNIST_EDGE_COMPLETE": "complete_bash", "COMP_WORDS": words}
        environment |= {"COMP_CWORD": str(words.count(" ")), "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
        return subprocess.run([PROGRAM], cwd=here, env=environment, capture_output=True, text=True, check=False).stdout

    assert "export" in completed("mnist-edge exp").splitlines()
    assert "--quantize" in completed("mnist-edge export --qu").splitlines()
    assert completed("mnist-edge export --run cl").splitlines() == ["classic"]


def test_the_device_commands_take_a_named_model(
    mnist_edge: MnistEdge, files: Mapping[str, Path], picture: Path
) -> None:
    for file in files.values():
        assert ": 3  " in mnist_edge("classify", "--model", file, picture).stdout
        assert "passed" in mnist_edge("selftest", file).stdout
        assert f"{file}, intact" in mnist_edge("inspect", file).stdout


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ("evaluate", 3, "no run yet"),
        ("evaluate --on train", 2, "--on train is unknown"),
        ("evaluate --model net.h5 --on all", 2, "--on all is for an exported file"),
        ("evaluate --model small --on all", 2, "--on all is for an exported file"),
        ("evaluate --run a --model b.tflite", 2, "exclude each other"),
        ("evaluate --model none.tflite", 3, "none.tflite"),
        ("classify three.png", 3, "no int8 export yet"),
        ("classify --model none.tflite three.png", 3, "none.tflite"),
        ("selftest --engine tensorrt x.tflite", 2, "invalid choice"),
        ("frobnicate", 2, "error: no such command 'frobnicate' (see mnist-edge --help)"),
        ("export --frobnicate", 2, "error: no such option: --frobnicate"),
        ("train --seed x", 2, "error: invalid value for '--seed'"),
        ("classify", 2, "error: the following arguments are required: FILE (see mnist-edge classify --help)"),
        (
            "evaluate --on x",
            2,
            "error: --on x is unknown; choose from test, validation, all (see mnist-edge evaluate --help)",
        ),
        ("classify --run none three.png", 3, "runs: no run 'none'"),
        ("selftest --run a x.tflite", 2, "--run and a model exclude each other"),
    ],
)
def test_mistakes_get_a_sentence_and_a_code(
    arguments: str, code: int, message: str, mistake: Callable[..., None]
) -> None:
    mistake(arguments, code, message)


def test_an_altered_file_is_refused(
    mnist_edge: MnistEdge, files: Mapping[str, Path], picture: Path, tmp_path: Path
) -> None:
    altered = tmp_path / "altered.tflite"
    data = bytearray(files["tflite-int8"].read_bytes())
    data[5000] ^= 1
    altered.write_bytes(data)
    assert "was altered" in mnist_edge("classify", "--model", altered, picture, code=4).stderr


@pytest.mark.long
def test_without_mnist_auto_warns_and_every_file_says_so(
    mnist_edge: MnistEdge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MNIST_EDGE_DATA", "")
    monkeypatch.setenv("MNIST_EDGE_MIRRORS", "http://127.0.0.1:9/")
    classic = ARCHITECTURES["classic"]
    few = replace(classic, small_recipe=replace(classic.small_recipe, epochs=10))  # enough for a proof
    monkeypatch.setitem(ARCHITECTURES, "classic", few)  # type: ignore[arg-type]  # a mapping that others only read
    demo = mnist_edge("demo", cwd=tmp_path)
    warning = "the 1,797 digits bundled with scikit-learn make a demonstration"
    assert warning in " ".join(demo.stderr.split())
    assert warning in demo.stdout
    assert warning in json.loads((tmp_path / "runs/demo/run.json").read_text())["dataset"]["warning"]
    exports = [file for file in (tmp_path / "runs/demo/exports").iterdir() if file.suffix in (".tflite", ".onnx")]
    assert len(exports) == 8
    for file in exports:
        assert warning in mnist_edge("inspect", file).stdout
    assert (tmp_path / "runs/demo/pictures/readings.png").is_file()


def test_golden_images_may_come_from_elsewhere_but_with_the_same_labels(
    run: Run, dataset: Dataset, digits: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = replace(digits, test_images=digits.test_images[:50], test_labels=digits.test_labels[:50])
    monkeypatch.setattr(datasets, "load", lambda name: elsewhere)
    source = cli._source("x", run.model_file, {}, dataset, "elsewhere")
    assert source.golden == (elsewhere.test_images, elsewhere.test_labels)
    assert len(source.train[0]) + len(source.validation[0]) == len(dataset.train_images)
    monkeypatch.setattr(datasets, "load", lambda name: replace(digits, labels=("a", "b")))
    with pytest.raises(InputError, match="--golden elsewhere: has other labels than the data: a b"):
        cli._source("x", run.model_file, {}, dataset, "elsewhere")


def test_a_published_network_is_a_source_by_its_name(
    digits: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(datasets, "load", lambda name: [digits, asked.append(name)][0])
    monkeypatch.setattr(pool, "HELD_OUT", 10)
    monkeypatch.chdir(tmp_path)
    source, folder = cli.Sources().find(Path("runs"), None, Path("pico"), None)
    assert (source.name, folder, asked) == ("pico", Path("exports"), ["mnist"])
    assert [len(labels) for _, labels in source.held_out().values()] == [len(source.validation[1]), 10]
    with pytest.raises(InputError, match=r"picco: no such file; .* the name of a published network"):
        cli.Sources().find(Path("runs"), None, Path("picco"), None)


def test_no_option_waits_for_a_pipe(tmp_path: Path) -> None:
    """Each option and argument that is a path has a callback that refuses what is neither a file nor a folder."""
    os.mkfifo(pipe := tmp_path / "pipe")
    seen = set()
    for command in cli.app.registered_commands:
        assert command.callback
        for name, hint in get_type_hints(command.callback, include_extras=True).items():
            base, *about = get_args(hint) if get_origin(hint) is Annotated else [hint]
            if Path in (base, *get_args(base)):
                seen.add(name)
                assert about, name
                assert about[0].callback, f"{name} of {command.callback.__name__} has no callback"
                with pytest.raises(InputError, match=r"pipe: is a named pipe, expected a (regular file|folder)"):
                    about[0].callback(pipe)
    paths = {"allowed_signers", "also", "constraint", "file", "hosts", "key", "model", "out", "runs_dir", "sign"}
    assert seen == paths | {"ssh_config", "tensorboard"}


@pytest.mark.parametrize(
    "words",
    [
        ["export", "--model", "pipe"],
        ["train", "--runs-dir", "pipe"],
        ["compare", "pipe", "pipe"],
        ["deploy", "pipe", "pi"],  # where the first argument may be a host instead
    ],
)
def test_a_pipe_ends_a_command_with_a_sentence(tmp_path: Path, words: list[str]) -> None:
    os.mkfifo(tmp_path / "pipe")
    result = subprocess.run([PROGRAM, *words], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
    assert (result.returncode, result.stdout) == (3, "")
    assert re.fullmatch(r"error: pipe: is a named pipe, expected a (regular file|folder); .*\n", result.stderr)
