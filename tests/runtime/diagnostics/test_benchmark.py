from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from mnist_edge_runtime import EngineError, UsageError, host, models
from mnist_edge_runtime.__main__ import main
from mnist_edge_runtime.diagnostics import benchmark
from mnist_edge_runtime.diagnostics.benchmark import Benchmark, Measurement, pairs
from mnist_edge_runtime.host import Host

Capture = pytest.CaptureFixture[str]

COLUMNS = ["p50", "p95", "p99", "max"]
HERE = replace(Host.here(), model="Board", cpu="Processor", cores=4, governor="ondemand")


def _measurement(quantization: str, engine_p50: float, **changes: Any) -> Measurement:
    stages = {stage: dict.fromkeys(COLUMNS, engine_p50) for stage in ("preprocessing", "engine", "rest", "together")}
    plain = Measurement(
        model=f"{quantization}.tflite",
        engine="litert",
        quantization=quantization,
        network="small, 1 parameters",
        bytes=1,
        load_ms=1.0,
        first_us=1.0,
        images=1000,
        latency_us=stages,
        noise_us=1.0,
        clock_us=0.05,
        throughput=[{"threads": 1, "batch": 1, "images_per_second": 1.0}],
        peak_rss_bytes=None,
    )
    return replace(plain, **changes)


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmark, "SINGLE_TURNS", 2)
    monkeypatch.setattr(benchmark, "BATCH_TURNS", 1)


