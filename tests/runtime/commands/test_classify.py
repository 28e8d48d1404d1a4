from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import numpy as np
import pytest
from mnist_edge_runtime import Classifier, load_picture, to_mnist
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_runtime.models import bundled_models
from mnist_edge_runtime.text_output import percent
from PIL import Image

Invoke = Callable[..., tuple[int, str, str]]
Refused = Callable[[tuple[int, str, str], int], str]
Device = Callable[..., Any]
WritePicture = Callable[..., tuple[Path, str]]

ENGINE = {".tflite": "litert", ".onnx": "onnxruntime"}
MEMORY = Path("/proc/self/status")


def test_a_line_for_each_picture(invoke: Invoke, model_file: Path, picture: WritePicture) -> None:
    (one, label), (other, _) = picture(model_file, "one.pgm"), picture(model_file, "other.pgm")
    with Classifier.load(model_file) as classifier:
        confidence = classifier.classify(to_mnist(load_picture(one))).confidence

    code, out, err = invoke("classify", "--model", model_file, one, other)

    assert (code, err) == (0, "")
    assert out.splitlines() == [f"{file}: {label}  {percent(confidence)}" for file in (one, other)]


def test_json(invoke: Invoke, model_file: Path, picture: WritePicture) -> None:
    file, label = picture(model_file)
    with Classifier.load(model_file) as classifier:
        expected = classifier.classify(to_mnist(load_picture(file)))

    code, out, err = invoke("classify", "--json", "--model", model_file, file)

    assert (code, err) == (0, "")
    assert json.loads(out) == {
        "model": str(model_file),
        "predictions": [
            {
                "file": str(file),
                "label": label,
                "confidence": expected.confidence,
                "probabilities": pytest.approx(expected.probabilities.tolist(), abs=1e-6),
                "accepted": True,
                "reason": None,
            }
        ],
    }


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".npy"])
def test_every_kind_of_file(
    invoke: Invoke, tmp_path: Path, tflite_file: Path, picture: WritePicture, suffix: str
) -> None:
    drawn, label = picture(tflite_file)
    file = tmp_path / f"digit{suffix}"
    with Image.open(drawn) as opened:
        if suffix == ".npy":
            np.save(file, np.asarray(opened))
        else:
            opened.save(file)

    code, out, _ = invoke("classify", "--model", tflite_file, file)

    assert code == 0
    assert out.startswith(f"{file}: {label} ")


def test_a_bad_picture_does_not_keep_the_others_from_being_read(
    invoke: Invoke, tmp_path: Path, tflite_file: Path, picture: WritePicture, cut_short: Path
) -> None:
    good, label = picture(tflite_file)
    missing = tmp_path / "missing.png"

    code, out, err = invoke("classify", "--model", tflite_file, cut_short, good, missing, good)

    assert code == 3
    assert [line.split("  ")[0] for line in out.splitlines()] == [f"{good}: {label}"] * 2
    places = [line.split(": ")[:2] for line in err.splitlines()]
    assert places == [["error", str(cut_short)], ["error", str(missing)]]


def test_json_of_bad_and_good_pictures(
    invoke: Invoke, tflite_file: Path, picture: WritePicture, cut_short: Path
) -> None:
    good, label = picture(tflite_file)

    code, out, err = invoke("classify", "--json", "--model", tflite_file, cut_short, good)
    bad, prediction = json.loads(out)["predictions"]

    assert code == 3
    assert set(bad) == {"file", "error"}
    assert bad["file"] == str(cut_short)
    assert "cut short" in bad["error"]
    assert (prediction["file"], prediction["label"]) == (str(good), label)
    assert "Traceback" not in err


def test_json_of_bad_pictures_only(invoke: Invoke, tflite_file: Path, cut_short: Path) -> None:
    code, out, _ = invoke("classify", "--json", "--model", tflite_file, cut_short, cut_short)

    assert code == 3
    assert [set(entry) for entry in json.loads(out)["predictions"]] == [{"file", "error"}] * 2


@pytest.mark.parametrize("options", [[], ["--accept-all"]])
def test_a_blank_is_no_error_but_unsure(
    invoke: Invoke, tflite_file: Path, picture: WritePicture, blank: Path, options: list[str]
) -> None:
    good, label = picture(tflite_file)
    arguments = ["classify", *options, "--model", tflite_file, blank, good]
    reason = "the picture is blank: no ink was found"

    code, out, err = invoke(*arguments)
    assert (code, err) == (0, "")
    assert out.startswith(f"{blank}: unsure  {reason}\n{good}: {label}  ")

    code, out, err = invoke(*arguments, "--json")
    unsure, _ = json.loads(out)["predictions"]
    nothing = {"label": None, "confidence": 0.0, "probabilities": None, "accepted": False}
    assert (code, err, unsure) == (0, "", {"file": str(blank), **nothing, "reason": reason})

    code, out, err = invoke(*arguments, "--csv")
    assert (code, err) == (0, "")
    assert out.splitlines()[1] == f"{blank},,0.000000,false,{reason},,"


