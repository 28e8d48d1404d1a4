"""One training and one export of each kind for the suite: on MNIST where $MNIST_EDGE_DATA is set, else on digits."""

from __future__ import annotations

import fcntl
import hashlib
import os
import pickle
import platform
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from mnist_edge_trainer.data import datasets
from mnist_edge_trainer.data.datasets import Dataset

if TYPE_CHECKING:
    from mnist_edge_exporters.export.export import Exported
    from mnist_edge_exporters.source import Source
    from mnist_edge_exporters.spec import ExportSpec
    from mnist_edge_runtime.child_process import LineProcess
    from mnist_edge_trainer.runs.run import Run

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "benchmarks"))  # whose scripts import each other, also where a test runs one of them

# A worker for each core: threads of its own would only wait for the others. To be set before TensorFlow is imported.
if "PYTEST_XDIST_WORKER" in os.environ:
    for _variable in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(_variable, "1")

# As `tensorflow_import` has it, for tests that import Keras themselves.
if platform.machine() == "x86_64":
    os.environ["TF_ENABLE_ONEDNN_OPTS"] = "1"

_Make = Callable[[Path], None]


def tracked(*patterns: str) -> list[str]:
    """Return the names of the repository's files that match one of the patterns of Git, all without one.

    Files that Git does not know yet are among them, those that it ignores are not.
    """
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *patterns]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    return sorted(name for name in listed.split("\0") if name and (ROOT / name).exists())


# In the order of starting: the first trains and exports for all; the next ones take long and need neither.
_STARTED_FIRST = (
    "exporters/export/test_export.py",
    "trainer/training/test_checkpoint.py",
    "trainer/tuning/test_tune.py",
    "exporters/deploy/test_rollout.py",
    "exporters/deploy/test_fleet.py",
    "exporters/installer/test_transaction.py",
    "trainer/training/test_fit.py",
    "exporters/bundle/test_build.py",
    "exporters/export/test_architectures.py",
    "test_code_blocks.py",
    "test_cli.py",
    "exporters/test_commands.py",
    "exporters/report/test_page.py",
    "exporters/export/test_selection.py",
    "exporters/export/test_caught_faults.py",
    "runtime/diagnostics/test_benchmark.py",
)


# Reasons for which a test may be skipped in CI, where any other one is a failure: there it is a check that is not made.
_ALLOWED_SKIPS = {
    "root may write everywhere": "CI runs as root, whom no permission stops",
}
_unexpected_skips: list[str] = []


