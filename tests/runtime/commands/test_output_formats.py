from __future__ import annotations

import argparse
import csv
import io
import json

import numpy as np
import pytest
from mnist_edge_runtime import InputError, Prediction
from mnist_edge_runtime.commands.output_formats import WRITERS, add_options

SURE = Prediction("7", 0.998, np.array([0.002, 0.998], np.float32), accepted=True, reason=None)
UNSURE = Prediction("1", 0.5, np.array([0.5, 0.5], np.float32), accepted=False, reason="below the threshold")


def _written(form: str, capsys: pytest.CaptureFixture[str]) -> str:
    with WRITERS[form]("digits.tflite") as writer:
        writer.answered("a.png", SURE)
        writer.answered("b, c.png", UNSURE)
        writer.blank("d.png", "the picture is blank")
        writer.failed("e.png", InputError("e.png: damaged"))
        writer.answered("-:5", SURE, "shelf 3")
    return capsys.readouterr().out


def test_text_leaves_errors_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    assert _written("text", capsys).splitlines() == [
        "a.png: 7  99.8%",
        "b, c.png: unsure  perhaps 1, 50.0%: below the threshold",
        "d.png: unsure  the picture is blank",
        "shelf 3: 7  99.8%",
    ]


def test_json_is_one_document_and_jsonl_its_predictions_line_by_line(capsys: pytest.CaptureFixture[str]) -> None:
    document = json.loads(_written("json", capsys))
    lines = [json.loads(line) for line in _written("jsonl", capsys).splitlines()]
    assert document == {"model": "digits.tflite", "predictions": lines}
    assert [line["file"] for line in lines] == ["a.png", "b, c.png", "d.png", "e.png", "-:5"]
    assert [line.get("id") for line in lines] == [None, None, None, None, "shelf 3"]
    assert [line.get("accepted") for line in lines] == [True, False, False, None, True]
    assert (lines[2]["label"], lines[3]["error"]) == (None, "e.png: damaged")


def test_csv_has_a_header_and_quotes_commas(capsys: pytest.CaptureFixture[str]) -> None:
    header, sure, unsure, blank, failed, named = csv.reader(io.StringIO(_written("csv", capsys)))
    assert header == ["file", "label", "confidence", "accepted", "reason", "error", "id"]
    assert sure == ["a.png", "7", "0.998000", "true", "", "", ""]
    assert unsure == ["b, c.png", "1", "0.500000", "false", "below the threshold", "", ""]
    assert blank == ["d.png", "", "0.000000", "false", "the picture is blank", "", ""]
    assert failed == ["e.png", "", "", "", "", "e.png: damaged", ""]
    assert named == ["-:5", "7", "0.998000", "true", "", "", "shelf 3"]


def test_what_files_and_labels_are_called_is_shown_and_obeyed_by_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    evil = Prediction("=1+1\x1b[31m", 0.9, np.array([0.9], np.float32), accepted=True, reason=None)
    for form, expected in (
        ("text", "a\\n\\x1b[2J.png: =1+1\\x1b[31m  90.0%"),
        ("csv", "a\\n\\x1b[2J.png,'=1+1\\x1b[31m,0.900000,true,,,"),
    ):
        with WRITERS[form]("digits.tflite") as writer:
            writer.answered("a\n\x1b[2J.png", evil)
        assert capsys.readouterr().out.splitlines()[-1] == expected
    with WRITERS["csv"]("digits.tflite") as writer:
        writer.failed("=HYPERLINK(1)", InputError("bad"), "+7")
    assert capsys.readouterr().out.splitlines()[-1] == "'=HYPERLINK(1),,,,,bad,'+7"


def test_options_exclude_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    add_options(parser, "jsonl", "csv")
    assert [parser.parse_args(words).form for words in ([], ["--jsonl"], ["--csv"])] == ["text", "jsonl", "csv"]
    with pytest.raises(SystemExit):
        parser.parse_args(["--jsonl", "--csv"])
    assert "not allowed with" in capsys.readouterr().err
