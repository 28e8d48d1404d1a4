from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SETTINGS = """
import json, os, platform
from mnist_edge_trainer.tensorflow_import import import_tensorflow
import_tensorflow()
import keras
from tensorflow.python.framework import test_util
print(json.dumps({
    "backend": keras.backend.backend(), "order": keras.config.image_data_format(), "epsilon": keras.config.epsilon(),
    "dtype": keras.config.floatx(), "policy": keras.config.dtype_policy().name, "epochs": keras.config.max_epochs(),
    "home": os.environ.get("KERAS_HOME"), "onednn": test_util.IsMklEnabled() or platform.machine() != "x86_64",
}))
"""
OTHERS = {"floatx": "float16", "epsilon": 0.1, "backend": "jax", "image_data_format": "channels_first"}


def _python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
        env={**os.environ, **environment},
    )


@pytest.mark.long
def test_tensorflow_is_imported_without_a_word() -> None:
    code = (
        "import sys; from mnist_edge_trainer.tensorflow_import import import_tensorflow; "
        "import_tensorflow(); assert 'tensorflow' in sys.modules"
    )
    done = _python(code)
    assert (done.stdout, done.stderr) == ("", "")


@pytest.mark.long
@pytest.mark.parametrize(
    ("content", "environment"),
    [
        (json.dumps(OTHERS), {"KERAS_MAX_EPOCHS": "1", "KERAS_MAX_STEPS_PER_EPOCH": "1"}),
        (
            '{"floatx": "float8"}',
            {
                "KERAS_BACKEND": "torch",
                "TF_USE_LEGACY_KERAS": "1",
                "TF_CPP_MIN_LOG_LEVEL": "0",
                "TF_ENABLE_ONEDNN_OPTS": "0",
            },
        ),
    ],
    ids=["other settings", "invalid settings"],
)
def test_a_persons_settings_change_nothing(environment: dict[str, str], content: str, tmp_path: Path) -> None:
    settings = tmp_path / "keras.json"
    settings.write_text(content)
    done = _python(SETTINGS, KERAS_HOME=str(tmp_path), **environment)
    assert json.loads(done.stdout) == {
        "backend": "tensorflow",
        "order": "channels_last",
        "epsilon": 1e-7,
        "dtype": "float32",
        "policy": "float32",
        "epochs": None,
        "home": str(tmp_path),
        "onednn": True,
    }
    assert settings.read_text() == content
    assert list(tmp_path.iterdir()) == [settings]
