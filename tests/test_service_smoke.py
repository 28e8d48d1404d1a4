"""The script that tries the service of each Python that is supported, on this one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parent.parent / "scripts"
SCRIPT = SCRIPTS / "service_smoke.py"
sys.path.insert(0, str(SCRIPTS))

import service_smoke  # noqa: E402

NOWHERE = "http://127.0.0.1:9/"  # a proxy that answers nobody


def test_the_service_of_this_python_is_tried() -> None:
    """Also where a proxy is set for what lies beyond this machine."""
    result = subprocess.run(
        [sys.executable, SCRIPT],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "http_proxy": NOWHERE, "no_proxy": ""},
    )

    assert (result.returncode, result.stdout) == (0, "the service started, read 1 and ended with 0\n"), result.stderr


def test_a_python_without_the_runtime_is_told(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho no module >&2\nexit 1\n")
    python.chmod(0o755)
    result = subprocess.run([sys.executable, SCRIPT, python], capture_output=True, text=True, check=False, timeout=120)

    assert result.returncode == 1
    assert "it did not start: no module" in result.stderr


def test_a_service_that_does_not_start_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\necho loading >&2\nexec sleep 100\n")
    program.chmod(0o755)
    monkeypatch.setattr(service_smoke, "_SECONDS", 1)
    with pytest.raises(RuntimeError, match="it did not start within 1 seconds: loading"):
        service_smoke.smoke(str(program))
