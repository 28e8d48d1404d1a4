from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from mnist_edge_exporters.export import export as export_module
from mnist_edge_exporters.export.export import Exported, export
from mnist_edge_exporters.parity.targets import targets_for
from mnist_edge_exporters.source import Source
from mnist_edge_exporters.spec import Options, Quantization, select, variant_info
from mnist_edge_runtime import ModelError, UsageError
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_trainer.data.datasets import Dataset
from mnist_edge_trainer.runs.run import Run

INT8 = select("tflite", "int8")
VARIANTS = [str(spec) for spec in select("all", "all")]

SHIFT = 400 * 86400  # seconds
SHIFTED_CLOCK = f"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/time.h>
#include <time.h>

int clock_gettime(clockid_t clock, struct timespec *now) {{
    int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
    int failed = real(clock, now);
    if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += {SHIFT};
    return failed;
}}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {{
    int (*real)(struct timeval *, void *) = dlsym(RTLD_NEXT, "gettimeofday");
    int failed = real(now, zone);
    if (!failed) now->tv_sec += {SHIFT};
    return failed;
}}

time_t time(time_t *kept) {{
    time_t (*real)(time_t *) = dlsym(RTLD_NEXT, "time");
    time_t now = real(NULL) + {SHIFT};
    if (kept) *kept = now;
    return now;
}}
"""


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_is_proven_on_the_whole_test_set(
    variant: str, exported: Mapping[str, Exported], dataset: Dataset
) -> None:
    outcome = exported[variant]
    assert outcome.failures == ()
    for report in outcome.proof.reports.values():
        assert report.images == len(dataset.test_images)
        if outcome.spec.quantization is Quantization.NONE:
            assert report.agreement == 1
            assert report.max_abs_difference is not None
            assert report.max_abs_difference <= 1e-4
        elif dataset.name != "digits":
            assert report.agreement >= 0.995
            assert abs(report.accuracy - report.reference_accuracy) <= 0.003


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_contract_says_what_was_found(variant: str, exported: Mapping[str, Exported], source: Source) -> None:
    outcome = exported[variant]
    assert outcome.file is not None
    contract = sealed_model.read(outcome.file).contract
    assert f"{contract.format}-{contract.quantization}" == variant
    assert contract.labels == source.labels
    assert contract.parity is not None
    assert contract.parity["passed"] is True
    assert outcome.proof.report is not None
    assert contract.parity["accuracy"] == outcome.proof.report.accuracy
    assert contract.origin["dataset"]["sha256"] == source.origin["dataset"]["sha256"]
    assert (contract.origin["calibration"] is not None) == (contract.quantization in ("int8", "int16x8"))
    text = contract.to_json()
    assert str(outcome.file.parent) not in text
    assert time.strftime("%Y-") not in text


def test_the_two_formats_are_compared_with_each_other(exported: Mapping[str, Exported]) -> None:
    for quantization in ("none", "float16", "int8"):
        assert exported[f"tflite-{quantization}"].counterpart is None
        counterpart = exported[f"onnx-{quantization}"].to_dict()["counterpart"]
        assert counterpart["variant"] == f"tflite-{quantization}"
        assert counterpart["passed"] is True
        assert counterpart["agreement"] >= 0.98
    assert exported["tflite-int16x8"].to_dict()["counterpart"] is None


@pytest.mark.long
@pytest.mark.usefixtures("converting_here")
def test_int4_is_published_for_litert_alone(own_source: Source, tmp_path: Path) -> None:
    (outcome,) = export(own_source, select("tflite", "int4"), tmp_path, Options(targets=("litert",)))
    assert outcome.failures == ()
    assert outcome.file is not None
    contract = sealed_model.read(outcome.file).contract
    assert [runtime["engine"] for runtime in contract.runtimes] == ["litert"]
    assert contract.origin["versions"]["ai-edge-quantizer"]


@pytest.mark.long
@pytest.mark.usefixtures("converting_here")
def test_int4_is_not_published_for_a_runtime_that_answers_otherwise(own_source: Source, tmp_path: Path) -> None:
    """tflite-runtime 2.14 loads such a file without a word and answers at chance level."""
    (outcome,) = export(own_source, select("tflite", "int4"), tmp_path, Options(targets=("tflite-runtime==2.14.0",)))
    assert outcome.file is None
    (target,) = targets_for("tflite", ["tflite-runtime==2.14.0"])
    expected = "answers changed" if target.is_installed else "only a runtime that ran it shows"
    assert any(failure.startswith(str(target)) and expected in failure for failure in outcome.failures)
    assert list(tmp_path.iterdir()) == []


def test_a_target_that_runs_none_of_the_files_is_refused(own_source: Source, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--target-runtime onnxruntime runs none of tflite-int8"):
        list(export(own_source, INT8, tmp_path, Options(targets=("onnxruntime",))))


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_contract_names_every_runtime(variant: str, files: Mapping[str, Path], dataset: Dataset) -> None:
    contract, ran = sealed_model.read(files[variant]).contract, {"status": "ran", "images": len(dataset.test_images)}
    (litert,) = targets_for("tflite", ["litert"])
    assert list(contract.runtimes) == [
        {
            "engine": target.engine,
            "version": target.version,
            **(ran if target.is_installed else {"status": "table only"}),
        }
        for target in targets_for(
            contract.format, must_run=variant_info(contract.format, contract.quantization).must_run
        )
    ] + (
        [{"engine": "integer", "version": "1", **ran, "compared_with": str(litert), "differing_logits": 0}]
        if variant == "tflite-int8"
        else []
    )


def test_the_report_lies_beside_the_file(files: Mapping[str, Path]) -> None:
    for variant, file in files.items():
        report = json.loads(file.with_name(file.name + ".parity.json").read_text())
        assert f"{report['format']}-{report['quantization']}" == variant
        assert report["file"] == file.name == f"classic-{variant}.{report['format']}"
        assert report["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
        assert report["bytes"] == file.stat().st_size
        assert {
            "accuracy",
            "reference_accuracy",
            "agreement",
            "passed",
            "changed_predictions",
            "reports",
        } <= report.keys()


def test_nothing_else_lies_in_the_folder(run: Run, files: Mapping[str, Path]) -> None:
    expected = {name for file in files.values() for name in (file.name, file.name + ".parity.json")}
    assert {path.name for path in run.exports.iterdir()} == expected


@pytest.fixture(scope="module")
def later(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the variables under which every process lives 400 days later; none where no C compiler can be had."""
    compiler = shutil.which("cc")
    if not compiler or not sys.platform.startswith("linux"):
        return {}
    folder = tmp_path_factory.mktemp("clock")
    source, library = folder / "clock.c", folder / "clock.so"
    source.write_text(SHIFTED_CLOCK)
    subprocess.run([compiler, "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"], check=True)
    return {"LD_PRELOAD": str(library)}


