from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mnist_edge_runtime import Classifier
from mnist_edge_runtime.__main__ import main
from mnist_edge_runtime.line_reader import read_lines
from mnist_edge_runtime.preprocessing.image_io import load_picture
from mnist_edge_runtime.text_output import percent
from mnist_edge_trainer.demo.synthetic_digits import draw
from PIL import Image

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """A page with a line of three digits and one of two."""
    lines = ["174", "02"]
    rows = [
        np.hstack([draw(digit, size=100, pen=0.07) for digit in line.ljust(3)[:3].replace(" ", "1")]) for line in lines
    ]
    rows[1][:, 200:] = 245
    file = tmp_path / "page.png"
    Image.fromarray(np.pad(np.vstack(rows), 30, constant_values=245)).save(file)
    return file


def test_a_line_of_text_for_each_line_of_digits(capsys: Capture, tflite_file: Path, page: Path) -> None:
    with Classifier.load(tflite_file) as classifier:
        expected = read_lines(load_picture(page), classifier)

    code = main(["read", "--model", str(tflite_file), str(page)])
    out, err = capsys.readouterr()

    assert (code, err) == (0, "")
    assert [len(line) for line in expected] == [3, 2]
    for shown, line in zip(out.splitlines(), expected, strict=True):
        least = min(digit.prediction.confidence for digit in line)
        text = "".join(digit.prediction.label for digit in line)
        assert shown.startswith(f"{text}  each at least {percent(least)}")


def test_json(capsys: Capture, tflite_file: Path, page: Path) -> None:
    code = main(["read", "--json", "--model", str(tflite_file), str(page)])
    document = json.loads(capsys.readouterr().out)

    assert code == 0
    assert (document["model"], document["file"]) == (str(tflite_file), str(page))
    assert [len(line["text"]) for line in document["lines"]] == [3, 2]
    first = document["lines"][0]["digits"][0]
    assert set(first) == {"label", "confidence", "box", "accepted", "reason"}
    left, top, width, height = first["box"]
    assert 30 < left < left + width < 130
    assert 30 < top < top + height < 130


def test_boxes_are_in_pixels_of_the_file_even_where_it_is_too_large_to_be_decoded_in_full(
    capsys: Capture, tmp_path: Path, tflite_file: Path, page: Path
) -> None:
    large = tmp_path / "large.jpg"
    with Image.open(page) as opened:
        by = 6000 // opened.width
        opened.resize((opened.width * by, opened.height * by)).save(large)
        assert opened.width * opened.height * by * by > 20_000_000

    assert main(["read", "--json", "--model", str(tflite_file), str(page)]) == 0
    small = json.loads(capsys.readouterr().out)["lines"][0]["digits"][0]["box"]
    assert main(["read", "--json", "--model", str(tflite_file), str(large)]) == 0
    box = json.loads(capsys.readouterr().out)["lines"][0]["digits"][0]["box"]

    np.testing.assert_allclose(np.array(box) / by, small, atol=4)


def test_what_the_network_is_unsure_of_is_named_unless_all_is_accepted(
    capsys: Capture, int8_file: Path, reseal: Callable[..., Path], page: Path
) -> None:
    strict = reseal(int8_file, contract=lambda old: replace(old, output=replace(old.output, threshold=1.0)))
    assert main(["read", "--model", str(strict), str(page)]) == 0
    assert [line.split("  ")[-1] for line in capsys.readouterr().out.splitlines()] == [
        "unsure of digit 1, 2, 3",
        "unsure of digit 1, 2",
    ]
    assert main(["read", "--accept-all", "--model", str(strict), str(page)]) == 0
    assert "unsure" not in capsys.readouterr().out


