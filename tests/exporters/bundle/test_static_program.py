"""The program for this machine, on pictures, streams and mistakes, beside the runtime for Python."""

from __future__ import annotations

import importlib.util
import json
import platform
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mnist_edge_exporters.bundle import static_program
from mnist_edge_runtime import Classifier, InputError, ModelError, UsageError, VerificationError, models
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_runtime.preprocessing import mnist
from mnist_edge_trainer.demo.synthetic_digits import draw
from numpy.typing import NDArray
from PIL import Image

pytestmark = pytest.mark.long  # the compiler takes a minute

MODEL = models.bundled_models("litert")[0]
NAME = "all %s 100%.tflite"  # no part of a format
Run = Callable[..., tuple[int, list[dict[str, Any]], str]]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        pytest.skip("the program is built for x86-64 Linux")
    if importlib.util.find_spec("ziglang") is None:
        pytest.skip("ziglang is not installed")
    folder = tmp_path_factory.mktemp("program")
    model = shutil.copy(MODEL, folder / NAME)
    return static_program.build(Path(model), "amd64", folder / "digits").file


@pytest.fixture
def run(program: Path, tmp_path: Path) -> Run:
    """Return the function that runs the program: exit code, documents on stdout, stderr."""

    def run(*arguments: object, stdin: bytes = b"") -> tuple[int, list[dict[str, Any]], str]:
        words = [program, *map(str, arguments)]
        result = subprocess.run(words, input=stdin, capture_output=True, check=False, cwd=tmp_path, timeout=60)
        lines = [json.loads(line) for line in result.stdout.decode().splitlines() if line[:1] + line[-1:] == "{}"]
        return result.returncode, lines, result.stderr.decode()

    return run


def _pgm(pixels: NDArray[np.uint8], plain: bool = False) -> bytes:
    height, width = pixels.shape
    head = f"P{2 if plain else 5}\n# a comment\n{width} {height}\n255\n".encode()
    return head + (b" ".join(b"%d" % value for value in pixels.ravel()) + b"\n" if plain else pixels.tobytes())


def _pictures() -> list[NDArray[np.uint8]]:
    golden = sealed_model.read(MODEL).golden
    drawn = [np.asarray(Image.fromarray(draw(digit)).convert("L").resize((160, 120))) for digit in "0123456789"]
    blank = [np.full((60, 80), 200, np.uint8)]
    return [*golden.images, *map(mnist.to_picture, golden.images[:10]), *drawn, *blank]


def test_answers_are_the_runtimes(
    run: Run, tmp_path: Path, invoke_runtime: Callable[..., list[dict[str, Any]]]
) -> None:
    names = []
    for number, picture in enumerate(_pictures()):
        names.append(f"{number}.pgm")
        (tmp_path / names[-1]).write_bytes(_pgm(picture, plain=number % 2 == 1))
    code, found, err = run(*names)
    expected = invoke_runtime(*names)

    assert (code, err) == (0, "")
    assert len(found) == len(expected) == len(names)
    for ours, theirs in zip(found, expected, strict=True):
        assert list(ours) == list(theirs)
        probabilities = ours.pop("probabilities"), theirs.pop("probabilities")
        assert ours.pop("confidence") == pytest.approx(theirs.pop("confidence"), abs=1e-6)
        assert ours == theirs
        assert probabilities[0] is probabilities[1] is None or probabilities[0] == pytest.approx(
            probabilities[1], abs=1e-6
        )


@pytest.fixture
def invoke_runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    from mnist_edge_runtime.__main__ import main

    def invoke(*names: str) -> list[dict[str, Any]]:
        monkeypatch.chdir(tmp_path)
        assert main(["classify", "--jsonl", *names]) == 0
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return invoke


