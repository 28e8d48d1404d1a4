from __future__ import annotations

import html
import json
import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from mnist_edge_exporters.analysis import layer_drift
from mnist_edge_exporters.parity.targets import Target
from mnist_edge_exporters.report import page
from mnist_edge_exporters.report.page import Report, write
from mnist_edge_exporters.source import Source
from mnist_edge_runtime import InputError
from mnist_edge_runtime.diagnostics import benchmark
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_trainer.runs.run import Run


@pytest.fixture(scope="module")
def report(run: Run, source: Source, files: Mapping[str, Path]) -> Report:
    assert files
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(benchmark, "SINGLE_TURNS", 2)
        return write(source, run.folder, run.record)


@pytest.fixture(scope="module")
def text(report: Report) -> str:
    return report.file.read_text(encoding="utf-8")


def _words(part: str) -> str:
    """Return what a person reads in a part of the page."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", part)).split())


def _section(text: str, name: str) -> str:
    return text.partition(f'<section id="{name}">')[2].partition("</section>")[0]


def test_the_table_says_what_the_proofs_say(report: Report, text: str, files: Mapping[str, Path]) -> None:
    rows = {_words(part).split()[0]: part for part in _section(text, "files").split("<tbody>")[1:]}
    for file in files.values():
        proof = json.loads(file.with_name(file.name + ".parity.json").read_text())
        words = _words(rows[file.name])
        assert f" {proof['bytes'] / 1024:.1f} " in words
        for runtime in proof["runtimes"]:
            figures = proof["reports"].get(f"{runtime['engine']}=={runtime['version']}")
            assert f"{runtime['engine']} {runtime['version']}" in words
            if figures:
                low, high = figures["accuracy_interval"]
                time = report.latencies[file, Target(runtime["engine"], runtime["version"])]
                assert (
                    f"{figures['accuracy']:.2%} {low:.2%} to {high:.2%} {figures['agreement']:.2%} "
                    f"{figures['lost']} / {figures['won']} {time:,.1f} passed"
                ) in words


def test_formats_are_held_against_each_other(text: str, files: Mapping[str, Path]) -> None:
    twin = json.loads(files["onnx-int8"].with_name(files["onnx-int8"].name + ".parity.json").read_text())["twin"]
    sentence = f"tflite-int8 and onnx-int8 give {twin['agreement']:.2%} of the images the same answer"
    assert sentence in _words(_section(text, "files"))


def test_every_changed_answer_is_in_the_gallery(text: str, files: Mapping[str, Path], source: Source) -> None:
    gallery = _words(_section(text, "flips"))
    shown = 0
    for file in files.values():
        for figures in json.loads(file.with_name(file.name + ".parity.json").read_text())["reports"].values():
            for flip in figures["flips"]:
                shown += 1
                reference, answer, true = (source.labels[flip[key]] for key in ("reference", "answer", "true"))
                assert f"{reference} → {answer} is {true}, " in gallery
                assert f"margin {flip['margin']:.3f} no. {flip['image']:,} " in gallery
    assert shown or "No file answers any test image otherwise" in gallery


def test_the_headline_is_the_keras_models(text: str, run: Run, source: Source) -> None:
    accuracy = run.record["metrics"]["test"]["accuracy"]
    assert f"reads {accuracy:.2%} of the {len(source.test[1]):,} test images right" in _words(text)
    matrix = _section(text, "confusion")
    right = sum(int(count) for count in re.findall(r'class="count middle right"[^>]*>(\d+)<', matrix))
    assert right == round(accuracy * len(source.test[1]))


def test_drift_is_what_was_measured(text: str, files: Mapping[str, Path], source: Source) -> None:
    section = _section(text, "drift")
    (part,) = (part for part in section.split("<figure>") if part.startswith("<figcaption>tflite-int8<"))
    layers = layer_drift.measure(files["tflite-int8"], source)
    for layer in layers:
        shape = "x".join(map(str, layer.shape))
        figures = f"mean {layer.mean_error:+.1e}, max {layer.max_error:.1e}"
        assert f"{layer.name} {layer.ratio} {shape} {figures} " in f"{_words(part)} "
    worst = layer_drift.steepest(layers)
    assert [bar.startswith(' class="worst"') for bar in part.split('<div class="bar"><span')[1:]] == [
        index == worst for index in range(len(layers))
    ]
    assert "tflite-none" not in section


def test_calibration_is_the_files_own(text: str, files: Mapping[str, Path]) -> None:
    passport = sealed_model.read(files["tflite-int8"]).contract.origin["calibration"]
    assert f"SHA-256 {passport['sha256']}" in _words(_section(text, "calibration"))


def test_the_page_loads_nothing(text: str) -> None:
    assert "<script" not in text
    assert "@import" not in text
    assert "url(" not in text
    assert all(link.startswith(("#", "data:")) for link in re.findall(r'(?:src|href)="([^"]*)"', text))
    assert "http:" not in text
    assert "https:" not in text


def test_curves_plots_and_all_sections_are_there(text: str) -> None:
    assert len(re.findall(r'<svg [^>]*role="img"', text)) == 5
    assert set(re.findall(r'href="#(\w[\w-]*)"', text)) == set(re.findall(r'<section id="([\w-]+)"', text))
    assert 'class="absent"' not in text.replace('<p class="absent">No file answers any', "")


def test_json_has_the_latencies(report: Report, files: Mapping[str, Path]) -> None:
    document = json.loads(json.dumps(report.to_dict()))
    assert document["report"] == str(report.file)
    exports = {Path(each["file"]): each for each in document["exports"]}
    for file in files.values():
        for runtime in exports[file]["runtimes"]:
            assert runtime["p50_us"] == report.latencies.get((file, Target(runtime["engine"], runtime["version"])))
            assert (runtime["verdict"] == "passed") == (runtime["p50_us"] is not None)


def test_a_run_without_exports_has_a_page_that_says_so(run: Run, source: Source, tmp_path: Path) -> None:
    text = write(source, tmp_path, run.record).file.read_text(encoding="utf-8")
    words = _words(text)
    assert "This run has no exports yet. Make them with mnist-edge export --run classic" in words
    assert "The run holds no history of its epochs (history.csv), so there are no curves." in words
    assert text.count('class="absent"') == 6
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_names_are_text_and_never_markup(run: Run, source: Source, tmp_path: Path) -> None:
    labels = ("<0>", '"1"', "&2", *source.labels[3:])
    dataset = {**run.record["dataset"], "warning": "<script>alert(1)</script>"}
    source = replace(source, name="<i>run</i>", labels=labels)
    text = write(source, tmp_path, {**run.record, "labels": labels, "dataset": dataset}).file.read_text("utf-8")
    assert "<script>" not in text
    assert "<i>" not in text
    assert "<0>" not in text
    assert "&lt;script&gt;alert(1)" in text
    assert "<0> read as <0>" in html.unescape(text)


def test_a_damaged_file_is_named_and_the_others_are_shown(
    run: Run, source: Source, files: Mapping[str, Path], tmp_path: Path
) -> None:
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports" / "classic-tflite-int8.tflite").write_bytes(files["tflite-int8"].read_bytes()[:-1])
    words = _words(_section(write(source, tmp_path, run.record).file.read_text(encoding="utf-8"), "files"))
    assert "classic-tflite-int8.tflite" in words
    assert "not proven: the file was altered, cut short" in words


@pytest.mark.parametrize(
    "history", ["epoch,loss\n1,0.5\n", "epoch,accuracy,loss,val_accuracy,val_loss\n1,a,b,c,d\n", ""]
)
def test_a_history_that_cannot_be_read_is_an_error(history: str, run: Run, source: Source, tmp_path: Path) -> None:
    (tmp_path / "history.csv").write_text(history)
    with pytest.raises(InputError, match=r"history\.csv: cannot be read .*; train the run again"):
        write(source, tmp_path, run.record)


def test_a_page_that_cannot_be_replaced_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "report.html").write_text("old")

    def full(source: object, target: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        page._replace(tmp_path / "report.html", "new")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]