def test_what_is_not_accepted_says_why(
    invoke: Invoke, int8_file: Path, reseal: Callable[..., Path], picture: WritePicture
) -> None:
    file, label = picture(int8_file)
    strict = reseal(
        int8_file, contract=lambda contract: replace(contract, output=replace(contract.output, threshold=1.0))
    )

    code, out, _ = invoke("classify", "--model", strict, file)
    _, document, _ = invoke("classify", "--json", "--model", strict, file)
    (prediction,) = json.loads(document)["predictions"]

    assert code == 0
    assert out.startswith(f"{file}: unsure  perhaps {label}, ")
    assert prediction["accepted"] is False
    assert prediction["reason"] in out
    assert "accepted from 1.000" in prediction["reason"]

    code, out, _ = invoke("classify", "--accept-all", "--model", strict, file)
    assert (code, out.startswith(f"{file}: {label}  ")) == (0, True)
    _, document, _ = invoke("classify", "--accept-all", "--json", "--model", strict, file)
    (prediction,) = json.loads(document)["predictions"]
    assert (prediction["accepted"], prediction["reason"]) == (True, None)


@pytest.mark.parametrize("preprocess", ["auto", "mnist", "none"])
def test_what_the_model_saw_is_shown(
    invoke: Invoke, tmp_path: Path, tflite_file: Path, picture: WritePicture, preprocess: str
) -> None:
    drawn, _ = picture(tflite_file)
    seen = to_mnist(load_picture(drawn))
    ready, shown = tmp_path / "ready.npy", tmp_path / "seen.png"
    np.save(ready, np.roll(seen, 2, axis=1))

    code, _, _ = invoke(
        "classify", "--model", tflite_file, ready, ready,
        "--preprocess", preprocess, "--show-input", shown,
    )  # fmt: skip

    assert code == 0
    with Image.open(shown) as opened:
        np.testing.assert_array_equal(np.asarray(opened), np.hstack([to_mnist(load_picture(ready), preprocess)] * 2))


def test_without_preprocessing_another_size_is_refused(
    invoke: Invoke, refused: Refused, tflite_file: Path, picture: WritePicture
) -> None:
    file, _ = picture(tflite_file)

    message = refused(invoke("classify", "--model", tflite_file, "--preprocess", "none", file), 3)

    assert "28 x 28" in message


def test_an_engine_may_be_named(invoke: Invoke, model_file: Path, picture: WritePicture) -> None:
    file, label = picture(model_file)

    code, out, _ = invoke("classify", "--engine", ENGINE[model_file.suffix], "--model", model_file, file)

    assert code == 0
    assert f": {label} " in out


def test_the_model_is_checked_before_any_picture(invoke: Invoke, refused: Refused, tmp_path: Path, blank: Path) -> None:
    model = tmp_path / "missing.tflite"

    assert "missing.tflite" in refused(invoke("classify", "--model", model, blank), 3)


def test_labels_and_names_in_any_script(
    invoke: Invoke, tmp_path: Path, tflite_file: Path, reseal: Callable[..., Path], picture: WritePicture
) -> None:
    labels = tuple("零一二三四五六七八九")
    file, label = picture(tflite_file, "ziffer-ß.pgm")
    model = reseal(tflite_file, contract=lambda contract: replace(contract, labels=labels))

    _, out, _ = invoke("classify", "--model", model, file)
    _, document, _ = invoke("classify", "--json", "--model", model, file)

    assert out.startswith(f"{file}: {labels[int(label)]} ")
    assert json.loads(document)["predictions"][0]["label"] == labels[int(label)]


def test_a_file_name_that_is_no_text_does_not_keep_the_others_from_being_read(
    device: Device, tflite_file: Path, picture: WritePicture
) -> None:
    good, label = picture(tflite_file)
    odd = os.fsencode(good.parent) + b"/caf\xe9.pgm"
    os.link(good, odd)
    # What Python does by itself in a locale like en_US.UTF-8.
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8:strict"}

    for options in ([], ["--json"]):
        result = device("classify", *options, "--model", tflite_file, odd, good, env=environment)

        assert result.returncode == 0, result.stderr
        assert label in result.stdout


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], None]:
    def give(data: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))

    return give


