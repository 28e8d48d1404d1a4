"""Import the modules that define the layers of a person's own, as `--import` names them."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from mnist_edge_runtime.errors import InputError, UsageError, reason
from mnist_edge_runtime.path_checks import check_file

__all__ = ["import_requested", "request", "requested"]

_requested: list[str] = []


def request(names: Sequence[str] | None) -> list[str]:
    """Note the modules that a command names, for when it loads a model; those of an earlier command are forgotten."""
    _requested[:] = names or ()
    return _requested


def requested() -> tuple[str, ...]:
    """Return what `request` noted."""
    return tuple(_requested)


def import_requested() -> None:
    """Import the modules and register with Keras the layers, models and functions that they define.

    Each is named as in an `import`, looked for in this folder as well, or is the path of a .py file.

    Raises:
        InputError: a module raises something while it is imported, or is no regular file.
        UsageError: there is no such module.
    """
    import keras

    for name in _requested:
        path = Path(name)
        if path.suffix == ".py":
            check_file(path)
        folder, module = (path.resolve().parent, path.stem) if path.suffix == ".py" else (Path.cwd(), name)
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
        try:
            found = vars(importlib.import_module(module))
        except ModuleNotFoundError as error:
            if error.name and f"{module}.".startswith(f"{error.name}."):
                raise UsageError(f"--import {name}: there is no such module in this folder, nor installed") from None
            raise InputError(f"--import {name}: it needs a module that is not installed: {error.name}") from None
        except Exception as error:  # it is code of any kind
            raise InputError(f"--import {name}: cannot be imported: {type(error).__name__}: {reason(error)}") from None
        own = {key: value for key, value in found.items() if getattr(value, "__module__", None) == module}
        keras.saving.get_custom_objects().update(own)