def test_the_second_process_lives_in_another_time(later: dict[str, str]) -> None:
    if not later:
        pytest.skip("no C compiler to shift the clock with; only the hash seeds differ")
    clocks = "import datetime, time; print(time.time(), time.time_ns() / 1e9, datetime.datetime.now().timestamp())"
    for command in ([sys.executable, "-c", clocks], ["date", "+%s"]):
        told = subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, **later})
        for clock in told.stdout.split():
            assert float(clock) - time.time() == pytest.approx(SHIFT, abs=60)


def _command(model: Path) -> list[object]:
    return [sys.executable, "-m", "mnist_edge.cli", "export", "--model", model, "--data", "digits"]


def _digests(folder: Path) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.iterdir()}


@pytest.mark.long
@pytest.mark.usefixtures("converting_here")
def test_two_processes_export_a_network_of_ones_own_in_every_variant_to_the_same_bytes(
    own_file: Path, later: dict[str, str], tmp_path: Path, mnist_edge: Callable[..., object]
) -> None:
    """Export in this process every variant and then int4; in another, at another time, int4 first."""
    every = ("--format", "all", "--quantize", "all", "--force")
    int4 = ("--quantize", "int4", "--target-runtime", "litert")
    for folder in (tmp_path / "here", tmp_path / "there"):
        folder.mkdir()
        shutil.copy(own_file, folder)
    for options in (every, int4):
        mnist_edge("export", "--model", tmp_path / "here" / "own.keras", "--data", "digits", *options)
    environment = {**os.environ, "PYTHONHASHSEED": "1", **later}
    for options in (int4, every):
        command = [*_command(tmp_path / "there" / "own.keras"), *options]
        subprocess.run(command, check=True, capture_output=True, env=environment)
    written = _digests(tmp_path / "there" / "exports")
    variants = [*VARIANTS, "onnx-dynamic", "tflite-int4"]
    names = {f"own-{variant}.{variant.partition('-')[0]}" for variant in variants}
    assert written.keys() == names | {f"{name}.parity.json" for name in names}
    assert written == _digests(tmp_path / "here" / "exports")


