from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import mnist_edge_emulators
import numpy as np
import pytest
from mnist_edge_emulators.microcontroller import command
from mnist_edge_emulators.microcontroller.chips import CHIPS
from mnist_edge_emulators.microcontroller.firmware import Exported

COMMAND = Path(mnist_edge_emulators.__file__).parents[1] / "emulated-chip"


def test_the_chips_are_listed() -> None:
    result = subprocess.run([sys.executable, COMMAND, "--list"], capture_output=True, text=True, check=True)
    assert [line.split()[0] for line in result.stdout.splitlines()] == list(CHIPS)


def test_a_folder_runs_on_a_chip(exported: Exported, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["cortex-m4", str(exported.folder)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("network on cortex-m4\n  self-test     passed\n  flash ")
    assert "fits on       Black Pill (STM32F411CE)" in out


def test_images_of_ones_own_get_their_classes(
    exported: Exported, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(tmp_path / "images.npy", np.zeros((2, 28, 28), np.uint8))
    assert command.main(["rv32imc", str(exported.folder), "--images", str(tmp_path / "images.npy"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["images"] == 2
    assert found["classes"][0] == found["classes"][1]


def test_a_wrong_self_test_is_an_exit_code(
    exported: Exported, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(exported.folder, tmp_path / "copy")
    golden = tmp_path / "copy" / "src" / "network_golden.c"
    head, _, tail = golden.read_text(encoding="utf-8").rpartition("golden_logits[IMAGES][NETWORK_CLASSES] = {\n    {\n")
    golden.write_text(f"{head}golden_logits[IMAGES][NETWORK_CLASSES] = {{\n    {{\n1 + {tail}", encoding="utf-8")
    assert command.main(["cortex-m4", str(tmp_path / "copy")]) == 5
    assert "self-test     FAILED: 1 logits are wrong" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["z80", "FOLDER"], 2, "there is no chip 'z80'"),
        (["cortex-m0"], 2, "name a chip and a folder"),
        (["cortex-m0", "nowhere"], 3, "nowhere: no such folder"),
        (["cortex-m0", "FOLDER", "--images", "nowhere.npy"], 3, "nowhere.npy"),
        (["cortex-m0", "FOLDER", "--images", "other.npy"], 3, "other.npy: expected uint8 (N, 28, 28)"),
        (["cortex-m0", "FOLDER", "--images", "text.npy"], 3, "text.npy: not a .npy file"),
    ],
)
def test_mistakes_are_told(
    arguments: list[str],
    code: int,
    sentence: str,
    exported: Exported,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("other.npy", np.zeros((2, 28, 28)))
    Path("text.npy").write_text("text")
    words = [str(exported.folder) if word == "FOLDER" else word for word in arguments]
    assert command.main(words) == code
    err = capsys.readouterr().err
    assert err.startswith(f"emulated-chip: {sentence}")
    assert len(err.splitlines()) == 1


def test_a_network_that_is_too_large_is_told_with_what_is_missing(
    exported: Exported, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(exported.folder, tmp_path / "copy")
    source = tmp_path / "copy" / "src" / "network.c"
    text = source.read_text(encoding="utf-8")
    source.write_text(text.replace("static uint8_t memory[", "static uint8_t memory[20000 + "), encoding="utf-8")
    assert command.main(["cortex-m0", str(tmp_path / "copy")]) == 5
    assert "bytes of RAM missing" in capsys.readouterr().err
