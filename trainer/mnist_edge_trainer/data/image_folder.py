"""Read a folder of pictures, CLASS/NAME.png, through the preprocessing that the device runs.

letters/            or   letters/
├── a/                   ├── train/a/ ...
│   ├── 1.png            ├── valid/a/ ...   (may be missing)
│   └── 2.jpg            └── test/a/ ...    (may be missing)
└── b/ ...

What a file is, its first bytes tell, whatever its name.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from mnist_edge_runtime.errors import InputError
from mnist_edge_runtime.model_file.contract import IMAGE_SHAPE
from mnist_edge_runtime.preprocessing import file_kinds, regular_files
from mnist_edge_runtime.preprocessing.image_io import load_picture
from mnist_edge_runtime.preprocessing.mnist import to_mnist

from ..progress import progress_bar
from .parts import TEST, TRAIN, VALIDATION, Part, Parts, listed, ordered, part_of

__all__ = ["class_folders", "part_folders", "read_classes", "read_parts", "visible"]

_SYSTEM_FOLDERS = ("__MACOSX", "@eaDir")  # that unpacking and file servers leave behind
_MAX_LISTED = 20  # bad pictures in a message
_MAX_TRIED = 1000  # files of a folder, the first of which must have a picture for it to count as a class
_STANDS_FOR_PICTURE = re.compile("JPEG|PNG|picture|git lfs")  # in the advice on a kind of file


@dataclass
class _Folder:
    """A class folder: its pictures, by kind the number of its other files, and the names of these."""

    pictures: list[Path] = field(default_factory=list)
    others: Counter[file_kinds.FileKind] = field(default_factory=Counter)
    names: list[str] = field(default_factory=list)


def visible(folder: Path) -> Iterator[Path]:
    """Yield what is in a folder, sorted by name; nothing hidden, and nothing that systems put there."""
    return (each for each in sorted(folder.iterdir()) if each.name[0] != "." and each.name not in _SYSTEM_FOLDERS)


def class_folders(folder: Path) -> list[str]:
    """Return the names of the folders in `folder` that have pictures, or files that are kept in place of pictures."""
    return [each.name for each in visible(folder) if each.is_dir() and _is_class(each)]


def part_folders(folder: Path) -> dict[str, list[Path]]:
    """Return the folders in `folder` whose names stand for a part of the data, and that have class folders."""
    found: dict[str, list[Path]] = {}
    for each in visible(folder):
        if each.is_dir() and (part := part_of(each.name)) and class_folders(each):
            found.setdefault(part, []).append(each)
    return found


def read_classes(folder: Path, leave_out: Sequence[str] = ()) -> Parts:
    """Read a folder with a folder of pictures for each class; their names, numbers in numerical order, are the labels.

    Args:
        folder: of the class folders.
        leave_out: the names of folders in it that are no classes.

    Raises:
        InputError: a picture cannot be read or is blank, or a class has none that can be read.
    """
    return _read({TRAIN: folder}, leave_out=leave_out)


def read_parts(folder: Path, folders: Mapping[str, list[Path]]) -> Parts:
    """Read the same of `part_folders`; without test pictures, those for validation test.

    Raises:
        InputError: as `read_classes`, or two folders stand for the same part, or there are other classes than in train.
    """
    for part, several in folders.items():
        if len(several) > 1:
            names = " and ".join(each.name for each in several)
            raise InputError(f"{folder}: {names} leave open which has the {part} pictures; name a folder that has one")
    chosen = {part: several[0] for part, several in folders.items()}
    notes = []
    for each in visible(folder):
        if each.is_dir() and each not in chosen.values() and any(visible(each)):
            reason = "it has no class folders" if part_of(each.name) else "it is neither train, valid nor test"
            notes.append(f"{each} is left out: {reason}")
    if TEST not in chosen and VALIDATION in chosen:
        chosen[TEST] = chosen.pop(VALIDATION)
        notes.append(f"{chosen[TEST]} has the test images, since there are no others")
    if TEST not in chosen:
        train = chosen[TRAIN]
        raise InputError(
            f"{folder / 'test'}: expected pictures of the classes in {train.name}, got none; to test on a seventh of "
            f"{train.name}, name {train} itself"
        )
    return _read(chosen, notes)


def _read(folders: Mapping[str, Path], notes: list[str] | None = None, leave_out: Sequence[str] = ()) -> Parts:
    scanned = {part: _scan(folder, leave_out) for part, folder in folders.items()}
    notes = [*(notes or []), *(note for part, found in scanned.items() for note in _left_out(folders[part], found))]
    classes = ordered([name for name, each in scanned[TRAIN].items() if each.pictures])
    for part, found in scanned.items():
        if unseen := [name for name, each in found.items() if each.pictures and name not in classes]:
            raise InputError(
                f"{folders[part]}: expected pictures of the classes in {folders[TRAIN].name}, got {listed(unseen, 5)}"
            )
    files = {
        part: [(file, number) for number, name in enumerate(classes) if name in found for file in found[name].pictures]
        for part, found in scanned.items()
    }
    bad: list[str] = []
    parts = {}
    with progress_bar("reading pictures", sum(map(len, files.values()))) as advance:
        for part, pairs in files.items():
            images = np.empty((len(pairs), *IMAGE_SHAPE), np.uint8)
            for place, (file, _) in enumerate(pairs):
                try:
                    images[place] = to_mnist(load_picture(file))
                except InputError as error:
                    bad.append(str(error.at(file)))
                advance(1)
            parts[part] = Part(images, np.array([number for _, number in pairs], np.int64))
    if bad:
        more = [f"and {len(bad) - _MAX_LISTED} more"] if len(bad) > _MAX_LISTED else []
        count = f"{len(bad)} of {sum(map(len, files.values())):,} pictures" if len(bad) > 1 else "a picture"
        raise InputError(f"{count} cannot be used; repair or remove:", *bad[:_MAX_LISTED], *more)
    return Parts(parts[TRAIN], parts.get(TEST), parts.get(VALIDATION), tuple(classes), tuple(notes))


def _scan(folder: Path, leave_out: Sequence[str] = ()) -> dict[str, _Folder]:
    """Look at each file of each class folder."""
    found = {}
    for each in visible(folder):
        if each.is_dir() and each.name not in leave_out and not _is_of_runs(each):
            one = found[each.name] = _Folder()
            for file in visible(each):
                kind = _kind(file)
                if kind is None or _is_meant_as_picture(file, kind):
                    one.pictures.append(file)
                else:
                    one.others[kind] += 1
                    one.names.append(file.name)
    return found


def _left_out(folder: Path, found: Mapping[str, _Folder]) -> list[str]:
    """Return a note for each class folder from which files are left out.

    Raises:
        InputError: it has no picture, so that the class would be lost.
    """
    notes, lost = [], []
    if loose := sum(1 for each in visible(folder) if (kind := _kind(each)) and kind.is_picture):
        notes.append(f"{folder}: left out {loose} picture{'s' * (loose > 1)} beside the class folders")
    for name, each in found.items():
        if not each.pictures:
            lost.append(f"{folder / name}: {_why_lost(folder / name, each)}")
        elif each.others:
            notes.append(f"{folder / name}: left out {_counted(each)}, no pictures that can be read")
    if lost:
        more = [f"and {len(lost) - _MAX_LISTED} more"] if len(lost) > _MAX_LISTED else []
        raise InputError(*(["classes would be lost:", *lost[:_MAX_LISTED], *more] if len(lost) > 1 else lost))
    return notes


def _why_lost(folder: Path, found: _Folder) -> str:
    """Say what lies in a class folder without pictures, and what to do."""
    if not found.others:
        hidden = sorted(each.name for each in folder.iterdir())
        if not hidden:
            return "is empty; remove it or fill it"
        return (
            f"has only what is not looked at ({listed(hidden, 3)}); give the pictures names that do not begin with a "
            "dot, or remove the folder"
        )
    advice = sorted({kind.advice for kind in found.others if _stands_for_picture(kind)})
    return (
        f"none of its files is a picture that can be read ({_counted(found)}); "
        f"{listed(advice, 3) or f'put pictures there, or move the folder elsewhere (it has {listed(found.names, 3)})'}"
    )


def _counted(found: _Folder) -> str:
    return listed([f"{count} {kind.name}" for kind, count in found.others.items()])


def _is_of_runs(folder: Path) -> bool:
    """Return whether it is the folder of all runs, which lies within the data where commands run there."""
    return (folder / "latest").is_file() or any(folder.glob(".*~training"))


def _is_class(folder: Path) -> bool:
    files = itertools.islice((each for each in visible(folder) if not each.is_dir()), _MAX_TRIED)
    kinds = ((file, _kind(file)) for file in files)
    return any(_is_meant_as_picture(file, kind) or (kind and _stands_for_picture(kind)) for file, kind in kinds)


def _kind(file: Path) -> file_kinds.FileKind | None:
    """Return what a file is, or None where it cannot be read."""
    try:
        return regular_files.kind_of_file(file)
    except OSError:
        return None


def _is_meant_as_picture(file: Path, kind: file_kinds.FileKind | None) -> bool:
    """Return whether a file is a picture, or an error: it cannot be read, or has the name of a picture alone."""
    if kind is None or kind.is_picture:
        return True
    return not _stands_for_picture(kind) and file.suffix.lower() in file_kinds.PICTURE_SUFFIXES and not file.is_dir()


def _stands_for_picture(kind: file_kinds.FileKind) -> bool:
    """Return whether a picture can be made of such a file, which is none that can be read."""
    return not kind.is_picture and bool(kind.decoder or _STANDS_FOR_PICTURE.search(kind.advice))
