from __future__ import annotations

import base64
import html
import json
import os
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from mnist_edge_exporters.analysis import layer_drift
from mnist_edge_exporters.parity.comparison import reference_probabilities
from mnist_edge_exporters.parity.targets import Target
from mnist_edge_exporters.report.page import WrittenPage, write
from mnist_edge_exporters.source import Source
from mnist_edge_runtime.diagnostics import benchmark
from mnist_edge_runtime.engines.registry import ENGINES
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_trainer.runs.run import Run


@pytest.fixture(scope="module")
def report(run: Run, source: Source, files: Mapping[str, Path]) -> WrittenPage:
    assert files
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(benchmark, "SINGLE_TURNS", 2)
        return write(source, run.folder, run.record)


@pytest.fixture(scope="module")
def text(report: WrittenPage) -> str:
    return report.file.read_text(encoding="utf-8")


def _words(part: str) -> str:
    """Return what a person reads in a part of the page."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", part)).split())


def _section(text: str, name: str) -> str:
    return text.partition(f'<section id="{name}">')[2].partition("</section>")[0]


def test_the_table_says_what_the_proofs_say(report: WrittenPage, text: str, files: Mapping[str, Path]) -> None:
    rows = {_words(part).split()[0]: part for part in _section(text, "files").split("<tbody>")[1:]}
    for file in files.values():
        proof = json.loads(file.with_name(file.name + ".parity.json").read_text())
        words = _words(rows[file.name])
        assert f" {proof['bytes'] / 1000:.1f} " in words
        for runtime in proof["runtimes"]:
            figures = proof["reports"].get(f"{runtime['engine']}=={runtime['version']}")
            assert f"{runtime['engine']} {runtime['version']}" in words
            if figures and runtime["engine"] in ENGINES:
                low, high = figures["accuracy_interval"]
                time = report.latencies[file, Target(runtime["engine"], runtime["version"])]
                assert (
                    f"{figures['accuracy']:.2%} {low:.2%} to {high:.2%} {figures['agreement']:.2%} "
                    f"{figures['lost']} / {figures['won']} {time:,.1f} passed"
                ) in words


def test_formats_are_compared_with_each_other(text: str, files: Mapping[str, Path]) -> None:
    proof = json.loads(files["onnx-int8"].with_name(files["onnx-int8"].name + ".parity.json").read_text())
    sentence = f"tflite-int8 and onnx-int8 give {proof['counterpart']['agreement']:.2%} of the images the same answer"
    assert sentence in _words(_section(text, "files"))


def test_every_changed_answer_is_in_the_gallery(text: str, files: Mapping[str, Path], source: Source) -> None:
    gallery = _words(_section(text, "changed"))
    shown = 0
    for file in files.values():
        for figures in json.loads(file.with_name(file.name + ".parity.json").read_text())["reports"].values():
            for each in figures["changed_predictions"]:
                shown += 1
                reference, answer, true = (source.labels[each[key]] for key in ("reference", "answer", "true"))
                assert f"{reference} → {answer} is {true}, " in gallery
                assert f"margin {each['margin']:.3f} no. {each['image']:,} " in gallery
    assert shown or "Every file gives the Keras model's answer" in gallery


def test_the_headline_is_the_keras_models(text: str, run: Run, source: Source) -> None:
    accuracy = run.record["metrics"]["test"]["accuracy"]
    assert f"reads {accuracy:.2%} of the {len(source.test[1]):,} test images right" in _words(text)


@pytest.mark.parametrize(("section", "plot"), [("training", "learning_curves"), ("confusion", "confusion_matrix")])
def test_the_plots_are_the_runs_own(section: str, plot: str, text: str, run: Run) -> None:
    (data,) = re.findall(r'<img src="data:image/png;base64,([^"]*)"', _section(text, section))
    assert base64.b64decode(data) == (run.folder / f"{plot}.png").read_bytes()


def test_the_most_frequent_mistakes_are_counted(text: str, source: Source) -> None:
    answers = reference_probabilities(source.model, source.test[0]).argmax(axis=1)
    pairs = Counter(zip(source.test[1].tolist(), answers.tolist(), strict=True))
    mistakes = Counter({pair: times for pair, times in pairs.items() if pair[0] != pair[1]})
    (_, most), *_ = mistakes.most_common()
    (first, *_) = re.findall(r"<tr><td>(.*?)</tr>", _section(text, "confusion"))
    true, answer, times, _ = _words(first).split()
    assert mistakes[source.labels.index(true), source.labels.index(answer)] == most == int(times)


@pytest.mark.long
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
    record = sealed_model.read(files["tflite-int8"]).contract.origin["calibration"]
    assert f"SHA-256 {record['sha256']}" in _words(_section(text, "calibration"))


def test_the_page_loads_nothing(text: str) -> None:
    assert "<script" not in text
    assert "@import" not in text
    assert "url(" not in text
    assert all(link.startswith(("#", "data:")) for link in re.findall(r'(?:src|href)="([^"]*)"', text))
    assert "http:" not in text
    assert "https:" not in text


def test_diagrams_and_all_sections_are_there(text: str) -> None:
    assert len(re.findall(r'<svg [^>]*role="img"', text)) == 2
    assert set(re.findall(r'href="#(\w[\w-]*)"', text)) == set(re.findall(r'<section id="([\w-]+)"', text))
    assert 'class="absent"' not in text.replace('<p class="absent">Every file gives', "")


def test_json_has_the_latencies(report: WrittenPage, files: Mapping[str, Path]) -> None:
    document = json.loads(json.dumps(report.to_dict()))
    assert document["report"] == str(report.file)
    exports = {Path(each["file"]): each for each in document["exports"]}
    for file in files.values():
        for runtime in exports[file]["runtimes"]:
            assert runtime["p50_us"] == report.latencies.get((file, Target(runtime["engine"], runtime["version"])))
            if runtime["engine"] in ENGINES:
                assert (runtime["verdict"] == "passed") == (runtime["p50_us"] is not None)


def test_a_run_without_exports_has_a_page_that_says_so(run: Run, source: Source, tmp_path: Path) -> None:
    text = write(source, tmp_path, run.record).file.read_text(encoding="utf-8")
    words = _words(text)
    assert "This run has no exports yet. Make them with mnist-edge export --run classic" in words
    assert "The run has no learning curves (learning_curves.png)." in words
    assert "The run has no confusion matrix (confusion_matrix.png)." in words
    assert text.count('class="absent"') == 7
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
    assert "&lt;0&gt;" in text


def test_a_damaged_file_is_named_and_the_others_are_shown(
    run: Run, source: Source, files: Mapping[str, Path], tmp_path: Path
) -> None:
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports" / "classic-tflite-int8.tflite").write_bytes(files["tflite-int8"].read_bytes()[:-1])
    words = _words(_section(write(source, tmp_path, run.record).file.read_text(encoding="utf-8"), "files"))
    assert "classic-tflite-int8.tflite" in words
    assert "not proven: the file is cut short: bytes are missing, its last 1;" in words


def test_a_page_that_cannot_be_replaced_stays(
    run: Run, source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "report.html").write_text("old")

    def full(source: object, target: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        write(source, tmp_path, run.record)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]
