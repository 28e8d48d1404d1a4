from __future__ import annotations

import subprocess
import sys


def test_tensorflow_is_imported_without_a_word() -> None:
    code = (
        "import sys; from mnist_edge_trainer.tensorflow_import import import_tensorflow; "
        "import_tensorflow(); assert 'tensorflow' in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert (done.stdout, done.stderr) == ("", "")