def _note_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if os.environ.get("CI") and report.skipped and isinstance(report.longrepr, tuple):
        reason = report.longrepr[2].removeprefix("Skipped: ")
        if reason not in _ALLOWED_SKIPS:
            _unexpected_skips.append(f"{report.nodeid}: {reason}")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    _note_skip(report)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    _note_skip(report)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if _unexpected_skips and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _unexpected_skips:
        terminalreporter.section("skipped in CI, which is a failure", red=True)
        for line in _unexpected_skips:
            terminalreporter.line(f"{line} (install what it needs, or list the reason in tests/conftest.py)")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start the longest files first, so that no worker waits at the end for one that began late."""
    order = {ROOT / "tests" / name: number for number, name in enumerate(_STARTED_FIRST)}
    items.sort(key=lambda item: order.get(item.path, len(order)))


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the suite off the person's caches."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("KERAS_HOME", str(tmp_path_factory.mktemp("keras")))
        yield


@pytest.fixture(scope="session")
def mnist_folder() -> Path:
    """The folder of real MNIST; tests that need it are skipped without it."""
    folder = os.environ.get("MNIST_EDGE_DATA")
    if not folder:
        pytest.skip("MNIST_EDGE_DATA is not set")
    return Path(folder).resolve()


@pytest.fixture(scope="session")
def digits() -> Dataset:
    return datasets.load("digits")


@pytest.fixture(scope="session")
def dataset(digits: Dataset, request: pytest.FixtureRequest) -> Dataset:
    """What the suite trains on and exports for: a fifth of MNIST, 12,000 and 2,000 images, or the digits without it."""
    if not os.environ.get("MNIST_EDGE_DATA"):
        return digits

    def make(folder: Path) -> None:
        whole = datasets.load("mnist")
        train = {"x_train": whole.train_images[:12_000], "y_train": whole.train_labels[:12_000]}
        test = {"x_test": whole.test_images[:2_000], "y_test": whole.test_labels[:2_000]}
        np.savez(folder / "fifth.npz", **train, **test)

    return datasets.load(str(request.getfixturevalue("once")("mnist", make) / "fifth.npz"))


@pytest.fixture(scope="session")
def once(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, _Make], Path]:
    """Return the function that fills a folder once for all workers: the first makes it, the others wait and read it.

    Nobody changes anything in that folder afterwards; a test that writes takes a copy.
    """
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if hasattr(pytestconfig, "workerinput") else base

    def once(name: str, make: _Make) -> Path:
        folder, done = shared / name, shared / f"{name}.done"
        with (shared / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not done.exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                make(folder)
                done.touch()
        return folder

    return once


@pytest.fixture(scope="session")
def runs_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("session") / "runs"


@pytest.fixture(scope="session")
def run(dataset: Dataset, runs_dir: Path, once: Callable[[str, _Make], Path]) -> Run:
    """What `mnist-edge train` with no options makes, in a folder of this worker."""
    from mnist_edge_trainer.networks.config import TrainConfig
    from mnist_edge_trainer.runs import run
    from mnist_edge_trainer.training.fit import train

    def make(folder: Path) -> None:
        run.save(train(TrainConfig(), dataset, datasets.split(dataset)), dataset, folder, "classic")

    shutil.copytree(once("runs", make), runs_dir)
    return run.load(runs_dir, "classic")


@pytest.fixture(scope="session")
def source(run: Run) -> Source:
    from mnist_edge.cli import Sources

    source, _ = Sources().find(run.folder.parent, run.name, None, None)
    return source


@pytest.fixture(scope="session")
def exported(run: Run, source: Source, once: Callable[[str, _Make], Path]) -> Mapping[str, Exported]:
    """The outcome of every offered variant, by its name: "tflite-int8" and so on; nobody changes the files in place."""
    from mnist_edge_exporters.export.export import export
    from mnist_edge_exporters.spec import Options, select

    def make(folder: Path) -> None:
        outcomes = list(export(source, select("all", "all"), folder / "exports", Options()))
        (folder / "outcomes.pickle").write_bytes(pickle.dumps(outcomes))

    made = once("exported", make)
    shutil.copytree(made / "exports", run.exports)
    outcomes: list[Exported] = pickle.loads((made / "outcomes.pickle").read_bytes())
    return {
        str(outcome.spec): replace(outcome, file=outcome.file and run.exports / outcome.file.name)
        for outcome in outcomes
    }


@pytest.fixture(scope="session")
def files(exported: Mapping[str, Exported]) -> Mapping[str, Path]:
    """The published file of every offered variant."""
    return {name: outcome.file for name, outcome in exported.items() if outcome.file}


@pytest.fixture
def converting_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Convert in the process of the test: for faults that are planted in it, and to import TensorFlow only once."""
    from mnist_edge_exporters import keras_model
    from mnist_edge_exporters.analysis import layer_drift
    from mnist_edge_exporters.converters import worker
    from mnist_edge_exporters.converters.calibration import Calibration
    from mnist_edge_exporters.export import export

    class Here(worker.ConverterProcess):
        def _start(self, *first: ExportSpec) -> LineProcess:
            self._model = keras_model.read(self._folder / worker._MODEL)
            self._images = Calibration(np.load(self._folder / worker._CALIBRATION), {})
            return None  # type: ignore[return-value]

        def _next(self, spec: ExportSpec) -> dict[str, Any]:
            return worker._answer(self._model, spec, self._images, self._folder / str(spec))

    monkeypatch.setattr(export, "ConverterProcess", Here)
    monkeypatch.setattr(layer_drift, "ConverterProcess", Here)


