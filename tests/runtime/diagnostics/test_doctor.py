from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from mnist_edge_runtime import ModelError, models
from mnist_edge_runtime.__main__ import main
from mnist_edge_runtime.child_process import ChildResult
from mnist_edge_runtime.commands import doctor as command
from mnist_edge_runtime.diagnostics import doctor
from mnist_edge_runtime.diagnostics.doctor import DoctorReport, Finding, SelfTestOutcome
from mnist_edge_runtime.host import Host

ARM64 = replace(Host.here(), system="Linux", processor="aarch64", bits=64, libc=(2, 36))
PI = replace(ARM64, python="3.11.2", executable="python", numpy="1.26.4", has_pip=True)
NUMPY_2 = replace(PI, numpy="2.1.0")


@pytest.fixture
def litert(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return the function that puts a LiteRT with such a code before the one that is installed, for children."""

    def litert(code: str) -> None:
        package = tmp_path / "ai_edge_litert"
        package.mkdir()
        (package / "__init__.py").touch()
        (package / "interpreter.py").write_text(code)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    return litert


def test_an_engine_that_works_has_no_finding() -> None:
    outcome = doctor.run("litert", models.bundled_models("litert")[0])
    found = doctor.diagnose("litert", "2.3.0", outcome, PI)

    assert (found.works, found.wrong, found.fix) == (True, None, None)


@pytest.mark.parametrize(
    ("code", "wrong", "fix"),
    [
        (
            "import os, signal; os.kill(os.getpid(), signal.SIGILL)",
            "illegal instruction (SIGILL)",
            "uninstall -y ai-edge-litert && ",
        ),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "it crashes (SIGSEGV)", "--force-reinstall"),
        (
            "import flatbuffers_of_old",
            "No module named 'flatbuffers_of_old'",
            "install --force-reinstall 'ai-edge-litert>=2.0'",
        ),
        (
            "raise ImportError('libgomp.so.1: cannot open shared object file')",
            "libgomp.so.1",
            "apt-get install libgomp1",
        ),
    ],
    ids=["illegal instruction", "crash", "a module is missing", "a system library is missing"],
)
def test_an_engine_that_fails_in_a_child_is_a_finding(
    litert: Callable[[str], None], code: str, wrong: str, fix: str
) -> None:
    litert(code)
    outcome = doctor.run("litert", models.bundled_models("litert")[0])
    found = doctor.diagnose("litert", "2.3.0", outcome, PI)

    assert not found.works
    assert wrong in str(found.wrong)
    assert fix in str(found.fix)


@pytest.mark.parametrize(
    ("engine", "outcome", "host", "wrong", "fix"),
    [
        ("tflite-runtime", SelfTestOutcome(4, "AttributeError: _ARRAY_API not found"), NUMPY_2,
         "built for numpy 1 and fails with numpy 2.1.0", "python -m pip install 'numpy<2'"),
        ("tflite-runtime", SelfTestOutcome(-11, ""), NUMPY_2, "crashes (SIGSEGV)", "--force-reinstall"),
        ("onnxruntime", SelfTestOutcome(4, "ImportError: numpy.core.multiarray failed to import"), PI,
         "built for a newer numpy than 1.26.4", "python -m pip install --upgrade numpy"),
        ("onnxruntime", SelfTestOutcome(-4, ""), PI, "illegal instruction (SIGILL)", "# and take .tflite files"),
        ("onnxruntime", SelfTestOutcome(4, "ImportError: /lib/libc.so.6: version `GLIBC_2.38' not found"), PI,
         "built for a newer system", "ai-edge-litert"),
        ("litert", SelfTestOutcome(4, "ImportError: libodd.so.7: cannot open shared object file"), PI,
         "libodd.so.7", "package that holds libodd.so"),
        ("litert", SelfTestOutcome(4, "no engine here runs it: the file is not for litert (...)"), PI,
         "not for litert", "mnist-edge export --target-runtime litert"),
        ("litert", SelfTestOutcome(5, "3 of 40 golden images get another class"), PI,
         "answers otherwise than it should: 3 of 40", "--force-reinstall --no-deps ai-edge-litert"),
        ("litert", SelfTestOutcome(None, ""), PI, "self-test did not end within 120 seconds: the model may",
         "--force-reinstall --no-deps ai-edge-litert  # if the file of this package does not end either"),
    ],
)  # fmt: skip
def test_what_an_outcome_means(engine: str, outcome: SelfTestOutcome, host: Host, wrong: str, fix: str) -> None:
    found = doctor.diagnose(engine, "2.3.0", outcome, host)

    assert (found.works, found.version) == (False, "2.3.0")
    assert wrong in str(found.wrong)
    assert fix in str(found.fix)


def test_a_self_test_that_reached_its_limit_is_no_wrong_answer(monkeypatch: pytest.MonkeyPatch, endless: Path) -> None:
    monkeypatch.setattr(doctor, "run_module", lambda *arguments, seconds: ChildResult(5, "", "error: not in time\n"))

    assert doctor.run("onnxruntime", endless) == SelfTestOutcome(None, "not in time")


def test_where_nothing_is_installed_wheels_decide() -> None:
    found = doctor.diagnose("litert", None, None, PI)

    assert (found.works, found.wrong) == (False, "it is not installed")


@pytest.mark.parametrize(
    ("model", "working", "works"),
    [
        (None, "onnxruntime", True),
        ("a.onnx", "onnxruntime", True),
        ("a.tflite", "onnxruntime", False),
        (None, "", False),
    ],
)
def test_one_engine_of_the_models_format_is_enough(model: str | None, working: str, works: bool) -> None:
    findings = tuple(Finding(name, name, "1", works=name == working) for name in ("litert", "onnxruntime"))

    assert DoctorReport(PI, model, findings, findings[0]).works is works


def test_the_command_line(capsys: pytest.CaptureFixture[str], tflite_file: Path) -> None:
    assert main(["doctor", "--json", str(tflite_file)]) == 0
    document = json.loads(capsys.readouterr().out)

    assert document["model"] == str(tflite_file)
    assert document["works"] is True
    assert document["host"]["executable"] == sys.executable
    assert [found["engine"] for found in document["engines"]] == ["litert", "tflite-runtime", "onnxruntime"]
    assert {"distribution", "version", "works", "wrong", "fix"} <= document["engines"][0].keys()
    assert document["pictures"]["works"] is True


def test_on_x86_the_kernels_for_int8_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A child is asked, so a library before the one that is installed answers it."""
    told = doctor._int8_kernels(replace(ARM64, processor="x86_64"))
    assert told in doctor._INT8_KERNELS.values()
    assert doctor._int8_kernels(replace(ARM64, processor="AMD64")) == told
    assert doctor._int8_kernels(ARM64) is None

    finding = Finding("onnxruntime", "onnxruntime", "1.32.0", works=True, note=told)
    assert [line.strip() for line in command._finding(finding, is_enough=True)][1:] == [told]
    (tmp_path / "onnxruntime.py").write_text("raise OSError('broken since')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert doctor._int8_kernels(replace(ARM64, processor="x86_64")) is None


def test_the_command_line_where_nothing_works(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "run", lambda engine, file: SelfTestOutcome(-4, ""))

    assert main(["doctor"]) == 4
    out, err = capsys.readouterr()
    assert out.count("fix it with: ") >= 3
    assert err == "error: no engine here runs model files\n"


def test_an_engine_that_nobody_needs_is_no_fault(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = doctor._installed
    monkeypatch.setattr(
        doctor, "_installed", lambda name, module: None if name == "onnxruntime" else installed(name, module)
    )

    assert main(["doctor"]) == 0
    (line,) = (line for line in capsys.readouterr().out.splitlines() if "onnxruntime>=" in line)
    assert line.strip().startswith("to have it too: ")


def test_what_cannot_be_had_is_not_advised_where_another_does_its_work(monkeypatch: pytest.MonkeyPatch) -> None:
    installed, works = doctor._installed, SelfTestOutcome(0, "")
    monkeypatch.setattr(
        doctor, "_installed", lambda name, module: None if name == "tflite-runtime" else installed(name, module)
    )
    monkeypatch.setattr(doctor.Host, "here", lambda: replace(PI, python="3.13.5", has_pip=False))
    monkeypatch.setattr(doctor, "run", lambda engine, file: works)

    assert "cannot be: its wheels are for Python" in str(doctor.examine().engines[1].wrong)
    assert doctor.examine().engines[1].fix is None

    # Where nothing else runs .tflite files, something is to be done.
    broken = SelfTestOutcome(4, "it is broken")
    monkeypatch.setattr(doctor, "run", lambda engine, file: broken if engine == "litert" else works)
    assert "make another bundle" in str(doctor.examine().engines[1].fix)


def test_a_damaged_file_is_not_the_machines_fault(tmp_path: Path, tflite_file: Path) -> None:
    damaged = tmp_path / "damaged.tflite"
    whole = bytearray(tflite_file.read_bytes())
    whole[1000] ^= 1
    damaged.write_bytes(whole)

    with pytest.raises(ModelError, match=r"damaged\.tflite: the file was altered"):
        doctor.examine(damaged)
