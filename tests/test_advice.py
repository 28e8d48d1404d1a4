"""Advice to install names what a person has: on an index a stranger may take the names of our packages."""

from __future__ import annotations

import re
from importlib.metadata import requires
from pathlib import Path

import pytest
from mnist_edge_runtime.engines.registry import ENGINES
from mnist_edge_runtime.host import install_extra
from mnist_edge_runtime.preprocessing.pillow_decoder import PILLOW

from .conftest import tracked

ROOT = Path(__file__).resolve().parent.parent
OWN = r"mnist[-_]edge(?:[-_]runtime)?"
# A package of ours by its name alone, as an index would be asked for it; a path, a wheel's file or a command is none.
BY_NAME = [
    re.compile(rf"(?<![\w./$-]){OWN}\[[a-z]"),  # with an extra
    re.compile(rf"install (?:a |an |the )?(?:newer |older |package )*['\"`]?{OWN}(?:['\"`\s;,]|$)"),
    re.compile(rf"pip3? install[^\n`&;]* ['\"]?{OWN}(?:[=<>~!'\"`\s]|$)"),
]
SUFFIXES = {".py", ".md", ".sh", ".html", ".service", ".c", ".yaml", ""}


def _texts() -> list[Path]:
    return [ROOT / name for name in tracked() if Path(name).suffix in SUFFIXES and not name.startswith("tests/")]


def _found(text: str) -> list[str]:
    return [match[0] for pattern in BY_NAME for match in pattern.finditer(text)]


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("needs Optuna: pip install 'mnist-edge[tune]'", True),
        ("install a newer mnist-edge-runtime or export again", True),
        ("python -m pip install --upgrade mnist-edge", True),
        ("pip install mnist_edge_runtime==0.1.0", True),
        ('reader/bin/pip install "$(ls mnist_edge_runtime-*.whl)[litert,image]"', False),
        ('python -m pip install "./runtime[litert,image]"', False),
        ("pip install ./runtime . && mnist-edge demo", False),
        ("install the runtime of the mnist-edge that made it", False),
    ],
)
def test_what_is_advice_by_name(text: str, is_found: bool) -> None:
    assert bool(_found(text)) is is_found


def test_no_message_and_no_page_names_a_package_of_ours_to_install() -> None:
    files = _texts()
    assert len(files) > 200
    found = {str(file.relative_to(ROOT)): _found(file.read_text(encoding="utf-8", errors="replace")) for file in files}

    assert {name: texts for name, texts in found.items() if texts} == {}


@pytest.mark.parametrize("extra", ["int4", "tensorboard", "tune"])
def test_an_extra_is_installed_from_the_folder(extra: str) -> None:
    assert install_extra(extra).endswith(f" -m pip install ./runtime '.[{extra}]'")
    assert any(f'extra == "{extra}"' in text or f"extra == '{extra}'" in text for text in requires("mnist-edge") or ())


def test_third_parties_that_are_named_are_those_of_the_tables() -> None:
    names = {re.split(r"[<>=]", text)[0].lower() for row in ENGINES.values() for text in (*row.requirements, PILLOW)}

    assert names == {"ai-edge-litert", "numpy", "onnxruntime", "pillow", "tflite-runtime"}
