from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from mnist_edge_runtime import InputError, models
from mnist_edge_runtime.__main__ import main

Invoke = Callable[..., tuple[int, str, str]]
Refused = Callable[[tuple[int, str, str], int], str]
Device = Callable[..., Any]
WritePicture = Callable[..., tuple[Path, str]]

ENGINE = {".tflite": "litert", ".onnx": "onnxruntime"}


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
    invoke: Invoke, refused: Refused, tmp_path: Path, model_file: Path, blank: Path, command: str, options: list[str]
) -> None:
    damaged = tmp_path / model_file.name
    content = bytearray(model_file.read_bytes())
    content[len(content) // 2] ^= 16
    damaged.write_bytes(content)

    message = refused(invoke(*COMMANDS[command](damaged, blank), *options), 4)

    assert str(damaged) in message
    assert "altered" in message


@each_command
def test_a_missing_model_is_bad_input(
    invoke: Invoke, refused: Refused, tmp_path: Path, blank: Path, command: str
) -> None:
    message = refused(invoke(*COMMANDS[command](tmp_path / "missing.onnx", blank)), 3)

    assert "missing.onnx" in message


@each_command
def test_where_no_model_is_named_the_one_that_ships_is_taken(
    invoke: Invoke, tflite_file: Path, picture: WritePicture, command: str
) -> None:
    file, label = picture(tflite_file)
    arguments = [command, "--json", *([str(file)] if command in ("classify", "read") else [])]

    code, out, err = invoke(*arguments)

    document = json.loads(out)
    assert err == f"model: {models.bundled_models()[0]}, the one in this package\n"
    assert (code, document["model"]) == (0, str(models.bundled_models()[0]))
    if command == "classify":
        assert document["predictions"][0]["label"] == label


@each_command
@pytest.mark.parametrize("default", [{}, {"default_model": lambda: pytest.fail("nobody asked for the default")}])
def test_a_network_of_the_package_is_named(
    invoke: Invoke, tflite_file: Path, picture: WritePicture, command: str, default: dict[str, Any]
) -> None:
    file, _ = picture(tflite_file)
    arguments = [command, "--json", "--network", "small", *([str(file)] if command in ("classify", "read") else [])]

    code, out, err = invoke(*arguments, **default)

    assert (code, err) == (0, "")
    assert json.loads(out)["model"] == str(models.bundled_models(network="small")[0])


def test_one_model_is_named_and_not_two(invoke: Invoke, refused: Refused, tflite_file: Path) -> None:
    text = refused(invoke("inspect", "--network", "small", str(tflite_file)), 2)
    assert "--network and a model exclude each other; name one of them" in text
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument("--run")
    for others in (["--network", "small"], [str(tflite_file)]):
        text = refused(invoke("inspect", "--run", "mine", *others, default_model=pytest.fail, options=options), 2)
        assert f"--run and {others[0] if others[1:] else 'a model'} exclude each other" in text


@each_command
def test_another_command_line_may_find_the_model(
    invoke: Invoke, tflite_file: Path, picture: WritePicture, command: str
) -> None:
    file, _ = picture(tflite_file)
    arguments = [command, "--json", *([str(file)] if command in ("classify", "read") else [])]

    code, out, _ = invoke(*arguments, program="mnist-edge", default_model=lambda: tflite_file)

    assert code == 0
    assert json.loads(out)["model"] == str(tflite_file)


@each_command
def test_a_named_model_is_taken_all_the_same(
    invoke: Invoke, files: Mapping[str, Path], picture: WritePicture, command: str
) -> None:
    file, _ = picture(files["onnx-int8"])

    code, out, _ = invoke(
        *COMMANDS[command](files["onnx-int8"], file),
        "--json",
        default_model=lambda: pytest.fail("nobody asked for the default"),
    )

    assert code == 0
    assert json.loads(out)["model"] == str(files["onnx-int8"])


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["classify", "--modle", "a.tflite", "x.png"], "--model"),
        (["classfy", "x.png"], "classify"),
        (["read", "x.png", "--netwrok=small"], "--network"),
        (["classify", "x.png", "--engine", "lite-rt"], "litert"),
        (["classify", "x.png", "--xyzzy"], None),
    ],
)
def test_a_word_that_is_nearly_right_is_proposed(
    invoke: Invoke, refused: Refused, arguments: list[str], meant: str | None
) -> None:
    text = refused(invoke(*arguments), 2)
    assert f"Did you mean {meant}?" in text if meant else "Did you mean" not in text


def test_where_no_model_is_found_the_reason_is_given(invoke: Invoke, refused: Refused) -> None:
    def find() -> Path:
        raise InputError("there is no export in runs; make one with: mnist-edge export")

    assert "there is no export" in refused(invoke("inspect", default_model=find), 3)


@pytest.mark.parametrize("command", ["classify", "selftest"])
def test_an_engine_for_another_format_is_a_wrong_option(
    invoke: Invoke, refused: Refused, model_file: Path, blank: Path, command: str
) -> None:
    other = {".tflite": "onnxruntime", ".onnx": "litert"}[model_file.suffix]
    arguments = COMMANDS[command](model_file, blank)

    assert "does not run" in refused(invoke(*arguments, "--engine", other), 2)


