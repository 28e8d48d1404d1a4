"""The script that tries the service of each Python that is supported, on this one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parent.parent / "scripts" / "service_smoke.py"


def test_the_service_of_this_python_is_tried() -> None:
    result = subprocess.run([sys.executable, SCRIPT], capture_output=True, text=True, check=False, timeout=120)

    assert (result.returncode, result.stdout) == (0, "the service started, read 1 and ended with 0\n"), result.stderr


def test_a_python_without_the_runtime_is_told(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho no module >&2\nexit 1\n")
    python.chmod(0o755)
    result = subprocess.run([sys.executable, SCRIPT, python], capture_output=True, text=True, check=False, timeout=120)

    assert result.returncode == 1
    assert "it did not start: no module" in result.stderr