def test_lines_of_json_are_answered_with_their_ids(run: Run, tmp_path: Path) -> None:
    golden = sealed_model.read(MODEL).golden
    (tmp_path / 'a "b" é.pgm').write_bytes(_pgm(golden.images[3]))
    pixels = golden.images[3].tolist()
    lines = [
        {"id": "x\n", "pixels": pixels},
        {"pixels": golden.images[3].ravel().tolist(), "other": [{"a": "}"}, None, 1.5, True]},
        {"file": 'a "b" é.pgm', "id": 1.5},
        {"pixels": [[value / 255 for value in row] for row in pixels], "id": None},
    ]
    code, found, err = run("-", stdin=b"\n".join(json.dumps(line).encode() for line in lines))

    assert (code, err) == (0, "")
    assert [line["file"] for line in found] == ["-:1", "-:2", 'a "b" é.pgm', "-:4"]
    assert [line.get("id") for line in found] == ["x\n", None, 1.5, None]
    assert len({json.dumps(line["probabilities"]) for line in found}) == 1
    assert {line["label"] for line in found} == {golden.predicted[3]}


MISTAKES = {
    "not json": "expected an object with either file or pixels",
    '{"pixels": [[1, 2], [3, 4]]}': "got 2 x 2 pixels, expected a picture of at least 3 x 3",
    '{"pixels": [[1, 2], [3]]}': "pixels are no rows of equal length",
    '{"pixels": [1, 2, 3]}': "got 3 pixels in one list",
    '{"pixels": [[0, 256, 0], [0, 0, 0], [0, 0, 0]]}': "pixels are from 0 to 256, expected",
    '{"pixels": [[0, -1, 0], [0, 0, 0], [0, 0, 0]]}': "pixels are from -1 to 0, expected",
    '{"pixels": [[0, 1, 0], [0, 0, 0], [0, 0, 0]]}': "pixels are 0 and 1 alone",
    '{"pixels": [[0, 01, 0], [0, 0, 0], [0, 0, 0]]}': "pixels are no rows",
    '{"pixels": []}': "pixels are no rows",
    '{"pixels": 3, "file": "a"}': "pixels are no rows",
    '{"file": "nowhere.pgm"}': "nowhere.pgm: No such file or directory",
    '{"file": ""}': "file is no name of a file",
    '{"file": 3}': "file is no name of a file",
    "{}": "expected an object with either file or pixels",
    '{"id": [1], "file": "a"}': "the id is neither a string nor a number",
    '{"file": "a"': "no JSON; expected",
    '{"file": "\\ud800"}': "no JSON; expected",
    '{"file": "a"} x': "no JSON; expected",
    '{"id": "\\ud8': "no JSON; expected",
    '{"id": "\\u00g9", "file": "a"}': "no JSON; expected",
    '{"id": "x\\': "no JSON; expected",
    '{"file": "' + 5000 * "a" + '"}': "a name or an id is too long",
    '{"pixels": [[' + ",".join(["9"] * 80_000) + "]]}": "more pixels than a picture of 320 x 240",
    '{"pixels": ' + json.dumps([[9] * 321] * 3) + "}": "got 321 x 3 pixels, this program takes at most 320 x 240",
}


