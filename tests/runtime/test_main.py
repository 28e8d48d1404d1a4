from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mnist_edge_runtime import Classifier, InputError, models
from mnist_edge_runtime.__main__ import main
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_runtime.preprocessing import mnist
from PIL import Image

Device = Callable[..., subprocess.CompletedProcess[str]]
Capture = pytest.CaptureFixture[str]
WritePicture = Callable[..., tuple[Path, str]]

ENGINE = {".tflite": "litert", ".onnx": "onnxruntime"}


def _run(capsys: Capture, *arguments: str | Path, **options: Any) -> tuple[int, str, str]:
    """Run one command in this process; return its exit code and what it printed on stdout and stderr."""
    try:
        code = main([str(argument) for argument in arguments], **options)
    except SystemExit as ending:  # argparse ends so, after --help and on what it cannot parse
        code = int(ending.code or 0)
    return code, *capsys.readouterr()


def _refused(result: tuple[int, str, str], code: int) -> str:
    """Return the message of a command that failed with `code`, and with nothing but one line on stderr."""
    found, out, err = result
    assert (found, out) == (code, "")
    assert "Traceback" not in err
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    return err


@pytest.fixture
def blank(tmp_path: Path) -> Path:
    file = tmp_path / "blank.pgm"
    file.write_bytes(b"P5 28 28 255\n" + bytes(784))
    return file


@pytest.fixture
def cut_short(tmp_path: Path) -> Path:
    file = tmp_path / "cut_short.pgm"
    file.write_bytes(b"P5 28 28 255\n" + bytes(783))
    return file


@pytest.fixture
def mislabelled(tflite_file: Path, reseal: Callable[..., Path]) -> Path:
    """A file that loads and fails its self-test."""
    return reseal(tflite_file, contract=lambda contract: replace(contract, labels=("1", "0", *contract.labels[2:])))