@pytest.mark.long
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_the_boxes_are_drawn_where_the_digits_are(
    capsys: Capture, tmp_path: Path, tflite_file: Path, page: Path, kind: str
) -> None:
    """At the full size of the file, of a large JPEG too."""
    large, out = tmp_path / "large", tmp_path / "annotated.png"
    with Image.open(page) as opened:
        opened.resize((opened.width * 9, opened.height * 9)).save(large, kind)
        size = (opened.width * 9, opened.height * 9)

    assert main(["read", "--json", "--annotate", str(out), "--model", str(tflite_file), str(large)]) == 0
    document = json.loads(capsys.readouterr().out)
    with Image.open(out) as annotated:
        pixels = np.asarray(annotated).astype(int)
        assert annotated.size == size

    coloured = np.abs(pixels - pixels.mean(axis=2, keepdims=True)).max(axis=2) > 30
    for line in document["lines"]:
        for digit in line["digits"]:
            left, top, width, height = digit["box"]
            assert coloured[top + height // 2, max(0, left - 40) : left + 5].any()
            assert coloured[top + height - 5 : top + height + 40, left + width // 2].any()
    assert coloured.mean() < 0.1


def test_an_annotation_must_be_a_png(capsys: Capture, tmp_path: Path, tflite_file: Path, page: Path) -> None:
    out = tmp_path / "annotated.gif"

    assert main(["read", "--annotate", str(out), "--model", str(tflite_file), str(page)]) == 3
    assert "annotated.gif: pictures are written as PNG" in capsys.readouterr().err
    nowhere = tmp_path / "nowhere" / "annotated.png"
    assert main(["read", "--annotate", str(nowhere), "--model", str(tflite_file), str(page)]) == 3
    assert f"{nowhere}: there is no folder {nowhere.parent}; make it first" in capsys.readouterr().err
    assert sorted(tmp_path.iterdir()) == [page]


def test_a_blank_page_is_no_error_but_unsure(capsys: Capture, tmp_path: Path, files: Mapping[str, Path]) -> None:
    blank = tmp_path / "blank.pgm"
    blank.write_bytes(b"P5 60 60 255\n" + bytes(3600))
    model, reason = files["onnx-int8"], "the picture is blank: no ink was found"

    assert main(["read", "--model", str(model), str(blank)]) == 0
    assert capsys.readouterr() == (f"unsure  {reason}\n", "")
    assert main(["read", "--json", "--model", str(model), str(blank)]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "model": str(model),
        "file": str(blank),
        "lines": [],
        "reason": reason,
    }


def test_a_bad_picture_is_bad_input(capsys: Capture, tmp_path: Path, files: Mapping[str, Path]) -> None:
    cut_short = tmp_path / "cut_short.pgm"
    cut_short.write_bytes(b"P5 60 60 255\n" + bytes(3200))

    for file, message in ((cut_short, "cut short"), (tmp_path / "missing.png", "No such file")):
        assert main(["read", "--model", str(files["onnx-int8"]), str(file)]) == 3
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith(f"error: {file}: ")
        assert message in err


def test_the_page_itself_is_not_annotated(capsys: Capture, page: Path) -> None:
    before = page.read_bytes()

    assert main(["read", str(page), "--annotate", str(page.parent / "." / page.name)]) == 3
    assert "would be written over" in capsys.readouterr().err
    assert page.read_bytes() == before


def test_stdin_is_refused_by_its_name(capsys: Capture) -> None:
    assert main(["read", "-"]) == 3
    assert capsys.readouterr().err == "error: read takes no stdin; name a file (./- is one of the name -)\n"


@pytest.fixture
def several(tmp_path: Path, page: Path) -> list[Path]:
    """A page, a blank one, one that is cut short, and a folder of the first."""
    blank, cut_short, folder = tmp_path / "blank.pgm", tmp_path / "cut_short.pgm", tmp_path / "folder"
    blank.write_bytes(b"P5 60 60 255\n" + bytes(3600))
    cut_short.write_bytes(b"P5 60 60 255\n" + bytes(3200))
    folder.mkdir()
    (folder / "a.png").symlink_to(page)
    return [page, blank, cut_short, folder]


def test_of_several_pictures_each_line_has_the_name(
    capsys: Capture, tflite_file: Path, page: Path, several: list[Path]
) -> None:
    assert main(["read", "--model", str(tflite_file), str(page)]) == 0
    lines = capsys.readouterr().out.splitlines()

    assert main(["read", "--model", str(tflite_file), *map(str, several)]) == 3
    out, err = capsys.readouterr()

    assert out.splitlines() == [
        *(f"{page}: {line}" for line in lines),
        f"{several[1]}: unsure  the picture is blank: no ink was found",
        *(f"{several[3] / 'a.png'}: {line}" for line in lines),
    ]
    assert err.startswith(f"error: {several[2]}: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize("form", ["--json", "--jsonl"])
def test_several_pictures_as_json(
    capsys: Capture, tflite_file: Path, page: Path, several: list[Path], form: str
) -> None:
    assert main(["read", "--json", "--model", str(tflite_file), str(page)]) == 0
    alone = json.loads(capsys.readouterr().out)
    del alone["model"]

    assert main(["read", form, "--model", str(tflite_file), *map(str, several)]) == 3
    out = capsys.readouterr().out
    if form == "--json":
        document = json.loads(out)
        assert document["model"] == str(tflite_file)
        found = document["predictions"]
    else:
        found = [json.loads(line) for line in out.splitlines()]

    assert found[0] == alone
    assert found[1] == {"file": str(several[1]), "lines": [], "reason": "the picture is blank: no ink was found"}
    assert (set(found[2]), found[2]["file"]) == ({"file", "error"}, str(several[2]))
    assert found[3] == {**alone, "file": str(several[3] / "a.png")}


def test_the_only_picture_as_a_line_of_json(capsys: Capture, tflite_file: Path, page: Path) -> None:
    assert main(["read", "--json", "--model", str(tflite_file), str(page)]) == 0
    document = json.loads(capsys.readouterr().out)
    assert main(["read", "--jsonl", "--model", str(tflite_file), str(page)]) == 0
    assert {"model": str(tflite_file), **json.loads(capsys.readouterr().out)} == document


@pytest.mark.parametrize("form", [[], ["--json"], ["--jsonl"]])
def test_many_pages_have_the_same_answers_from_several_processes(
    capsys: Capture, tflite_file: Path, several: list[Path], form: list[str]
) -> None:
    names = [str(several[number % 70 if number % 70 < 4 else 1]) for number in range(210)]
    found = []
    for jobs in ("1", "2"):
        code = main(["read", "--model", str(tflite_file), "--jobs", jobs, *form, *names])
        found.append((code, *capsys.readouterr()))

    assert found[0] == found[1]
    assert found[0][0] == 3
    assert found[0][1].count("a.png") == (3 if form else 6)


def test_only_one_picture_is_annotated(capsys: Capture, tmp_path: Path, several: list[Path]) -> None:
    for names in (several[:2], several[3:]):
        assert main(["read", "--annotate", str(tmp_path / "out.png"), *map(str, names)]) == 2
        assert "--annotate is for one picture; name one file (see " in capsys.readouterr().err
    assert not (tmp_path / "out.png").exists()
