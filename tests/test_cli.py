"""The workstation's command line, as a person runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import pytest
from mnist_edge.cli import newest_export
from mnist_edge_runtime.errors import InputError
from mnist_edge_trainer.data.datasets import Dataset
from mnist_edge_trainer.demo.synthetic_digits import draw
from mnist_edge_trainer.runs.run import Run
from PIL import Image

COMMANDS = ["train", "tune", "export", "verify", "drift", "evaluate", "report", "demo", "bundle", "deploy"]
COMMANDS += ["classify", "watch", "read", "inspect", "selftest", "doctor", "benchmark"]  # the device's


def mnist_edge(
    *arguments: object, cwd: Path | None = None, code: int = 0, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run `mnist-edge`, expect the exit code, and never a traceback."""
    command = [str(Path(sys.executable).with_name("mnist-edge")), *map(str, arguments)]
    variables = {**os.environ, **environment}
    result = subprocess.run(command, cwd=cwd, env=variables, capture_output=True, text=True, check=False)
    assert result.returncode == code, result.stderr
    assert "Traceback" not in result.stderr
    return result


@pytest.fixture
def here(run: Run, files: Mapping[str, Path]) -> Path:
    """Return a folder in which `runs/` holds the session's run."""
    assert files
    return run.folder.parent.parent


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    Image.fromarray(draw("3")).save(tmp_path / "three.png")
    return tmp_path / "three.png"


def test_the_version_is_that_of_the_distribution() -> None:
    assert mnist_edge("--version").stdout == f"mnist-edge {version('mnist-edge')}\n"


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
def test_every_command_has_help(command: str) -> None:
    assert "--help" in mnist_edge(command, "--help").stdout


def test_train_then_export_then_classify(tmp_path: Path, picture: Path) -> None:
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


def test_every_part_of_a_recipe_is_an_option(tmp_path: Path) -> None:
    chosen = {"epochs": 2, "ema": 0.3, "shift": 1.5, "variants": 2, "photometric": 0.0}
    options = [word for part, value in chosen.items() for word in (f"--{part}", value)]
    mnist_edge("train", "--data", "digits", "--fast", "--name", "teacher", "--epochs", 1, cwd=tmp_path)
    learning = ["--augment", "light", "--teacher", "teacher", "--tensorboard", "logs", "--resume"]
    trained = mnist_edge("train", "--arch", "nano", "--data", "digits", *learning, *options, "--json", cwd=tmp_path)
    record = json.loads(trained.stdout)
    assert {**record["recipe"], **chosen, "rotation": 12.0} == record["recipe"]
    assert record["teachers"] == ["teacher"]
    assert json.loads((tmp_path / "runs/teacher/run.json").read_text())["architecture"] == "small"
    assert list((tmp_path / "logs").rglob("events.out.tfevents.*"))
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["latest", "nano", "teacher"]


def test_export_ends_with_the_table(here: Path, dataset: Dataset) -> None:
    choice = ["--data", dataset.source] if dataset.name == "mnist" else []
    result = mnist_edge("export", "--format", "all", "--quantize", "none", *choice, cwd=here)
    header, *rows, published = result.stdout.splitlines()
    assert header.split() == ["file", "KB", "accuracy", "difference", "agreement", "verdict"]
    assert rows.pop() == "tflite-none and onnx-none give 100.00% of the images the same answer"
    assert [row.split()[0] for row in rows] == ["classic-tflite-none.tflite", "classic-onnx-none.onnx"]
    assert all(row.endswith("passed") and "100.00%" in row for row in rows)
    assert published == "published into runs/classic/exports"


def test_a_model_of_ones_own_is_exported_beside_it(run: Run, dataset: Dataset, tmp_path: Path) -> None:
    model = tmp_path / "own.keras"
    model.write_bytes(run.model_file.read_bytes())
    choice = dataset.source if dataset.name == "mnist" else "digits"
    mnist_edge("export", "--model", model, "--data", choice)
    assert (tmp_path / "exports" / "own-tflite-int8.tflite").is_file()