@pytest.mark.parametrize("command", ["classify", "selftest"])
def test_a_model_that_its_engine_cannot_run_is_refused(
    invoke: Invoke, refused: Refused, int8_file: Path, blank: Path, reseal: Callable[..., Path], command: str
) -> None:
    broken = reseal(int8_file, contract=lambda contract: replace(contract, labels=contract.labels[:-1]))
    engine = ENGINE[int8_file.suffix]

    message = refused(invoke(*COMMANDS[command](broken, blank), "--engine", engine), 4)

    assert str(broken) in message
    assert f"{engine} cannot run it" in message


@pytest.mark.parametrize(
    "arguments",
    [[], ["train"], ["classify", "--model", "m.tflite"], ["inspect", "--engine", "litert"], ["selftest", "a", "b"],
     ["classify", "--engine", "tensorflow", "--model", "m.tflite", "a.png"]],
    ids=" ".join,
)  # fmt: skip
def test_what_cannot_be_parsed_is_a_wrong_option(invoke: Invoke, arguments: list[str]) -> None:
    code, out, err = invoke(*arguments)

    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert "(see mnist-edge-runtime" in err


@pytest.mark.parametrize(
    "arguments",
    [[], ["classify"], ["watch"], ["read"], ["serve"], ["label"], ["inspect"], ["selftest"], ["doctor"], ["benchmark"]],
    ids=lambda words: " ".join(words),
)
@pytest.mark.parametrize("program", ["mnist-edge-runtime", "mnist-edge"])
def test_help(invoke: Invoke, arguments: list[str], program: str) -> None:
    code, out, err = invoke(*arguments, "--help", program=program)

    assert (code, err) == (0, "")
    assert out.startswith(f"usage: {' '.join([program, *arguments])}")


def test_version(invoke: Invoke) -> None:
    assert invoke("--version") == (0, f"mnist-edge-runtime {version('mnist-edge-runtime')}\n", "")


def test_debug_shows_where_an_error_comes_from(invoke: Invoke, tmp_path: Path) -> None:
    code, out, err = invoke("inspect", "--debug", tmp_path / "missing.tflite")

    assert (code, out) == (3, "")
    assert "Traceback" in err
    assert err.splitlines()[-1].startswith("error: ")


def test_our_own_fault_is_told_as_such(invoke: Invoke, refused: Refused) -> None:
    def find() -> Path:
        raise ZeroDivisionError

    assert "internal error: ZeroDivisionError" in refused(invoke("inspect", default_model=find), 1)


def test_an_interrupt_ends_quietly(invoke: Invoke) -> None:
    def find() -> Path:
        raise KeyboardInterrupt

    assert invoke("inspect", default_model=find) == (130, "", "")


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("variant", ["tflite-int8", "onnx-int8"])
def test_a_process_of_its_own_prints_one_document_and_nothing_else(
    device: Device, files: Mapping[str, Path], picture: WritePicture, command: str, variant: str
) -> None:
    """Engines greet on both streams when they are loaded; none of it may be seen."""
    file, _ = picture(files[variant])
    result = device(*COMMANDS[command](files[variant], file), "--json")

    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.count("\n") == 1
    assert json.loads(result.stdout)["model"] == str(files[variant])


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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["classify"], "error: the following arguments are required: FILE (see mnist-edge-runtime classify --help)\n"),
        (["nonsense"], "error: argument COMMAND: invalid choice: 'nonsense'"),
        (["inspect", "--nonsense"], "error: unrecognized arguments: --nonsense (see mnist-edge-runtime --help)\n"),
        (["classify", "--no-verify", "x.png"], "(see mnist-edge-runtime classify --help)\n"),
    ],
)
def test_wrong_usage_is_one_line_that_names_the_help(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code: object = main(arguments)
    except SystemExit as ended:
        code = ended.code
    err = capsys.readouterr().err
    assert code == 2
    assert message in err
    assert (err.startswith("error: "), err.count("\n")) == (True, 1)


@pytest.mark.parametrize("arguments", [["--debug", "inspect", "none.onnx"], ["inspect", "--debug", "none.onnx"]])
def test_debug_stands_before_or_after_the_command(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 3
    assert "Traceback" in capsys.readouterr().err


def test_a_command_waits_for_no_import_of_another() -> None:
    script = (
        "import sys\n"
        "from mnist_edge_runtime.__main__ import build_parser\n"
        "build_parser('program', 'model', only='classify')\n"
        "print([name for name in sys.modules if name.startswith('mnist_edge_runtime.commands.')])\n"
    )

    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert "mnist_edge_runtime.commands.classify" in result.stdout
    assert not [name for name in ("doctor", "read", "watch", "stdin_images") if f"commands.{name}'" in result.stdout]


def test_the_help_names_all_commands(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--debug", "--help"])

    shown = capsys.readouterr().out
    assert all(
        f"    {name} " in shown for name in ("classify", "watch", "read", "inspect", "selftest", "benchmark", "doctor")
    )