@pytest.mark.long
@pytest.mark.usefixtures("converting_here")
def test_a_file_whose_self_test_fails_is_not_published(
    own_source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose = export_module.golden_vectors.choose

    def inverted(*arguments: Any) -> Any:
        golden = choose(*arguments)
        return replace(golden, images=255 - golden.images)

    monkeypatch.setattr(export_module.golden_vectors, "choose", inverted)
    (outcome,) = export(own_source, INT8, tmp_path, Options())
    assert outcome.file is None
    assert any("self-test on litert" in failure for failure in outcome.failures)
    assert list(tmp_path.iterdir()) == []


def test_pixels_of_another_scale_are_refused_before_anything_is_made(own_source: Source, tmp_path: Path) -> None:
    import keras

    trained_on_raw = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Rescaling(1 / 255), own_source.model])
    with pytest.raises(ModelError, match=r"0\.\.255"):
        list(export(replace(own_source, model=trained_on_raw), INT8, tmp_path, Options()))


def test_a_folder_that_cannot_be_made_leaves_nothing(own_source: Source, tmp_path: Path) -> None:
    (tmp_path / "exports").write_text("a file, not a folder")
    with pytest.raises(OSError, match="exports"):
        list(export(own_source, INT8, tmp_path / "exports", Options()))
    assert [path.name for path in tmp_path.iterdir()] == ["exports"]


def _published(folder: Path) -> Iterator[Path]:
    return (path for path in folder.glob("*") if not path.name.startswith("."))


@pytest.mark.long
@pytest.mark.parametrize(("finished", "seconds"), [(0, 0.5), (1, 0.2), (2, 0.0)])
def test_an_export_killed_at_any_moment_leaves_only_whole_files(
    finished: int, seconds: float, own_file: Path, tmp_path: Path
) -> None:
    """It is killed that many seconds after it has said that so many files are finished."""
    command = [*_command(Path(shutil.copy(own_file, tmp_path))), "--format", "onnx", "--quantize", "all"]
    last = f"export {finished}/" if finished else "each file is proved"
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        assert any(last in line for line in process.stderr)
        time.sleep(seconds)
        process.kill()
    assert process.returncode == -signal.SIGKILL
    models = [path for path in _published(tmp_path / "exports") if path.suffix in (".tflite", ".onnx")]
    assert len(models) >= finished
    for path in models:
        assert sealed_model.read(path).contract.parity
        assert path.with_name(path.name + ".parity.json").is_file()


@pytest.mark.long
@pytest.mark.usefixtures("converting_here")
def test_a_file_carries_none_of_the_test_images_where_others_are_golden(own_source: Source, tmp_path: Path) -> None:
    images, labels = (array[:200] for array in own_source.validation)
    (outcome,) = export(replace(own_source, golden=(images, labels)), INT8, tmp_path, Options())
    assert outcome.file
    carried = sealed_model.read(outcome.file).golden.images
    assert len(carried) >= 20
    assert {image.tobytes() for image in carried} <= {image.tobytes() for image in images}