def test_the_device_commands_take_the_newest_int8_export(here: Path, picture: Path) -> None:
    assert ": 3  " in mnist_edge("classify", picture, cwd=here).stdout
    assert "int8" in mnist_edge("inspect", cwd=here).stdout
    report = json.loads(mnist_edge("selftest", "--json", cwd=here).stdout)
    assert report["passed"] is True
    assert report["max_lsb"] == 0
    assert report["golden"] == 40


def test_verify_proves_a_file_again(here: Path, files: Mapping[str, Path], dataset: Dataset) -> None:
    choice = ["--data", dataset.source] if dataset.name == "mnist" else []
    result = mnist_edge("verify", files["onnx-int8"], *choice, cwd=here)
    assert "onnxruntime==" in result.stdout
    assert "the same answer" in result.stdout
    strict = ["--tolerance", "probability-difference=0", "--json"]
    failed = mnist_edge("verify", files["onnx-int8"], *choice, *strict, cwd=here, code=5)
    assert json.loads(failed.stdout)["passed"] is False
    assert "does not answer as the run" in failed.stderr


def test_drift_shows_each_layer(here: Path, files: Mapping[str, Path], dataset: Dataset) -> None:
    choice = ["--data", dataset.source] if dataset.name == "mnist" else []
    shown = mnist_edge("drift", files["tflite-int8"], *choice, cwd=here).stdout
    assert "CONV_2D_0" in shown
    assert "falls most" in shown
    layers = json.loads(mnist_edge("drift", files["onnx-int8"], *choice, "--json", cwd=here).stdout)["layers"]
    assert layers[-1]["name"] == "logits"
    assert "not quantized" in mnist_edge("drift", files["onnx-none"], *choice, cwd=here, code=3).stderr


def test_export_picks_the_best_file_within_constraints(run: Run, dataset: Dataset, tmp_path: Path) -> None:
    model = tmp_path / "own.keras"
    model.write_bytes(run.model_file.read_bytes())
    options = ["--model", model, "--data", dataset.source if dataset.name == "mnist" else "digits", "--format", "onnx"]
    best = mnist_edge("export", *options, "--constraints", "kb<=200,p50us<=100000").stdout
    assert "<- the best" in best
    assert "On the test images:" in best
    assert sorted(path.name for path in (tmp_path / "exports").iterdir()) == [
        "own-onnx-int8.onnx",
        "own-onnx-int8.onnx.parity.json",
    ]
    none = mnist_edge("export", *options, "--constraints", "kb<=1,accuracy>=0.5", "--json", code=5)
    assert "kb<=1 cannot be met: the smallest, onnx-int8, misses kb<=1 by" in none.stderr
    document = json.loads(none.stdout)
    assert (document["best"], document["exports"]) == (None, [])
    assert len(document["candidates"]) == 3


def test_evaluate_a_run_and_its_file(here: Path, files: Mapping[str, Path], dataset: Dataset) -> None:
    choice = ["--data", dataset.source] if dataset.name == "mnist" else []
    result = mnist_edge("evaluate", "--no-corruptions", *choice, cwd=here)
    assert result.stdout.startswith(f"runs/classic/model.keras on {len(dataset.test_images):,} test images")
    assert "runs/classic/evaluation.json" in result.stdout
    of_run = json.loads((here / "runs/classic/evaluation.json").read_text())
    trained = json.loads((here / "runs/classic/run.json").read_text())
    assert of_run["accuracy"] == pytest.approx(trained["metrics"]["test"]["accuracy"], abs=1e-6)

    file = files["tflite-none"]
    command = ("evaluate", "--no-corruptions", "--model", file, *choice, "--json")
    document = json.loads(mnist_edge(*command, cwd=here).stdout)
    assert (document["model"], document["engine"]) == (str(file), "litert")
    assert document["confusion"] == of_run["confusion"]
    assert document["ece"] == pytest.approx(of_run["ece"], abs=0.02)  # the file has a temperature
    assert document["acceptance"]["refused"].keys() >= {"blanks", "letters"}
    assert document["corruption_means"] is None
    assert all(Path(name).is_file() for name in document["files"])


def test_evaluate_a_model_of_ones_own(run: Run, dataset: Dataset, tmp_path: Path) -> None:
    model = tmp_path / "own.keras"
    model.write_bytes(run.model_file.read_bytes())
    choice = dataset.source if dataset.name == "mnist" else "digits"
    options = ["--data", choice, "--on", "validation", "--no-corruptions"]
    assert "validation images" in mnist_edge("evaluate", "--model", model, *options).stdout
    assert (tmp_path / "own.keras.evaluation-validation.json").is_file()


