"""The code on pages runs: all blocks of a page in order, in one shell, in a folder with what they speak of.

A comment in the line before a block, `<!-- device -->` or `<!-- slow -->`, marks one that is not run: it needs a board,
a camera, a broker or the network, or it trains or proves for longer than a suite may take. Its commands are parsed all
the same (tests/test_docs.py).
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from mnist_edge_exporters.integer import tflite_reader
from mnist_edge_exporters.javascript import generate, project
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_trainer.data.datasets import Dataset
from numpy.typing import NDArray
from PIL import Image

from .conftest import tracked

ROOT = Path(__file__).resolve().parent.parent
RUN = {"sh", "python", "js"}
SHOWN = {"text", "ini", "yaml", "toml", "json", "c", "{toctree}", "{eval-rst}"}
MARKED_AT_MOST = {"device": 21, "slow": 26}
SECONDS = 900  # for a page, on a busy machine
TEMPLATES = "templates/project_readme.md"  # a project's page, whose names are filled in at its export
PAGES = [name for name in tracked("*.md") if not name.endswith(TEMPLATES)]
# The functions stand in front of the programs: what runs until it is stopped goes on behind the commands that follow,
# at a free port, until another one is started or the page ends. It must then end with 0. Ten epochs are what a proof
# needs; the digits have 40 by default.
SHELL = """\
set -euo pipefail
started=
trap '[ -z "$started" ] || kill "$started"' EXIT
stop() {
    [ -z "$started" ] || { kill -TERM "$started"; local last=$started; started=; wait "$last"; }
}
until_stopped() {
    stop
    : > started.log
    command "$@" > started.log 2>&1 &
    started=$!
    for _ in {1..600}; do
        if grep -q -e "^serving on" -e '^{"file"' started.log; then return; fi
        kill -0 "$started" || break
        sleep 0.1
    done
    cat started.log >&2
    return 1
}
answer() {
    case $2 in
    serve) until_stopped "$@" --port "$PORT" ;;
    watch) until_stopped "$@" ;;
    train) command "$@" --epochs 10 ;;
    *) command "$@" ;;
    esac
}
mnist-edge() { answer mnist-edge "$@"; }
mnist-edge-runtime() { answer mnist-edge-runtime "$@"; }
curl() { command curl --fail --silent --show-error "${@//:8028/:$PORT}"; }
"""
# A bar, dark on light, and what answers it in a process of its own.
PICTURE = """
const width = 60, height = 60;
const ink = at => at % 60 > 27 && at % 60 < 33 && at > 600 && at < 3000;
const pixels = Uint8Array.from({length: 3600}, (_, at) => ink(at) ? 0 : 255);
"""
ORIGIN = {"file": "digits.tflite", "sha256": "0" * 64, "version": "0", "images": 0, "pictures": 0}
V8 = """
from pathlib import Path
from py_mini_racer import MiniRacer
with MiniRacer() as engine:
    print(engine.eval(Path("page.js").read_text(encoding="utf-8")))