def test_bad_lines_are_told_and_the_next_is_answered(run: Run) -> None:
    golden = sealed_model.read(MODEL).golden
    good = json.dumps({"pixels": golden.images[0].tolist()})
    text = "\n".join([good, *(line for mistake in MISTAKES for line in (mistake, good))])
    code, found, err = run("-", stdin=text.encode())

    assert code == 3
    assert [line["label"] for line in found[::2]] == [golden.predicted[0]] * (len(MISTAKES) + 1)
    for line, said in zip(found[1::2], MISTAKES.values(), strict=True):
        assert said in line["error"], line
    assert err.count("error: ") == len(MISTAKES)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"P5 28 28 255\n" + bytes(600), "the PGM is cut short"),
        (b"P5 321 28 255\n" + bytes(321 * 28), "got 321 x 28 pixels, this program takes at most 320 x 240"),
        (b"P5 28 28 100\n" + bytes([200] * 784), "a pixel is above its maximum"),
        (b"P2 3 3 255\n1 2 x", "the PGM is damaged"),
        (b"P5 x", "the PGM header cannot be read"),
        (b"P5 28 28 70000\n", "the PGM's maximum is not between 1 and 65535"),
        (b"\x89PNG", "no PGM, which is all that this program reads"),
        (b"", "no PGM, which is all that this program reads"),
    ],
)
def test_bad_files_are_told(content: bytes, said: str, run: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.pgm").write_bytes(content)
    code, (line,), err = run("bad.pgm")

    assert code == 3
    assert line["error"].startswith("bad.pgm: ")
    assert said in line["error"]
    assert err == f"error: {line['error']}\n"


def test_maxima_and_missing_ends_are_as_in_the_runtime(run: Run, tmp_path: Path) -> None:
    from mnist_edge_runtime.preprocessing.image_io import load_picture

    image = sealed_model.read(MODEL).golden.images[5]
    wide = (image.astype(np.uint16) * 257).astype(">u2")
    (tmp_path / "wide.pgm").write_bytes(b"P5 28 28 65535\n" + wide.tobytes())
    (tmp_path / "small.pgm").write_bytes(b"P5 28 28 15\n" + (image >> 4).tobytes())
    (tmp_path / "halves.pgm").write_bytes(
        b"P5 28 28 100\n" + (image.astype(np.uint16) * 100 // 255).astype(np.uint8).tobytes()
    )
    (tmp_path / "cut.pgm").write_bytes(_pgm(mnist.to_picture(image))[:-300])
    names = ["wide.pgm", "small.pgm", "halves.pgm", "cut.pgm"]
    code, found, _ = run(*names)

    assert code == 0
    with Classifier.load(MODEL) as classifier:
        for name, line in zip(names, found, strict=True):
            expected = classifier.classify(mnist.to_mnist(load_picture(tmp_path / name)))
            assert line["probabilities"] == pytest.approx(expected.probabilities.tolist(), abs=1e-6)


def test_the_self_test_and_the_usage(run: Run, program: Path) -> None:
    assert run("--selftest") == (0, [{"model": NAME, "passed": True, "wrong_logits": 0}], "")
    for words, code in (((), 2), (("--help",), 0), (("--speed",), 2)):
        assert run(*words)[0] == code
    assert run("-", stdin=b"")[1][0]["error"].startswith("-:1: stdin is empty; expected a PGM")
    assert b"/" + MODEL.parent.name.encode() not in program.read_bytes()  # no path of the workstation


def test_what_no_program_is_made_of_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--target bookworm-mips is unknown for --engine c; choose from arm64, "):
        static_program.build(MODEL, "bookworm-mips")
    with pytest.raises(ModelError, match="--engine c takes int8 TFLite files"):
        static_program.build(models.bundled_models("onnxruntime")[0], "armv6")
    with pytest.raises(InputError, match="name a file in a folder that is there"):
        static_program.build(MODEL, "armv6", tmp_path / "nowhere" / "digits")


def test_a_release_before_the_processor_changes_nothing() -> None:
    assert static_program.processor("trixie-armhf") == "armhf"
    assert static_program.processor("armv6") == "armv6"


def test_pictures_of_other_kinds_need_the_runtime(run: Run, tmp_path: Path) -> None:
    Image.new("L", (28, 28)).save(tmp_path / "a.png")
    code, (line,), _ = run("a.png")
    assert (code, line["error"]) == (3, "a.png: no PGM, which is all that this program reads")


def test_unknown_keys_of_any_length_are_passed_over(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.pgm").write_bytes(_pgm(_pictures()[0]))
    long = "a_key_that_is_longer_than_any_that_is_known_" * 9
    lines = [f'{{"file": "a.pgm", "{long}": [true, {{"b": null}}], "pixels_too": 1}}', '{"file": "a.pgm", "x": nope}']
    code, answers, told = run("-", stdin="\n".join(lines).encode())
    assert [answer.get("label") is not None for answer in answers] == [True, False]
    assert "-:2:" in told
    assert code == 3


def test_a_compiler_that_takes_too_long_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def late(command: list[str], **options: Any) -> None:
        raise subprocess.TimeoutExpired(command, options["timeout"])

    monkeypatch.setattr(subprocess, "run", late)
    with pytest.raises(VerificationError, match="did not compile within 600 seconds; repeat the command"):
        static_program.build(MODEL, "amd64", tmp_path / "digits")
    assert list(tmp_path.iterdir()) == []
