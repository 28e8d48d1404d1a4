"""Without what only POSIX or Linux has, the product imports and the device's commands answer; this is no Windows."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from mnist_edge_exporters.deploy.command import deploy
from mnist_edge_runtime import models
from mnist_edge_runtime.errors import UsageError
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_runtime.preprocessing.mnist import to_picture

# What Python on Windows lacks of what this product's files name. Libraries are loaded before, as they are for Linux.
WINDOWS = """
import os, signal, sys
import ai_edge_litert.interpreter, numpy, onnxruntime, PIL.Image
import asyncio, concurrent.futures, importlib.metadata, multiprocessing, platform, shutil, subprocess, tempfile
{loaded}
for name in ("fcntl", "grp", "pwd", "resource", "termios"):
    sys.modules[name] = None
for name in ("O_DIRECTORY", "O_NOFOLLOW", "O_NONBLOCK", "fork", "geteuid", "getuid", "killpg", "mkfifo",
             "register_at_fork", "sched_getaffinity", "setsid", "statvfs"):
    vars(os).pop(name, None)
for name in ("SIGALRM", "SIGHUP", "SIGKILL", "SIGQUIT", "SIGUSR1", "SIGUSR2", "alarm", "pthread_kill"):
    vars(signal).pop(name, None)
sys.modules["msvcrt"] = type(sys)("msvcrt")  # which Python has there alone
sys.platform = "win32"
"""
COMMAND = (
    WINDOWS.format(loaded="")
    + """
from mnist_edge_runtime.__main__ import main
sys.exit(main())
"""
)
# All modules but those that run on a device with Linux alone, or behind a command that says so.
IMPORTS = """
import importlib, pkgutil
import mnist_edge.cli, mnist_edge_exporters, mnist_edge_runtime, mnist_edge_trainer
for package in (mnist_edge_exporters, mnist_edge_runtime, mnist_edge_trainer):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not any(part in module.name for part in (".installer.", ".deploy.", "unverified.worker", "__main__")):
            importlib.import_module(module.name)
"""
LOADED = (
    "import tensorflow, keras, optuna, onnx, tf2onnx, matplotlib.pyplot, typer, sklearn, packaging.requirements, "
    "uvicorn, uvicorn.protocols.http.h11_impl, starlette.applications, starlette.formparsers, prometheus_client, segno"
)


def _run(code: str, *arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, cwd=options.get("cwd"))


@pytest.fixture
def picture(tmp_path: Path) -> tuple[Path, str]:
    golden = sealed_model.read(models.bundled_models()[0]).golden
    drawn = to_picture(golden.images[golden.picture])
    file = tmp_path / "digit.pgm"
    file.write_bytes(f"P5 {drawn.shape[1]} {drawn.shape[0]} 255\n".encode() + drawn.tobytes())
    return file, str(golden.predicted[golden.picture])


def test_pictures_are_read(picture: tuple[Path, str]) -> None:
    file, label = picture
    result = _run(COMMAND, "classify", "--csv", file)

    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[1].startswith(f"{file},{label},")


@pytest.mark.parametrize("file", models.bundled_models(), ids=lambda file: file.suffix)
def test_the_self_test_passes(file: Path) -> None:
    result = _run(COMMAND, "selftest", file)

    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("passed: 30 golden images")


def test_what_needs_limits_of_the_system_says_so(picture: tuple[Path, str], tmp_path: Path) -> None:
    result = _run(COMMAND, "classify", "--no-verify", "--model", models.bundled_models()[0], picture[0])

    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("error: --no-verify needs limits on memory and time, which Windows does not have")


def test_a_deployment_says_where_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(UsageError, match="deploy needs Linux or macOS; on Windows run it in WSL"):
        deploy(Path("bundle.tar.gz"), ["attic"])


@pytest.mark.long
def test_every_module_of_the_workstation_imports() -> None:
    result = _run(WINDOWS.format(loaded=LOADED) + IMPORTS)

    assert result.returncode == 0, result.stderr[-2000:]