"""


class Block(NamedTuple):
    """A fenced block of a page: its language, its text, and why it is not run, if so."""

    language: str
    text: str
    mark: str


def _blocks(text: str) -> list[Block]:
    found = re.findall(r"^(?:<!-- (.*?) -->\n)?```(\S*)[^\n]*\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [Block(language, code, mark) for mark, language, code in found]


def _of(page: str) -> list[Block]:
    return _blocks((ROOT / page).read_text(encoding="utf-8"))


def _to_run(page: str) -> list[Block]:
    return [block for block in _of(page) if block.language in RUN and not block.mark]


def _script(blocks: list[Block], folder: Path) -> str:
    """Return the script that runs the blocks of shell and Python, each of Python as a program."""
    script = SHELL
    for number, block in enumerate(blocks):
        if block.language == "sh":
            script += block.text
        elif block.language == "python":
            (folder / f"block_{number}.py").write_text(block.text, encoding="utf-8")
            script += f"python block_{number}.py\n"
    return script + "stop\n"


def _run(script: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> subprocess.CompletedProcess[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    monkeypatch.delenv("MNIST_EDGE_DATA", raising=False)
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(
            name, "http://127.0.0.1:9"
        )  # nothing is downloaded: scikit-learn's digits take the place of MNIST
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("PORT", str(port))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:/usr/bin:/bin")
    with subprocess.Popen(
        ["bash", "-c", script],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as shell:
        try:
            out, err = shell.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(shell.pid, signal.SIGKILL)
            raise
    return subprocess.CompletedProcess(script, shell.returncode, out, err)


@pytest.fixture
def folder(tmp_path: Path, digits: Dataset) -> Path:
    """Return a folder with the files that pages name: pictures of digits and pages, and model files."""
    drawn = [_enlarged(image) for image in digits.test_images[:6]]
    for name in (
        "photo.png",
        "seven.png",
        "a.png",
        "more/one.jpg",
        "folder/1.png",
        "pictures/deep/2.png",
        "inbox/3.png",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(drawn[0]).save(tmp_path / name)
    for name in ("note.jpg", "page.jpg"):
        Image.fromarray(np.concatenate(drawn, axis=1)).save(tmp_path / name)
    (tmp_path / "models").symlink_to(ROOT / "models")
    for suffix in ("tflite", "onnx"):
        shutil.copy(ROOT / "models" / f"tiny-int8.{suffix}", tmp_path / f"digits.{suffix}")
    return tmp_path


def _enlarged(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a digit of a data set as dark ink on light paper, uint8 (140, 140)."""
    return np.asarray(Image.fromarray(255 - np.pad(image, 7)).resize((140, 140), Image.Resampling.BICUBIC))


@pytest.mark.long
@pytest.mark.parametrize("page", [page for page in PAGES if _to_run(page)])
def test_the_blocks_of_a_page_run(page: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = _run(_script(_to_run(page), folder), folder, monkeypatch)
    assert result.returncode == 0, f"{result.stdout}{result.stderr}"


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("```sh\nmnist-edge-runtime classify nothing.png\n```\n", "nothing.png"),
        ("```sh\nmnist-edge-runtime serve nothing.tflite\n```\n", "nothing.tflite"),
        ("```sh\nmnist-edge-runtime serve\ncurl http://127.0.0.1:8028/v2/model\n```\n", "404"),
        ("```sh\ntrue\n```\n\n```python\nimport mnist_edge_runtime\nmnist_edge_runtime.Reader\n```\n", "Reader"),
    ],
)
def test_a_block_that_fails_is_found(code: str, told: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = _run(_script(_blocks(code), folder), folder, monkeypatch)
    assert result.returncode != 0
    assert told in result.stderr


@pytest.mark.parametrize("page", [page for page in PAGES if any(block.language == "js" for block in _to_run(page))])
def test_the_javascript_of_a_page_runs(page: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sealed = sealed_model.read(folder / "digits.tflite")
    made = project.make(sealed, tflite_reader.read(sealed.payload), "digits", ORIGIN)
    script = generate.as_script(made.module) + PICTURE
    for block in _to_run(page):
        if block.language == "js":  # in a script all that the module exports is declared
            script += re.sub(r"^import \{(.*)\} from '.*';$", r"[\1];", block.text, flags=re.MULTILINE)
    (folder / "page.js").write_text(f"{script};`${{label}} ${{accepted}}`", encoding="utf-8")
    (folder / "v8.py").write_text(V8, encoding="utf-8")
    result = _run("python v8.py", folder, monkeypatch)
    assert (result.returncode, result.stdout) == (0, "1 true\n"), result.stderr


@pytest.mark.parametrize("page", PAGES)
def test_every_block_has_a_language_and_marks_that_are_known(page: str) -> None:
    assert {block.language for block in _of(page)} <= RUN | SHOWN
    assert {block.mark for block in _of(page) if block.language in RUN} <= {"", *MARKED_AT_MOST}


@pytest.mark.parametrize("mark", MARKED_AT_MOST)
def test_few_blocks_are_not_run(mark: str) -> None:
    marked = [page for page in PAGES for block in _of(page) if block.language in RUN and block.mark == mark]
    assert len(marked) <= MARKED_AT_MOST[mark], marked