class TestClassify:
    def test_a_line_for_each_picture(self, capsys: Capture, model_file: Path, picture: WritePicture) -> None:
        (one, label), (other, _) = picture(model_file, "one.pgm"), picture(model_file, "other.pgm")
        with Classifier.load(model_file) as classifier:
            confidence = classifier.classify(mnist.read(one)).confidence

        code, out, err = _run(capsys, "classify", "--model", model_file, one, other)

        assert (code, err) == (0, "")
        assert out.splitlines() == [f"{file}: {label}  {confidence:.1%}" for file in (one, other)]

    def test_json(self, capsys: Capture, model_file: Path, picture: WritePicture) -> None:
        file, label = picture(model_file)
        with Classifier.load(model_file) as classifier:
            expected = classifier.classify(mnist.read(file))

        code, out, err = _run(capsys, "classify", "--json", "--model", model_file, file)

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
        self, capsys: Capture, tmp_path: Path, tflite_file: Path, picture: WritePicture, suffix: str
    ) -> None:
        drawn, label = picture(tflite_file)
        file = tmp_path / f"digit{suffix}"
        with Image.open(drawn) as opened:
            if suffix == ".npy":
                np.save(file, np.asarray(opened))
            else:
                opened.save(file)

        code, out, _ = _run(capsys, "classify", "--model", tflite_file, file)

        assert code == 0
        assert out.startswith(f"{file}: {label} ")

    def test_a_bad_picture_does_not_keep_the_others_from_being_read(
        self, capsys: Capture, tmp_path: Path, tflite_file: Path, picture: WritePicture, cut_short: Path
    ) -> None:
        good, label = picture(tflite_file)
        missing = tmp_path / "missing.png"

        code, out, err = _run(capsys, "classify", "--model", tflite_file, cut_short, good, missing, good)

        assert code == 3
        assert [line.split("  ")[0] for line in out.splitlines()] == [f"{good}: {label}"] * 2
        places = [line.split(": ")[:2] for line in err.splitlines()]
        assert places == [["error", str(cut_short)], ["error", str(missing)]]

    def test_json_of_bad_and_good_pictures(
        self, capsys: Capture, tflite_file: Path, picture: WritePicture, cut_short: Path
    ) -> None:
        good, label = picture(tflite_file)

        code, out, err = _run(capsys, "classify", "--json", "--model", tflite_file, cut_short, good)
        bad, prediction = json.loads(out)["predictions"]

        assert code == 3
        assert set(bad) == {"file", "error"}
        assert bad["file"] == str(cut_short)
        assert "cut short" in bad["error"]
        assert (prediction["file"], prediction["label"]) == (str(good), label)
        assert "Traceback" not in err

    def test_json_of_bad_pictures_only(self, capsys: Capture, tflite_file: Path, cut_short: Path) -> None:
        code, out, _ = _run(capsys, "classify", "--json", "--model", tflite_file, cut_short, cut_short)

        assert code == 3
        assert [set(entry) for entry in json.loads(out)["predictions"]] == [{"file", "error"}] * 2

    @pytest.mark.parametrize("options", [[], ["--accept-all"]])
    def test_a_blank_is_no_error_but_unsure(
        self, capsys: Capture, tflite_file: Path, picture: WritePicture, blank: Path, options: list[str]
    ) -> None:
        good, label = picture(tflite_file)
        arguments = ["classify", *options, "--model", tflite_file, blank, good]
        reason = "the picture is blank: nothing stands out from its background"

        code, out, err = _run(capsys, *arguments)
        assert (code, err) == (0, "")
        assert out.startswith(f"{blank}: unsure  {reason}\n{good}: {label}  ")

        code, out, err = _run(capsys, *arguments, "--json")
        unsure, _ = json.loads(out)["predictions"]
        nothing = {"label": None, "confidence": 0.0, "probabilities": None, "accepted": False}
        assert (code, err, unsure) == (0, "", {"file": str(blank), **nothing, "reason": reason})

        code, out, err = _run(capsys, *arguments, "--csv")
        assert (code, err) == (0, "")
        assert out.splitlines()[1] == f"{blank},,0.000000,false,{reason},"

    def test_what_is_not_accepted_says_why(
        self, capsys: Capture, int8_file: Path, reseal: Callable[..., Path], picture: WritePicture
    ) -> None:
        file, label = picture(int8_file)
        strict = reseal(
            int8_file, contract=lambda contract: replace(contract, output=replace(contract.output, threshold=1.1))
        )

        code, out, _ = _run(capsys, "classify", "--model", strict, file)
        _, document, _ = _run(capsys, "classify", "--json", "--model", strict, file)
        (prediction,) = json.loads(document)["predictions"]

        assert code == 0
        assert out.startswith(f"{file}: unsure  perhaps {label}, ")
        assert prediction["accepted"] is False
        assert prediction["reason"] in out
        assert "accepted from 1.100" in prediction["reason"]

        code, out, _ = _run(capsys, "classify", "--accept-all", "--model", strict, file)
        assert (code, out.startswith(f"{file}: {label}  ")) == (0, True)
        _, document, _ = _run(capsys, "classify", "--accept-all", "--json", "--model", strict, file)
        (prediction,) = json.loads(document)["predictions"]
        assert (prediction["accepted"], prediction["reason"]) == (True, None)

    @pytest.mark.parametrize("preprocess", ["auto", "mnist", "none"])
    def test_what_the_model_saw_is_shown(
        self, capsys: Capture, tmp_path: Path, tflite_file: Path, picture: WritePicture, preprocess: str
    ) -> None:
        drawn, _ = picture(tflite_file)
        seen = mnist.read(drawn)
        ready, shown = tmp_path / "ready.npy", tmp_path / "seen.png"
        np.save(ready, np.roll(seen, 2, axis=1))

        code, _, _ = _run(
            capsys, "classify", "--model", tflite_file, ready, ready,
            "--preprocess", preprocess, "--show-input", shown,
        )  # fmt: skip

        assert code == 0
        with Image.open(shown) as opened:
            np.testing.assert_array_equal(np.asarray(opened), np.hstack([mnist.read(ready, preprocess)] * 2))

    def test_without_preprocessing_another_size_is_refused(
        self, capsys: Capture, tflite_file: Path, picture: WritePicture
    ) -> None:
        file, _ = picture(tflite_file)

        message = _refused(_run(capsys, "classify", "--model", tflite_file, "--preprocess", "none", file), 3)

        assert "28 x 28" in message

    def test_an_engine_may_be_named(self, capsys: Capture, model_file: Path, picture: WritePicture) -> None:
        file, label = picture(model_file)

        code, out, _ = _run(capsys, "classify", "--engine", ENGINE[model_file.suffix], "--model", model_file, file)

        assert code == 0
        assert f": {label} " in out

    def test_the_model_is_checked_before_any_picture(self, capsys: Capture, tmp_path: Path, blank: Path) -> None:
        model = tmp_path / "missing.tflite"

        assert "missing.tflite" in _refused(_run(capsys, "classify", "--model", model, blank), 3)

    def test_labels_and_names_in_any_script(
        self, capsys: Capture, tmp_path: Path, tflite_file: Path, reseal: Callable[..., Path], picture: WritePicture
    ) -> None:
        labels = tuple("零一二三四五六七八九")
        file, label = picture(tflite_file, "ziffer-ß.pgm")
        model = reseal(tflite_file, contract=lambda contract: replace(contract, labels=labels))

        _, out, _ = _run(capsys, "classify", "--model", model, file)
        _, document, _ = _run(capsys, "classify", "--json", "--model", model, file)

        assert out.startswith(f"{file}: {labels[int(label)]} ")
        assert json.loads(document)["predictions"][0]["label"] == labels[int(label)]

    def test_a_file_name_that_is_no_text_does_not_keep_the_others_from_being_read(
        self, device: Device, tflite_file: Path, picture: WritePicture
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


class TestInspect:
    def test_everything_of_interest_is_shown(self, capsys: Capture, model_file: Path) -> None:
        sealed = sealed_model.read(model_file)
        contract = sealed.contract

        code, out, err = _run(capsys, "inspect", model_file)

        assert (code, err) == (0, "")
        for shown in (
            str(model_file),
            contract.format,
            contract.quantization,
            contract.payload.sha256,
            f"{contract.payload.size:,}",
            " ".join(contract.labels),
            contract.input.dtype,
            contract.input.polarity,
            contract.input.real_value,
            "classic",
            "110,474 parameters",
            contract.origin["dataset"]["sha256"],
            f"{len(sealed.golden.images)} images",
            *(f"{row['engine']} {row['version']}" for row in contract.runtimes),
        ):
            assert shown in out

    def test_json_is_the_contract(self, capsys: Capture, model_file: Path) -> None:
        contract = sealed_model.read(model_file).contract

        code, out, err = _run(capsys, "inspect", "--json", model_file)

        assert (code, err) == (0, "")
        assert json.loads(out) == {"model": str(model_file), **json.loads(contract.to_json())}

    def test_a_contract_without_origin_and_parity_is_shown_too(
        self, capsys: Capture, int8_file: Path, reseal: Callable[..., Path]
    ) -> None:
        bare = reseal(int8_file, contract=lambda contract: replace(contract, origin={}, parity=None, runtimes=()))

        code, out, _ = _run(capsys, "inspect", bare)

        assert code == 0
        assert "unknown" in out

    @pytest.mark.parametrize(
        "changes",
        [
            {"runtimes": ({},)},
            {"runtimes": ({"engine": "litert"},)},
            {"origin": {"dataset": "mnist"}},
            {"origin": {"dataset": None}},
            {"origin": {"architecture": None, "parameters": "many"}},
            {"parity": {"summary": 3}},
        ],
        ids=str,
    )
    def test_a_contract_that_says_things_in_other_words_is_shown_or_refused(
        self, capsys: Capture, tflite_file: Path, reseal: Callable[..., Path], changes: dict[str, Any]
    ) -> None:
        """Another release may have written it; that is nobody's internal error."""
        file = reseal(tflite_file, contract=lambda contract: replace(contract, **changes))

        code, _, err = _run(capsys, "inspect", file)

        assert code in (0, 4), err

    def test_what_a_user_must_know_of_the_data_stands_out(
        self, capsys: Capture, int8_file: Path, reseal: Callable[..., Path]
    ) -> None:
        origin = {"dataset": {"name": "digits", "warning": "trained on few images"}}
        file = reseal(int8_file, contract=lambda contract: replace(contract, origin=origin))

        _, out, _ = _run(capsys, "inspect", file)

        assert any(line.startswith("WARNING") and "trained on few images" in line for line in out.splitlines())

    def test_no_engine_is_needed(self, device: Device, tflite_file: Path) -> None:
        result = device("inspect", tflite_file, env={**os.environ, "PYTHONPROFILEIMPORTTIME": "1"})

        assert result.returncode == 0
        assert "mnist_edge_runtime.model_file.sealed_model" in result.stderr  # imports are listed
        assert "ai_edge_litert" not in result.stderr


class TestSelftest:
    def test_a_good_file_passes(self, capsys: Capture, model_file: Path) -> None:
        code, out, err = _run(capsys, "selftest", model_file)

        assert (code, err) == (0, "")
        assert out.startswith("passed: ")
        assert ENGINE[model_file.suffix] in out

    def test_json(self, capsys: Capture, model_file: Path) -> None:
        sealed = sealed_model.read(model_file)

        code, out, err = _run(capsys, "selftest", "--json", model_file)
        report = json.loads(out)

        assert (code, err) == (0, "")
        assert report.keys() >= {"model", "engine", "golden", "max_lsb", "passed"}
        assert report["model"] == str(model_file)
        assert report["engine"] == ENGINE[model_file.suffix]
        assert report["golden"] == len(sealed.golden.images)
        assert report["max_lsb"] == (0 if sealed.contract.quantization == "int8" else None)
        assert report["passed"] is True

    def test_a_file_that_answers_wrongly_fails(self, capsys: Capture, mislabelled: Path) -> None:
        code, out, err = _run(capsys, "selftest", mislabelled)

        assert (code, out) == (5, "")
        assert "failed: " in err
        assert "another class" in err
        assert "Traceback" not in err

    def test_json_of_a_failure(self, capsys: Capture, mislabelled: Path) -> None:
        code, out, _ = _run(capsys, "selftest", "--json", mislabelled)
        report = json.loads(out)

        assert code == 5
        assert report["passed"] is False
        assert report["failures"]

    def test_golden_vectors_that_cannot_be_read_are_a_damaged_file(
        self, capsys: Capture, int8_file: Path, reseal: Callable[..., Path]
    ) -> None:
        file = reseal(int8_file, golden=lambda golden: replace(golden, images=golden.images[:-1]))

        assert "golden vectors" in _refused(_run(capsys, "selftest", file), 4)


COMMANDS: Mapping[str, Callable[[Path, Path], list[str | Path]]] = {
    "classify": lambda model, picture: ["classify", "--model", model, picture],
    "read": lambda model, picture: ["read", "--model", model, picture],
    "inspect": lambda model, picture: ["inspect", model],
    "selftest": lambda model, picture: ["selftest", model],
}
each_command = pytest.mark.parametrize("command", COMMANDS)


@each_command
@pytest.mark.parametrize("options", [[], ["--json"]], ids=["text", "json"])
def test_a_damaged_model_is_refused(
    capsys: Capture, tmp_path: Path, model_file: Path, blank: Path, command: str, options: list[str]
) -> None:
    damaged = tmp_path / model_file.name
    content = bytearray(model_file.read_bytes())
    content[len(content) // 2] ^= 16
    damaged.write_bytes(content)

    message = _refused(_run(capsys, *COMMANDS[command](damaged, blank), *options), 4)

    assert str(damaged) in message
    assert "altered" in message


@each_command
def test_a_missing_model_is_bad_input(capsys: Capture, tmp_path: Path, blank: Path, command: str) -> None:
    message = _refused(_run(capsys, *COMMANDS[command](tmp_path / "missing.onnx", blank)), 3)

    assert "missing.onnx" in message


@each_command
def test_where_no_model_is_named_the_one_that_ships_is_taken(
    capsys: Capture, tflite_file: Path, picture: WritePicture, command: str
) -> None:
    file, label = picture(tflite_file)
    arguments = [command, "--json", *([str(file)] if command in ("classify", "read") else [])]

    code, out, _ = _run(capsys, *arguments)

    document = json.loads(out)
    assert (code, document["model"]) == (0, str(models.bundled_models()[0]))
    if command == "classify":
        assert document["predictions"][0]["label"] == label


@each_command
def test_another_command_line_may_find_the_model(
    capsys: Capture, tflite_file: Path, picture: WritePicture, command: str
) -> None:
    file, _ = picture(tflite_file)
    arguments = [command, "--json", *([str(file)] if command in ("classify", "read") else [])]

    code, out, _ = _run(capsys, *arguments, program="mnist-edge", default_model=lambda: tflite_file)

    assert code == 0
    assert json.loads(out)["model"] == str(tflite_file)


@each_command
def test_a_named_model_is_taken_all_the_same(
    capsys: Capture, files: Mapping[str, Path], picture: WritePicture, command: str
) -> None:
    file, _ = picture(files["onnx-int8"])

    code, out, _ = _run(
        capsys,
        *COMMANDS[command](files["onnx-int8"], file),
        "--json",
        default_model=lambda: pytest.fail("nobody asked for the default"),
    )

    assert code == 0
    assert json.loads(out)["model"] == str(files["onnx-int8"])


def test_where_no_model_is_found_the_reason_is_given(capsys: Capture) -> None:
    def find() -> Path:
        raise InputError("there is no export in runs; make one with: mnist-edge export")

    assert "there is no export" in _refused(_run(capsys, "inspect", default_model=find), 3)


@pytest.mark.parametrize("command", ["classify", "selftest"])
def test_an_engine_for_another_format_is_a_wrong_option(
    capsys: Capture, model_file: Path, blank: Path, command: str
) -> None:
    other = {".tflite": "onnxruntime", ".onnx": "litert"}[model_file.suffix]
    arguments = COMMANDS[command](model_file, blank)

    assert "does not run" in _refused(_run(capsys, *arguments, "--engine", other), 2)


@pytest.mark.parametrize("command", ["classify", "selftest"])
def test_a_model_that_its_engine_cannot_run_is_refused(
    capsys: Capture, int8_file: Path, blank: Path, reseal: Callable[..., Path], command: str
) -> None:
    broken = reseal(int8_file, contract=lambda contract: replace(contract, labels=contract.labels[:-1]))
    engine = ENGINE[int8_file.suffix]

    message = _refused(_run(capsys, *COMMANDS[command](broken, blank), "--engine", engine), 4)

    assert str(broken) in message
    assert f"{engine} cannot run it" in message


@pytest.mark.parametrize(
    "arguments",
    [[], ["train"], ["classify", "--model", "m.tflite"], ["inspect", "--engine", "litert"], ["selftest", "a", "b"],
     ["classify", "--engine", "tensorflow", "--model", "m.tflite", "a.png"]],
    ids=" ".join,
)  # fmt: skip
def test_what_cannot_be_parsed_is_a_wrong_option(capsys: Capture, arguments: list[str]) -> None:
    code, out, err = _run(capsys, *arguments)

    assert (code, out) == (2, "")
    assert "usage: mnist-edge-runtime" in err


@pytest.mark.parametrize(
    "arguments", [[], ["classify"], ["read"], ["inspect"], ["selftest"], ["doctor"]], ids=lambda words: " ".join(words)
)
@pytest.mark.parametrize("program", ["mnist-edge-runtime", "mnist-edge"])
def test_help(capsys: Capture, arguments: list[str], program: str) -> None:
    code, out, err = _run(capsys, *arguments, "--help", program=program)

    assert (code, err) == (0, "")
    assert out.startswith(f"usage: {' '.join([program, *arguments])}")


def test_version(capsys: Capture) -> None:
    assert _run(capsys, "--version") == (0, f"mnist-edge-runtime {version('mnist-edge-runtime')}\n", "")


def test_debug_shows_where_an_error_comes_from(capsys: Capture, tmp_path: Path) -> None:
    code, out, err = _run(capsys, "inspect", "--debug", tmp_path / "missing.tflite")

    assert (code, out) == (3, "")
    assert "Traceback" in err
    assert err.splitlines()[-1].startswith("error: ")


def test_our_own_fault_is_told_as_such(capsys: Capture) -> None:
    def find() -> Path:
        raise ZeroDivisionError

    assert "internal error: ZeroDivisionError" in _refused(_run(capsys, "inspect", default_model=find), 1)


def test_an_interrupt_ends_quietly(capsys: Capture) -> None:
    def find() -> Path:
        raise KeyboardInterrupt

    assert _run(capsys, "inspect", default_model=find) == (130, "", "")


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("cell", ["tflite-int8", "onnx-int8"])
def test_a_process_of_its_own_prints_one_document_and_nothing_else(
    device: Device, files: Mapping[str, Path], picture: WritePicture, command: str, cell: str
) -> None:
    """Engines greet on both streams when they are loaded; none of it may be seen."""
    file, _ = picture(files[cell])
    result = device(*COMMANDS[command](files[cell], file), "--json")

    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.count("\n") == 1
    assert json.loads(result.stdout)["model"] == str(files[cell])


def test_a_process_of_its_own_ends_with_the_exit_code(
    device: Device, tmp_path: Path, tflite_file: Path, mislabelled: Path, cut_short: Path
) -> None:
    damaged = tmp_path / "damaged.tflite"
    damaged.write_bytes(tflite_file.read_bytes()[:-1])

    for code, arguments in (
        (2, ["classify"]),
        (3, ["classify", "--model", tflite_file, cut_short]),
        (4, ["selftest", damaged]),
        (5, ["selftest", mislabelled]),
    ):
        result = device(*arguments)

        assert (result.returncode, result.stdout) == (code, "")
        assert "Traceback" not in result.stderr