def _start(*arguments: str | Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "mnist_edge_runtime", "classify", *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def _pipes(child: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    assert child.stdin
    assert child.stdout
    return child.stdin, child.stdout


def test_a_picture_on_stdin(
    invoke: Invoke, tflite_file: Path, picture: WritePicture, stdin: Callable[[bytes], None]
) -> None:
    file, label = picture(tflite_file)
    stdin(file.read_bytes())

    code, out, err = invoke("classify", "--model", tflite_file, "-")

    assert (code, err) == (0, "")
    assert out.startswith(f"-:1: {label}  ")


def test_each_jpeg_is_answered_before_the_next_one_comes(tflite_file: Path, picture: WritePicture) -> None:
    file, label = picture(tflite_file)
    buffer = io.BytesIO()
    with Image.open(file) as opened:
        opened.save(buffer, "JPEG", quality=95)
    child = _start("--model", tflite_file, "-")
    pictures, answers = _pipes(child)
    for number in (1, 2, 3):
        pictures.write(buffer.getvalue())
        pictures.flush()
        assert answers.readline().startswith(f"-:{number}: {label}  ".encode())
    assert child.communicate(timeout=60) == (b"", b"")
    assert child.returncode == 0


def test_json_lines_with_a_bad_one(
    invoke: Invoke, tflite_file: Path, picture: WritePicture, stdin: Callable[[bytes], None]
) -> None:
    file, label = picture(tflite_file)
    good = json.dumps({"file": str(file)})
    stdin(f"{good}\nrubbish\n{good}\n".encode())

    code, out, err = invoke("classify", "--model", tflite_file, "--jsonl", "-")

    assert code == 3
    first, bad, last = (json.loads(line) for line in out.splitlines())
    assert first == last
    assert (first["file"], first["label"], len(first["probabilities"])) == (str(file), label, 10)
    assert set(bad) == {"file", "error"}
    assert bad["error"] in err


def test_csv_of_a_folder(invoke: Invoke, tmp_path: Path, tflite_file: Path, picture: WritePicture) -> None:
    file, label = picture(tflite_file, 'a "quoted", name.pgm')
    (tmp_path / "z.png").write_bytes(b"no picture")

    code, out, _ = invoke("classify", "--model", tflite_file, "--csv", tmp_path)

    assert code == 3
    good, bad = csv.DictReader(io.StringIO(out))
    assert (good["file"], good["label"], good["accepted"], good["error"]) == (str(file), label, "true", "")
    assert 0.1 < float(good["confidence"]) <= 1
    assert (bad["file"], bad["label"]) == (str(tmp_path / "z.png"), "")
    assert "not a picture" in bad["error"]


def test_a_reader_that_has_enough_ends_it_quietly(tflite_file: Path, picture: WritePicture) -> None:
    file, _ = picture(tflite_file)
    child = _start("--model", tflite_file, "--csv", "-")
    pictures, answers = _pipes(child)
    answers.readline()
    answers.close()
    pictures.write(file.read_bytes())
    pictures.close()

    assert child.wait(timeout=60) == 128 + signal.SIGPIPE
    assert child.stderr
    assert child.stderr.read() == b""


@pytest.mark.long
@pytest.mark.skipif(not MEMORY.exists(), reason="memory is read from Linux's /proc")
@pytest.mark.parametrize("form", ["--jsonl", "--json"])
def test_memory_does_not_grow_with_the_number_of_pictures(tflite_file: Path, form: str) -> None:
    digit = sealed_model.read(tflite_file).golden.images[0]
    buffer = io.BytesIO()
    Image.fromarray(digit).save(buffer, "JPEG")
    child = _start("--model", tflite_file, form, "-")
    pictures, answers = _pipes(child)

    def answered(count: int) -> int:
        """Send the picture so many times, read as many answers, and return the memory held then, in KiB."""
        for _ in range(count):
            pictures.write(buffer.getvalue())
            pictures.flush()
            answer = b""
            while not answer.rstrip().endswith(b"}"):
                answer += answers.read1()  # type: ignore[attr-defined]
        status = Path(f"/proc/{child.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))

    before, after = answered(500), answered(3000)
    child.communicate(timeout=60)

    assert child.returncode == 0
    assert after - before < 512


@pytest.mark.parametrize("named", ["itself", "a link", "in a folder", "on stdin"])
def test_no_picture_is_written_over_by_what_the_model_saw(
    invoke: Invoke, refused: Refused, named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    one = folder / "one.png"
    image = np.zeros((28, 28), np.uint8)
    image[4:24, 13:16] = 255
    Image.fromarray(image).save(one)
    (tmp_path / "link.png").symlink_to(one)
    target = tmp_path / "link.png" if named == "a link" else folder / "." / "one.png"
    line = json.dumps({"file": str(one)}).encode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(line)))
    before = one.read_bytes()

    source = {"in a folder": folder, "on stdin": "-"}.get(named, one)
    message = refused(invoke("classify", "--model", bundled_models()[0], source, "--show-input", target), 3)

    assert "would be written over, and is a picture to be read; name another file" in message
    assert one.read_bytes() == before
    assert (tmp_path / "link.png").is_symlink()


@pytest.fixture
def many(tmp_path: Path, picture: WritePicture, tflite_file: Path, blank: Path, cut_short: Path) -> Path:
    """A folder of more pictures than one process answers: digits, photos, blank ones, bad ones, and a text."""
    digit, _ = picture(tflite_file)
    folder = tmp_path / "many"
    folder.mkdir()
    photo = Image.open(digit).resize((640, 480))
    photo.save(tmp_path / "photo.png")
    sources = {0: cut_short, 1: blank, 2: tmp_path / "photo.png"}
    for number in range(280):
        (folder / f"{number:03}.png").symlink_to(sources.get(number % 70, digit))
    (folder / "notes").write_text("text")
    return folder


@pytest.mark.parametrize("form", [[], ["--json"], ["--jsonl"], ["--csv"]])
def test_many_pictures_have_the_same_answers_from_several_processes(
    invoke: Invoke, tmp_path: Path, tflite_file: Path, many: Path, form: list[str]
) -> None:
    seen = tmp_path / "seen.png"
    found = []
    for jobs in ("1", "2"):
        arguments = ["--model", tflite_file, "--show-input", seen, "--jobs", jobs, *form, many, tmp_path / "none.png"]
        found.append((*invoke("classify", *arguments), seen.read_bytes()))

    assert found[0] == found[1]
    code, out, err, _ = found[0]
    assert code == 3
    assert out.count("070.png") == (2 if form else 0)
    assert [line.count("cut short") for line in err.splitlines()] == [1, 1, 1, 1, 0, 0]
    assert err.splitlines()[4] == f"{many}: left out, no pictures: 1 text"


def test_a_stream_and_a_file_without_a_contract_are_for_one_process(
    invoke: Invoke, monkeypatch: pytest.MonkeyPatch, tflite_file: Path, many: Path
) -> None:
    lines = "".join(json.dumps({"file": str(file)}) + "\n" for file in sorted(many.glob("*.png")))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(lines.encode())))
    _, out, err = invoke("classify", "--model", tflite_file, "--jobs", "2", "-")

    assert out.count("\n") == 276
    assert err.splitlines()[0] == "--jobs 2: one process answers, since stdin is a stream"


