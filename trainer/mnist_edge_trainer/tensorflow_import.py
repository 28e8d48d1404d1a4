"""Import TensorFlow and Keras without their messages, and without the settings of a person's other programs."""

from __future__ import annotations

import os
import platform

from mnist_edge_runtime.output_capture import suppress_output

__all__ = ["import_tensorflow"]

_X86 = ("x86_64", "AMD64")


def import_tensorflow() -> None:
    """Import TensorFlow and Keras as this product means them, whatever is set for other programs.

    A keras.json, or variables of Keras, would change the backend, the order of axes, the precision or the number of
    epochs. What is set here counts in child processes, too. Their output is for their developers, and no setting
    silences all of it.
    """
    for name in [name for name in os.environ if name.startswith("KERAS_") and name != "KERAS_HOME"]:
        del os.environ[name]
    os.environ |= {"KERAS_BACKEND": "tensorflow", "TF_USE_LEGACY_KERAS": "0", "TF_CPP_MIN_LOG_LEVEL": "3"}
    # Off by default on processors without VNNI or AMX, where oneDNN trains these networks up to twice as fast.
    if platform.machine() in _X86:
        os.environ["TF_ENABLE_ONEDNN_OPTS"] = "1"
    home = os.environ.get("KERAS_HOME")  # also where Keras keeps data sets, so it changes for the import alone
    os.environ["KERAS_HOME"] = os.devnull  # where no settings are
    try:
        with suppress_output():
            import keras  # noqa: F401
            import tensorflow  # noqa: F401
    finally:
        del os.environ["KERAS_HOME"]
        if home is not None:
            os.environ["KERAS_HOME"] = home