def test_the_device_commands_take_a_named_model(files: Mapping[str, Path], picture: Path) -> None:
    for file in files.values():
        assert ": 3  " in mnist_edge("classify", "--model", file, picture).stdout
        assert "passed" in mnist_edge("selftest", file).stdout
        assert f"{file}, intact" in mnist_edge("inspect", file).stdout


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["train", "--arch", "resnet"], 2, "--arch resnet is unknown; choose from classic"),
        (["train", "--epochs", "0"], 2, "--epochs is 0, expected 1 to"),
        (["train", "--label-smoothing", "1.5"], 2, "--label-smoothing is 1.5, expected 0 to 0.9"),
        (["train", "--augment", "wild"], 2, "--augment wild is unknown; choose from none, light, strong"),
        (["train", "--teacher", "nobody", "--data", "digits"], 3, "no run 'nobody'"),
        (["train", "--epochs", "many"], 2, "--epochs"),
        (["train", "--name", "../up"], 2, "cannot name a run"),
        (["train", "--data", "nowhere"], 3, "nowhere: no such file or folder"),
        (["train", "--from-study", "lost"], 3, "runs/studies: no study 'lost'; none is there yet; begin one with"),
        (["train", "--from-study", "small:x"], 2, "expected STUDY or STUDY:TRIAL"),
        (["train", "--from-study", "small", "--fast"], 2, "exclude each other"),
        (["train", "--storage", "sqlite:///x.db"], 2, "--storage is the database of --from-study"),
        (["tune", "--arch", "resnet"], 2, "--arch resnet is unknown"),
        (["tune", "--trials", "0"], 2, "--trials is 0, expected 1 to"),
        (["tune", "--dropout", "2"], 2, "--dropout is 2.0, expected 0 to 0.9"),
        (["tune", "--objectives", "accuracy,watt"], 2, "--objectives: 'watt' is unknown"),
        (["tune", "--study", "../up"], 2, "cannot name a study"),
        (["tune", "--storage", "nowhere", "--data", "digits"], 2, "expected a URL such as postgresql://"),
        (["export"], 3, "no run yet; make one with: mnist-edge train"),
        (["export", "--run", "lost"], 3, "no run 'lost'"),
        (["export", "--format", "coreml"], 2, "--format coreml is unknown"),
        (["export", "--format", "onnx", "--quantize", "int16x8"], 2, "is not offered; there are"),
        (["export", "--format", "onnx", "--quantize", "dynamic"], 2, "--force only"),
        (["export", "--opset", "99"], 2, "--opset is 99"),
        (["export", "--constraints", "watt<=3"], 2, "expected each at most once of kb<=NUMBER"),
        (["export", "--constraints", ""], 2, "expected each at most once of kb<=NUMBER"),
        (["verify", "none.tflite"], 3, "no run yet"),
        (["drift", "none.tflite"], 3, "no run yet"),
        (["report"], 3, "no run yet; make one with: mnist-edge train"),
        (["export", "--run", "a", "--model", "b.keras"], 2, "exclude each other"),
        (["evaluate"], 3, "no run yet"),
        (["evaluate", "--on", "train"], 2, "--on train is unknown"),
        (["evaluate", "--run", "a", "--model", "b.tflite"], 2, "exclude each other"),
        (["evaluate", "--model", "none.tflite"], 3, "none.tflite"),
        (["export", "--model", "none.keras", "--data", "digits"], 3, "none.keras: no such file"),
        (["classify", "three.png"], 3, "no int8 export yet"),
        (["classify", "--model", "none.tflite", "three.png"], 3, "none.tflite"),
        (["selftest", "--engine", "tensorrt", "x.tflite"], 2, "invalid choice"),
        (["bundle", "x.tflite"], 2, "--target"),
        (["bundle", "x.tflite", "--target", "buster-arm64"], 2, "--target buster-arm64 is unknown"),
        (["bundle", "x.tflite", "--target", "bookworm-arm64", "--out", "x.zip"], 2, "ends in .tar.gz"),
        (["bundle", "a b.tflite", "--target", "bookworm-arm64"], 2, "cannot stand in a bundle"),
        (["bundle", "none.tflite", "--target", "bookworm-arm64"], 3, "none.tflite"),
        (["deploy", "x.tar.gz"], 2, "no host; name them as ssh takes them, or in a file with --hosts"),
        (["deploy", "x.tar.gz", "pi", "pi"], 2, "pi is named twice"),
        (["deploy", "x.tar.gz", "--", "-oProxyCommand=true"], 2, "is no host"),
        (["deploy", "x.tar.gz", "pi", "--timeout", "0"], 2, "--timeout is 0, expected"),
        (["deploy", "x.tar.gz", "--hosts", "none"], 3, "none: No such file"),
        (["deploy", "none.tar.gz", "pi"], 3, "none.tar.gz"),
        (["frobnicate"], 2, "No such command"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_mistakes_get_a_sentence_and_a_code(arguments: list[str], code: int, message: str, tmp_path: Path) -> None:
    result = mnist_edge(*arguments, cwd=tmp_path, code=code)
    assert message in result.stderr
    assert result.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_an_altered_file_is_refused(files: Mapping[str, Path], picture: Path, tmp_path: Path) -> None:
    altered = tmp_path / "altered.tflite"
    data = bytearray(files["tflite-int8"].read_bytes())
    data[5000] ^= 1
    altered.write_bytes(data)
    assert "was altered" in mnist_edge("classify", "--model", altered, picture, code=4).stderr


def test_debug_shows_where_an_error_comes_from(tmp_path: Path) -> None:
    command = [str(Path(sys.executable).with_name("mnist-edge")), "--debug", "export"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 3
    assert "Traceback" in result.stderr


def test_without_mnist_auto_warns_and_every_file_says_so(tmp_path: Path) -> None:
    environment = {"MNIST_EDGE_DATA": "", "MNIST_EDGE_MIRRORS": "http://127.0.0.1:9/"}
    demo = mnist_edge("demo", cwd=tmp_path, **environment)
    warning = "trained on the 1,797 digits bundled with scikit-learn"
    assert warning in " ".join(demo.stderr.split())
    assert warning in demo.stdout
    assert warning in json.loads((tmp_path / "runs/demo/run.json").read_text())["dataset"]["warning"]
    exports = [file for file in (tmp_path / "runs/demo/exports").iterdir() if file.suffix in (".tflite", ".onnx")]
    assert len(exports) == 8
    for file in exports:
        assert warning in mnist_edge("inspect", file).stdout
    assert (tmp_path / "runs/demo/pictures/readings.png").is_file()


class TestNewestExport:
    def publish(self, tmp_path: Path, files: list[str]) -> None:
        """Make the files, each a second younger than the one before."""
        for age, name in enumerate(files):
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(b"")
            os.utime(file, (1_000_000 + age, 1_000_000 + age))

    @pytest.mark.parametrize(
        "files",
        [
            ["a/exports/a-tflite-int8.tflite"],
            ["a/exports/a-tflite-int8.tflite", "b/exports/b-onnx-int8.onnx"],
            ["b/exports/b-onnx-int8.onnx", "a/exports/a-tflite-int8.tflite"],
        ],
    )
    def test_it_is_the_one_published_last(self, tmp_path: Path, files: list[str]) -> None:
        self.publish(tmp_path, files)
        assert newest_export(tmp_path) == tmp_path / files[-1]

    @pytest.mark.parametrize(
        "file", ["a/exports/a-tflite-none.tflite", "a/exports/a-tflite-int8.json", "a/x-int8.onnx"]
    )
    def test_what_is_no_int8_export_does_not_count(self, tmp_path: Path, file: str) -> None:
        self.publish(tmp_path, ["a/exports/a-onnx-int8.onnx", file])
        assert newest_export(tmp_path) == tmp_path / "a/exports/a-onnx-int8.onnx"

    @pytest.mark.parametrize("files", [[], ["a/exports/a-tflite-none.tflite"]], ids=["nothing", "float only"])
    def test_none_is_there(self, tmp_path: Path, files: list[str]) -> None:
        self.publish(tmp_path, files)
        with pytest.raises(InputError, match="no int8 export yet; make one with mnist-edge export"):
            newest_export(tmp_path)