def _left(folder: Path) -> list[str]:
    """Return the processes that have this folder as their current one."""
    return [name.parent.name for name in Path("/proc").glob("[0-9]*/cwd") if os.path.realpath(name) == str(folder)]


@pytest.mark.skipif(not MEMORY.exists(), reason="processes are found in Linux's /proc")
@pytest.mark.parametrize("how", ["interrupt", "closed pipe", "killed"])
def test_no_process_is_left(tmp_path: Path, many: Path, how: str) -> None:
    command = [sys.executable, "-m", "mnist_edge_runtime", "classify", "--jobs", "2", *[str(many)] * 200]
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # in the background a shell has it ignored
    ) as child:
        assert child.stdout
        assert child.stderr
        assert "000.png" not in child.stdout.readline()
        assert len(_left(tmp_path)) >= 3
        if how == "interrupt":
            os.killpg(child.pid, signal.SIGINT)  # as a terminal does, to all of them
        elif how == "killed":
            child.kill()
        else:
            child.stdout.close()
        code = child.wait(timeout=20)
        errors = child.stderr.read()  # to its end: nobody else has it open any more

    assert code == {"interrupt": 130, "killed": -signal.SIGKILL, "closed pipe": 141}[how]
    assert [line for line in errors.splitlines() if not line.startswith(("model: ", "error: ", str(many)))] == []
    for _ in range(100):
        if not _left(tmp_path):
            break
        time.sleep(0.05)
    assert _left(tmp_path) == []
