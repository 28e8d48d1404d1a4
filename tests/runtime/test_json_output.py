from __future__ import annotations

import json

import pytest
from mnist_edge_runtime.json_output import print_json, print_result


def test_a_document_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"label": "7", "lines": "a\nb"})
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert json.loads(out) == {"label": "7", "lines": "a\nb"}


def test_json_has_no_nan(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        print_json({"accuracy": float("nan")})
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(("as_json", "expected"), [(True, '{"label": "7"}\n'), (False, "it is a 7\n")])
def test_one_of_the_two_is_printed(as_json: bool, expected: str, capsys: pytest.CaptureFixture[str]) -> None:
    print_result(as_json, {"label": "7"}, "it is a 7")
    assert capsys.readouterr().out == expected
