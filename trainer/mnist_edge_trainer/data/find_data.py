"""Find out in which form a file or folder has its data, and read it; whatever leaves a doubt is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from mnist_edge_runtime.errors import InputError
from mnist_edge_runtime.path_checks import check_file
from mnist_edge_runtime.preprocessing import regular_files

from . import csv_table, idx, image_arrays, image_folder, npz
from .idx import Arrays
from .parts import TEST, TRAIN, VALIDATION, Part, Parts, listed, part_of

__all__ = ["read"]

_Form = tuple[str, Callable[[], Parts]]  # what was found, and how to read it

_ADVICE = {
    ".npy": "it has one array; save images and labels together with numpy.savez",
    **dict.fromkeys(("IDX file of images", "IDX file of labels"), "name the folder that has all four IDX files"),
    "gzip": "name the folder that has it, or unpack it",
}
_MAX_FOLDERS = 100  # folders within the folder that are searched
_MAX_DEPTH = 2  # folders within the folder that are searched, as in MNIST/raw/
_EXPECTED = (
    "expected folders of pictures, one for each class, or train and test with such folders; the four IDX files; "
    "an .npz file; or CSV files with a label and 784 pixels a row"
)


def read(path: Path) -> tuple[Parts, Path]:
    """Read the data set at a path; return its parts, and the file or folder that had them.

    Raises:
        InputError: nothing there, nothing that is known, more than one data set, or one that cannot be read.
    """
    if path.is_dir():
        return _read_folder(path)
    check_file(path)
    try:
        kind = regular_files.kind_of_file(path)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file or folder; --data takes auto, mnist, digits or a path") from None
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None
    if kind.name == "ZIP" or path.suffix.lower() == ".npz":
        return npz.read(path, str(path)), path
    if path.name.lower().endswith(csv_table.SUFFIXES) or csv_table.columns(path) is not None:
        return _read_tables({None: path}), path
    advice = _ADVICE.get(kind.name, f"{kind.advice}; {_EXPECTED}" if kind.advice else _EXPECTED)
    raise InputError(f"{path}: is no data set but {kind.name}; {advice}")


def _read_folder(path: Path) -> tuple[Parts, Path]:
    folders = [path]
    for _ in range(1 + _MAX_DEPTH):
        found = [(folder, forms) for folder in folders if (forms := _forms(folder))]
        if len(found) > 1:
            raise InputError(
                f"{path}: has {len(found)} data sets: {listed([str(each) for each, _ in found])}; name one"
            )
        if found:
            folder, forms = found[0]
            if len(forms) > 1:
                names = " and ".join(name for name, _ in forms)
                raise InputError(
                    f"{folder}: leaves open what to read, {names}; move one of them elsewhere, or name a file"
                )
            return forms[0][1](), folder
        folders = [each for folder in folders for each in image_folder.visible(folder) if each.is_dir()]
        if len(folders) > _MAX_FOLDERS:
            break
    raise InputError(f"{path}: has no data set ({_there(path)}); {_EXPECTED}")


def _there(folder: Path) -> str:
    """Describe what is in a folder, for a refusal."""
    there = list(image_folder.visible(folder))
    parts = []
    for noun, names in (
        ("folder", [each.name for each in there if each.is_dir()]),
        ("file", [each.name for each in there if not each.is_dir()]),
    ):
        if names:
            parts.append(f"{len(names):,} {noun}{'s' * (len(names) > 1)} {listed(names, 5)}")
    if bare := image_folder.class_folders(folder):
        parts.append(f"pictures in {listed(bare, 3)} itself, but each class needs a folder of its own")
    return f"found: {'; '.join(parts)}" if parts else "it is empty"


def _forms(folder: Path) -> list[_Form]:
    """Return the forms in which a folder itself has data."""
    forms: list[_Form] = []
    parts = image_folder.part_folders(folder)
    classes = image_folder.class_folders(folder)
    if parts and TRAIN not in parts:
        names = listed([each.name for several in parts.values() for each in several])
        raise InputError(
            f"{folder}: has pictures in {names} and none in train; name the folder that is to be trained on"
        )
    if TRAIN in parts:
        forms.append((f"pictures in {parts[TRAIN][0].name}", lambda: image_folder.read_parts(folder, parts)))
        classes = [name for name in classes if part_of(name) is None]
    if len(classes) > 1 and any(part_of(name) is None for name in classes):
        forms.append((f"class folders {listed(classes, 3)}", lambda: image_folder.read_classes(folder)))
    files = [each for each in image_folder.visible(folder) if each.is_file()]
    if idx.holds_files(folder):
        forms.append(("IDX files", lambda: _of_arrays(idx.read(folder))))
    elif archive := _archive(files):
        forms.append((archive.name, lambda: npz.read(archive, str(archive))))
    tables = {each: csv_table.columns(each) for each in files if each.name.lower().endswith(csv_table.SUFFIXES)}
    good = {file: columns for file, columns in tables.items() if columns and not columns.problem}
    labelled = [file for file, columns in good.items() if columns.label is not None]
    bare = [file for file, columns in good.items() if columns.label is None]
    if not good and not forms:
        for file in [file for file, columns in tables.items() if columns]:
            csv_table.read(file)  # which says what is wrong with it
    if bare and not labelled and not forms:
        names = listed([file.name for file in bare], 3)
        raise InputError(f"{folder}: {names} has pixels and no labels; put the file with labels, train.csv, beside it")
    if labelled:
        forms.append((listed([file.name for file in labelled], 3), lambda: _read_tables(_by_part(labelled), bare)))
    return forms


def _archive(files: list[Path]) -> Path | None:
    """Return mnist.npz, or the only .npz file with images and labels.

    Raises:
        InputError: there are several.
    """
    archives = [file for file in files if file.suffix.lower() == ".npz"]
    if named := [file for file in archives if file.name == "mnist.npz"]:
        return named[0]
    known = [file for file in archives if npz.holds_images(file)] or archives
    if len(known) > 1:
        raise InputError(f"{known[0].parent}: has {listed([file.name for file in known], 5)}; name one of them")
    return known[0] if known else None


def _of_arrays(arrays: Arrays) -> Parts:
    return Parts(Part(arrays.train_images, arrays.train_labels), Part(arrays.test_images, arrays.test_labels))


def _by_part(tables: list[Path]) -> dict[str | None, Path]:
    """Return the tables by the part that their names stand for.

    Raises:
        InputError: two stand for the same part, or none for the training images.
    """
    found: dict[str | None, Path] = {}
    for table in tables:
        part = part_of(table.name.partition(".")[0])
        if part in found:
            raise InputError(f"{table.parent}: has {found[part].name} and {table.name}; name one of them")
        found[part] = table
    if len(found) > 1 and (None in found or TRAIN not in found):
        names = listed([table.name for table in found.values()])
        raise InputError(f"{tables[0].parent}: {names} leave open which has the training images; name it train.csv")
    return found


def _read_tables(tables: Mapping[str | None, Path], bare: list[Path] | None = None) -> Parts:
    """Read tables, the only one of which may have any name; `bare` ones have no labels."""
    where = str(next(iter(tables.values()))) if len(tables) == 1 else str(next(iter(tables.values())).parent)
    found = {part or TRAIN: csv_table.read(file) for part, file in tables.items()}
    if TRAIN not in found:
        raise InputError(f"{where}: has no training images; put train.csv beside it, or name the file alone")
    images = image_arrays.pixels({part: pair[0] for part, pair in found.items()}, where)
    parts = {part: Part(images[part], labels) for part, (_, labels) in found.items()}
    notes = [f"{file} is left out: it has pixels and no labels" for file in bare or ()]
    for file in tables.values():
        if (columns := csv_table.columns(file)) and columns.ignored:
            notes.append(f"{file}: left out the columns that are neither label nor pixel: {listed([*columns.ignored])}")
    return Parts(parts[TRAIN], parts.get(TEST), parts.get(VALIDATION), notes=tuple(notes))