@pytest.fixture
def firmware(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Return the function that puts a `vcgencmd` on the path, whose answers grow; it gives the file of its calls."""

    def firmware(first: str, later: str) -> Path:
        program, calls = tmp_path / "vcgencmd", tmp_path / "calls"
        program.write_text(f'#!/bin/sh\n[ -e "{calls}" ] && echo {later} || echo {first}\necho >> "{calls}"\n')
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
        return calls

    return firmware


def test_a_file_is_measured_on_each_engine_it_is_for(files: Mapping[str, Path]) -> None:
    tflite, onnx = files["tflite-int8"], files["onnx-int8"]
    found = pairs([tflite, str(onnx), tflite])

    assert found[0] == (tflite, "litert")
    assert found[-1] == (onnx, "onnxruntime")
    assert {engine for file, engine in found if file == tflite} <= {"litert", "tflite-runtime"}
    assert len(found) == len(set(found))
    assert pairs([tflite, onnx], ["litert", "onnxruntime"]) == [(tflite, "litert"), (onnx, "onnxruntime")]


def test_engines_and_files_without_a_partner_are_refused(
    files: Mapping[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match=r"classic-onnx-int8.onnx: litert does not run it; choose from onnxruntime"):
        pairs([files["tflite-int8"], files["onnx-int8"]], ["litert"])
    with pytest.raises(UsageError, match="none of the files is for onnxruntime"):
        pairs([files["tflite-int8"]], ["litert", "onnxruntime"])
    monkeypatch.setattr(benchmark, "_is_installed", lambda engine: False)
    with pytest.raises(
        EngineError, match=r"no engine for it is installed: onnxruntime is not installed \(.*pip install"
    ):
        pairs([files["onnx-int8"]])


def test_the_engines_that_a_file_was_not_proven_on_are_left_out(tflite_file: Path, reseal: Callable[..., Path]) -> None:
    only = {"engine": "litert", "version": "1", "status": "ran"}
    file = reseal(tflite_file, contract=lambda contract: replace(contract, runtimes=(only,)))

    assert pairs([file]) == [(file, "litert")]


@pytest.mark.long
def test_two_files_are_measured_in_turns(files: Mapping[str, Path]) -> None:
    runs = [(files["tflite-int8"], "litert"), (files["onnx-none"], "onnxruntime")]
    told: list[str] = []
    found = benchmark.benchmark(runs, told.append)

    assert found.errors == ()
    assert [(Path(one.model), one.engine) for one in found.measurements] == runs
    assert [one.quantization for one in found.measurements] == ["int8", "none"]
    assert len(told) == 1 + benchmark.SINGLE_TURNS + benchmark.BATCH_TURNS
    for one, (file, _) in zip(found.measurements, runs, strict=True):
        assert one.images >= 1000
        assert one.network == "classic, 110474 parameters"
        assert one.bytes == file.stat().st_size
        assert list(one.latency_us) == ["preprocessing", "engine", "rest", "together"]
        for figures in one.latency_us.values():
            assert list(figures) == COLUMNS
            assert list(figures.values()) == sorted(figures.values())
            assert figures["p50"] > one.clock_us >= 0
        parts = [one.latency_us[stage]["p50"] for stage in ("preprocessing", "engine", "rest")]
        assert one.latency_us["together"]["p50"] == pytest.approx(sum(parts), rel=0.5)
        assert one.load_ms * 1000 > one.first_us > one.latency_us["engine"]["p50"] / 2
        assert one.noise_us >= 0
        threads = {row["threads"] for row in one.throughput}
        assert threads == {count for count in (1, 2, 4, 8, 16, 32, 64, 128, 256) if count <= host.cores()}
        assert [row["batch"] for row in one.throughput if row["threads"] == 1] == [1, 4, 16, 64, 256]
        assert all(row["images_per_second"] > 0 for row in one.throughput)
        assert one.peak_rss_bytes is None or 20e6 < one.peak_rss_bytes < 400e6
    assert found.throttling_known or found.to_dict()["valid"]


def test_one_that_fails_does_not_keep_the_others_from_being_measured(
    short: None, capsys: Capture, files: Mapping[str, Path], reseal: Callable[..., Path]
) -> None:
    unfit = reseal(files["tflite-int8"], contract=lambda contract: replace(contract, labels=(*contract.labels, "ten")))
    code = main(["benchmark", "--json", "--engine", "litert", str(unfit), str(files["tflite-none"])])
    out, err = capsys.readouterr()
    document = json.loads(out)

    assert code == 4
    assert f"error: {unfit} on litert: no engine here runs this tflite file: litert cannot run it" in err
    assert [error["model"] for error in document["errors"]] == [str(unfit)]
    assert [result["model"] for result in document["results"]] == [str(files["tflite-none"])]
    assert document.keys() >= {"host", "valid", "throttled", "temperature_celsius", "notes"}


def test_a_person_reads_a_table(short: None, capsys: Capture, files: Mapping[str, Path]) -> None:
    code = main(["benchmark", "--engine", "litert", str(files["tflite-int8"]), str(files["tflite-none"])])
    out, err = capsys.readouterr()

    assert code == 0
    assert all(line.startswith("measuring: ") for line in err.splitlines())  # where it takes more than seconds
    assert out.startswith("processor ") or out.startswith("machine ")
    for words in (
        "peak RSS",
        "p50      p95      p99      max",
        "preprocessing",
        "noise floor",
        "batch 256",
        "1 thread ",
    ):
        assert words in out
    assert " 1.00 x\n" in out


def test_what_a_throttled_machine_says_is_invalid(
    short: None, capsys: Capture, tflite_file: Path, firmware: Callable[..., Path]
) -> None:
    firmware("throttled=0x10000", "throttled=0x50004")
    code = main(["benchmark", "--engine", "litert", str(tflite_file)])
    out, _ = capsys.readouterr()

    assert code == 0
    assert "throttling   throttled\n" in out  # under-voltage was before
    assert "INVALID: the machine was throttled while it measured (throttled)" in out


@pytest.mark.parametrize(
    ("first", "later", "valid"),
    [("0x0", "0x0", True), ("0xf0000", "0xf0000", True), ("0x0", "0x20000", False), ("0x8", "0x0", False)],
)
def test_figures_are_valid_unless_the_machine_was_throttled_while_it_measured(
    firmware: Callable[..., Path], first: str, later: str, valid: bool
) -> None:
    firmware(f"throttled={first}", f"throttled={later}")
    found = benchmark.benchmark([])

    assert found.throttling_known
    assert found.to_dict()["valid"] is valid


def _notes(*measurements: Measurement) -> tuple[str, ...]:
    return Benchmark(HERE, measurements, (), (None, None), (), False).notes


def test_an_int8_file_that_is_slower_than_float_is_told() -> None:
    plain = _measurement("none", 20)

    (note,) = _notes(plain, _measurement("int8", 40))
    assert note == "int8.tflite (int8) is slower than none.tflite (float32) on litert here: 40.0 against 20.0 us"
    assert _notes(plain, _measurement("int8", 10)) == ()
    assert _notes(plain, _measurement("int8", 40, noise_us=25)) == ()
    assert _notes(plain, _measurement("int8", 40, network="base, 2 parameters")) == ()
    assert _notes(plain, _measurement("int8", 40, engine="tflite-runtime")) == ()


def test_without_a_model_it_is_the_one_that_ships_with_the_package(
    short: None, capsys: Capture, tflite_file: Path
) -> None:
    code = main(["benchmark", "--json", "--engine", "litert"])
    (result,) = json.loads(capsys.readouterr().out)["results"]

    assert (code, Path(result["model"])) == (0, models.bundled_models("litert")[0])
    assert main(["benchmark"], default_model=lambda: tflite_file.with_name("missing.tflite")) == 3
    assert "missing.tflite" in capsys.readouterr().err


def test_of_the_shipped_files_those_are_taken_that_an_engine_is_for(monkeypatch: pytest.MonkeyPatch) -> None:
    tflite, onnx = models.bundled_models()
    assert benchmark.bundled_for(["onnxruntime"]) == [onnx]
    assert benchmark.bundled_for() == [tflite, onnx]
    monkeypatch.setattr(benchmark, "_is_installed", lambda engine: engine == "onnxruntime")
    assert benchmark.bundled_for() == [onnx]
    assert benchmark.bundled_for(["litert"]) == [tflite]


def test_help(capsys: Capture) -> None:
    with pytest.raises(SystemExit):
        main(["benchmark", "--help"])
    assert capsys.readouterr().out.startswith("usage: mnist-edge-runtime benchmark")


def test_an_interrupt_ends_it_quietly(tflite_file: Path, firmware: Callable[..., Path]) -> None:
    calls = firmware("throttled=0x0", "throttled=0x0")
    command = [sys.executable, "-m", "mnist_edge_runtime", "benchmark", tflite_file]

    def heed() -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # in the background a shell has it ignored

    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=heed) as process:
        while not calls.exists() or calls.stat().st_size < 2:  # its children are being measured
            assert process.poll() is None
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGINT)

        assert process.communicate(timeout=30) == (b"", b"")
        assert process.returncode == 130


def test_what_ends_at_its_result_costs_no_other_measurement(
    files: Mapping[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Ending(benchmark.InterleavedProcess):
        def result(self) -> str:
            if self._engine == "litert":
                raise EngineError("it ended")
            return super().result()

    monkeypatch.setattr(benchmark, "InterleavedProcess", Ending)
    runs = [(files["tflite-int8"], "litert"), (files["onnx-int8"], "onnxruntime")]
    found = benchmark.benchmark(runs, engine_only=True)
    assert [measured.engine for measured in found.measurements] == ["onnxruntime"]
    assert found.errors == ((str(files["tflite-int8"]), "litert", "it ended"),)