@pytest.fixture(scope="session")
def endless(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sealed ONNX file whose network loops for ever; its contract is the bundled one's, its digests are valid."""
    return _endless(tmp_path_factory.mktemp("endless") / "endless.onnx", on_ink_alone=False)


@pytest.fixture(scope="session")
def endless_on_ink(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, but it answers a blank image."""
    return _endless(tmp_path_factory.mktemp("endless") / "endless-on-ink.onnx", on_ink_alone=True)


def _endless(file: Path, *, on_ink_alone: bool) -> Path:
    from mnist_edge_runtime import models
    from mnist_edge_runtime.model_file import sealed_model
    from mnist_edge_runtime.model_file.contract import Payload
    from onnx import TensorProto, helper, numpy_helper

    value = helper.make_tensor_value_info
    body = helper.make_graph(
        [helper.make_node("Identity", ["goes"], ["on"]), helper.make_node("Identity", ["before"], ["after"])],
        "body",
        [value("turn", TensorProto.INT64, []), value("goes", TensorProto.BOOL, []),
         value("before", TensorProto.UINT8, ["batch", 10])],
        [value("on", TensorProto.BOOL, []), value("after", TensorProto.UINT8, ["batch", 10])],
    )  # fmt: skip
    constants = {"first": [0], "end": [10], "axis": [1], "white": 255, "many": 1 << 54, "yes": True}
    graph = helper.make_graph(
        [
            helper.make_node("Flatten", ["image"], ["flat"], axis=1),
            helper.make_node("Slice", ["flat", "first", "end", "axis"], ["ten"]),
            helper.make_node("Cast", ["image" if on_ink_alone else "white"], ["ink"], to=TensorProto.INT64),
            helper.make_node("ReduceMax", ["ink"], ["darkest"], keepdims=0),
            helper.make_node("Mul", ["darkest", "many"], ["turns"]),
            helper.make_node("Loop", ["turns", "yes", "ten"], ["logits"], body=body),
        ],
        "endless",
        [value("image", TensorProto.UINT8, ["batch", 28, 28, 1])],
        [value("logits", TensorProto.UINT8, ["batch", 10])],
        [numpy_helper.from_array(np.array(number), name) for name, number in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    payload = model.SerializeToString()
    sealed = sealed_model.read(models.bundled_models("onnxruntime")[0])
    contract = replace(sealed.contract, payload=Payload(len(payload), hashlib.sha256(payload).hexdigest()))
    file.write_bytes(sealed_model.seal(payload, contract, sealed.golden))
    return file


@pytest.fixture
def here(runs_dir: Path, files: Mapping[str, Path], tmp_path: Path) -> Path:
    """Return a folder in which `runs/` holds a copy of the session's run with its exports."""
    assert files
    shutil.copytree(runs_dir, tmp_path / "runs")
    return tmp_path


@pytest.fixture
def mnist_edge(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., subprocess.CompletedProcess[str]]]:
    """Return the function that runs `mnist-edge` in this process, expects the exit code, and never a traceback."""
    from mnist_edge import cli

    def mnist_edge(*arguments: object, cwd: Path | None = None, code: int = 0) -> subprocess.CompletedProcess[str]:
        words = ["mnist-edge", *map(str, arguments)]
        capsys.readouterr()
        with monkeypatch.context() as patch:
            patch.setattr(sys, "argv", words)
            patch.chdir(cwd or Path.cwd())
            with pytest.raises(SystemExit) as ended:
                cli.main()
        out, err = capsys.readouterr()
        assert (ended.value.code or 0) == code, err
        assert "Traceback" not in err
        return subprocess.CompletedProcess(words, code, out, err)

    # What commands set in their own process: the handler of a signal, variables for TensorFlow.
    handler, variables = signal.getsignal(signal.SIGTERM), dict(os.environ)
    yield mnist_edge
    signal.signal(signal.SIGTERM, handler)
    os.environ.clear()
    os.environ.update(variables)


@pytest.fixture
def mistake(mnist_edge: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path) -> Callable[..., None]:
    """Return the function that expects of a command line an exit code and a sentence on stderr, and nothing else."""

    def mistake(arguments: str, code: int, message: str) -> None:
        result = mnist_edge(*shlex.split(arguments), cwd=tmp_path, code=code)
        assert message in result.stderr
        assert result.stdout == ""
        assert list(tmp_path.iterdir()) == []

    return mistake


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    """Return Chromium, headless; while it runs, an event loop does in this thread."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if (chromium := shutil.which("chromium")) is None:
        pytest.skip("chromium is not installed")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield opened
        opened.close()
