from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import NoReturn

import pytest
from mnist_edge_emulators.errors import UnavailableError
from mnist_edge_emulators.raspberry_pi import measure, root
from mnist_edge_runtime import models

DOCS = Path(__file__).parents[3] / "docs"


@pytest.fixture
def docs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a copy of the figures, in place of docs/."""
    for name in ("boards.json", "chips.json"):
        shutil.copyfile(DOCS / name, tmp_path / name)
    monkeypatch.setattr(measure, "_DOCS", tmp_path)
    monkeypatch.setattr(measure, "_MEASURED", tmp_path / "measured.json")
    return tmp_path


def _main(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr("sys.argv", ["board_page.py", *words])
    return measure.main()


def test_without_options_the_page_is_written_from_the_kept_figures(docs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _main(monkeypatch) == 0
    for name in ("boards.json", "chips.json", "boards.md"):
        assert (docs / name).read_bytes() == (DOCS / name).read_bytes()
    measured = Path(models.__file__).with_name("measured.json")
    assert (docs / "measured.json").read_bytes() == measured.read_bytes()


def test_a_kept_row_that_failed_is_an_exit_code(docs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    document = json.loads((docs / "boards.json").read_text(encoding="utf-8"))
    document["matrix"][0]["passed"] = False
    (docs / "boards.json").write_text(json.dumps(document), encoding="utf-8")

    assert _main(monkeypatch) == 1


def test_a_kept_logit_of_a_chip_that_differs_is_an_exit_code(docs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    document = json.loads((docs / "chips.json").read_text(encoding="utf-8"))
    next(iter(document["networks"].values()))["cortex-m4"]["differing"] = 1
    (docs / "chips.json").write_text(json.dumps(document), encoding="utf-8")

    assert _main(monkeypatch) == 1


def test_without_boards_nothing_is_written(
    docs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def unavailable(*unused: object) -> NoReturn:
        raise UnavailableError("packages are not available")

    monkeypatch.setattr(root, "device", unavailable)

    assert _main(monkeypatch, "--memory") == UnavailableError.exit_code
    assert capsys.readouterr().err == "error: packages are not available\n"
    assert not (docs / "boards.md").exists()


def test_an_unknown_option_is_refused(docs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit) as ended:
        _main(monkeypatch, "--speed")
    assert ended.value.code == 2


def test_of_a_runs_exports_the_model_files_are_taken(tmp_path: Path) -> None:
    (tmp_path / "exports").mkdir()
    for name in ("b.onnx", "a.tflite", "a.report.json"):
        (tmp_path / "exports" / name).touch()

    assert [file.name for file in measure._exports(tmp_path)] == ["a.tflite", "b.onnx"]
