from __future__ import annotations

import re
from pathlib import Path

import pytest
from mnist_edge_exporters.javascript import template
from mnist_edge_runtime import InputError

FOLDER = Path(template.__file__).parent / "templates"


def test_a_value_that_is_missing_is_an_error() -> None:
    with pytest.raises(KeyError, match="weights"):
        template.fill("accepted.js", limit=1)


def test_without_a_minifier_there_is_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(template, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"tdewolff-minify; install it .*\[web\]"):
        template.check_minifier()


def test_what_others_use_keeps_its_name() -> None:
    text = template.minified(["kernels/bytes.js"], ["bytes"])
    assert re.match(r"const ?\{ ?bytes ?\}=", text)
    assert "digits" not in text


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*s/*.js")), ids=lambda file: file.name)
def test_declarations_in_a_row_destructure_once(file: Path) -> None:
    """The minifier puts a second destructuring in front of what it needs."""
    rows = re.findall(r"(?:^ *const .*(?:\n {3,}.*)*;\n)+", file.read_text(encoding="utf-8"), re.MULTILINE)
    assert [row for row in rows if len(re.findall(r"(?:const|,) [\[{][^=;()]*[\]}] = ", row)) > 1] == []
