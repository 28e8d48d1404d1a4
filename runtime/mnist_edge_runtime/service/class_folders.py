"""Name the folders of pictures that are kept to train with: DIR/CLASS/NAME.png, as `train --also` takes them."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from ..class_names import DISCARDED, UNSURE, nearly
from ..errors import InputError
from ..files import rename_new

__all__ = ["class_folder", "move", "next_command", "there"]

_NEW = re.compile(r"[^\W_]+(?:[ _-][^\W_]+)*")  # words of letters and digits
_LONGEST = 40  # characters of a new class
_NO_FOLDER = re.compile(r"[/\\\0]|^\.")


def class_folder(name: str, labels: Sequence[str], others: Iterable[str] = ()) -> str:
    """Return the name of the folder for a class: a label of the model, one of `others`, or a new class.

    What differs from one that is there by capital letters alone is that one.

    Raises:
        InputError: it is no name for a class, or it is nearly that of another one, beside which a training refuses it,
            or the label cannot be the name of a folder.
    """
    if name in labels:
        if _NO_FOLDER.search(name) or name in (UNSURE, DISCARDED):
            raise InputError(f"the class {name!a} cannot be the name of a folder; train the network with another name")
        if other := nearly(name, others):
            raise InputError(f"the folder {other!a} has nearly the name of the class {name!a}; rename it to {name}")
        return name
    name = unicodedata.normalize("NFC", name)
    if len(name) > _LONGEST or not _NEW.fullmatch(name) or name.casefold() in (UNSURE, DISCARDED):
        raise InputError(
            f"{name[:_LONGEST]!a} is no name for a class; take one of {', '.join(labels[:10])}, or a new one of "
            f"letters and digits, {_LONGEST} at most"
        )
    known = (*labels, *others)
    same = [other for other in known if _folded(other) == _folded(name)]
    if same:
        return name if name in same else same[0]
    if other := nearly(name, known):
        raise InputError(f"{name!a} is nearly the same name as the class {other!a}; take that one, or another name")
    return name


def _folded(name: str) -> str:
    """Return a name without capital letters; of single letters, A and a are two classes."""
    name = unicodedata.normalize("NFC", name)
    return name.casefold() if len(name) > 1 else name


def there(folder: Path) -> list[str]:
    """Return the names of the class folders that are there, sorted."""
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries if entry.is_dir() and not entry.name.startswith(".")]
    return sorted(name for name in names if name not in (UNSURE, DISCARDED))


def move(path: Path, folder: Path) -> Path:
    """Move a picture into a folder, which is made if it is not there, and return where it lies now.

    It keeps its name, or gets a number behind it where something has that name; nothing is written over.

    Raises:
        OSError: it cannot be moved.
    """
    folder.mkdir(exist_ok=True)
    target, number = folder / path.name, 1
    while True:
        try:
            rename_new(path, target)
        except FileExistsError:
            target, number = folder / f"{path.stem}-{number}{path.suffix}", number + 1
        except OSError:
            with suppress(OSError):  # it is not empty
                folder.rmdir()  # an empty class could not be trained
            raise
        else:
            return target


def next_command(folder: Path) -> str:
    """Return the command that trains with the pictures."""
    import shlex

    return f"mnist-edge train --from small --also {shlex.quote(str(folder))}"
