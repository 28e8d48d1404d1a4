"""The tree is the list of concepts: every folder of code is a room with a list of what others may use of it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = {
    "mnist_edge_runtime": ROOT / "runtime",
    "mnist_edge_trainer": ROOT / "trainer",
    "mnist_edge_exporters": ROOT / "exporters",
    "mnist_edge_emulators": ROOT / "emulators",
}
MODULES = {
    ".".join(file.relative_to(source).with_suffix("").parts).removesuffix(".__init__"): file
    for package, source in PACKAGES.items()
    for file in sorted((source / package).rglob("*.py"))
}
ROOMS = sorted(name for name, file in MODULES.items() if file.name == "__init__.py" and "." in name)


# Tested through the command, the process or the device that they are a part of, or types and exceptions alone.
NO_TEST_OF_THEIR_OWN = {
    "mnist_edge_runtime.commands.benchmark": "runtime/diagnostics/test_benchmark.py",
    "mnist_edge_runtime.commands.doctor": "runtime/diagnostics/test_doctor.py",
    "mnist_edge_exporters.converters.base": "exporters/converters/test_tflite.py",
    "mnist_edge_exporters.installer.errors": "exporters/installer/test_main.py",
    "mnist_edge_emulators.errors": "emulators/raspberry_pi/test_command.py",
}


def _room(module: str) -> str:
    """Return the innermost folder that a module lies in, or is."""
    return module if MODULES[module].name == "__init__.py" else module.rpartition(".")[0]


def _imports(file: Path, package: str) -> Iterator[str]:
    """Yield the modules of the product that a file imports, for types too."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            parts = package.split(".")[: len(package.split(".")) + 1 - node.level] if node.level else []
            base = ".".join([*parts, *([node.module] if node.module else [])])
            names = [f"{base}.{alias.name}" for alias in node.names]
            for name in {name if name in MODULES else base for name in names}:
                if name in MODULES:
                    yield name
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)


def _public(room: str) -> list[str]:
    for node in ast.parse(MODULES[room].read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and any(isinstance(at, ast.Name) and at.id == "__all__" for at in node.targets):
            listed: list[str] = ast.literal_eval(node.value)
            return listed
    return []


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_lists_modules_that_are_there(room: str) -> None:
    listed = _public(room)
    assert listed == sorted(listed)
    if room != "mnist_edge_runtime.models":  # a folder of files and the one function that names them
        assert [name for name in listed if f"{room}.{name}" not in MODULES] == []


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_has_a_page_that_names_all_its_modules(room: str) -> None:
    folder = MODULES[room].parent
    page = (folder / "README.md").read_text(encoding="utf-8")
    files = [file.name for file in folder.glob("*.py") if file.name not in ("__init__.py", "__main__.py")]
    folders = [file.parent.name for file in folder.glob("*/__init__.py")]
    assert [name for name in sorted(files + folders) if f"`{name}" not in page] == []
    assert len(page.splitlines()) <= 30


@pytest.mark.parametrize("module", MODULES)
def test_others_use_only_what_a_room_lists(module: str) -> None:
    """A module is used from outside of its room only if the room lists it; packages list theirs in their rooms."""
    unlisted = set()
    for used in _imports(MODULES[module], _room(module)):
        room = _room(used)
        if used == room or "." not in room or (_room(module) + ".").startswith(room + "."):
            continue
        if used.rpartition(".")[2] not in _public(room):
            unlisted.add(used)
    assert unlisted == set()


@pytest.mark.parametrize("package", PACKAGES)
def test_rooms_do_not_need_each_other_in_a_circle(package: str) -> None:
    """Folded onto the rooms of a package, and onto the modules beside them, no import leads back."""

    def folded(module: str) -> str:
        return ".".join(module.split(".")[:2])

    arrows: dict[str, set[str]] = {}
    for module, file in MODULES.items():
        if module.startswith(f"{package}."):
            used = {folded(name) for name in _imports(file, _room(module)) if name.startswith(f"{package}.")}
            arrows.setdefault(folded(module), set()).update(used - {folded(module)})
    done: set[str] = set()
    while free := {room for room in arrows if room not in done and arrows[room] <= done}:
        done |= free
    assert sorted(set(arrows) - done) == []


@pytest.mark.parametrize("module", [name for name, file in MODULES.items() if not file.name.startswith("__")])
def test_a_test_lies_where_its_module_lies(module: str) -> None:
    package, *rooms, name = module.removeprefix("mnist_edge_").split(".")
    mirrored = Path(package, *rooms, f"test_{name}.py")
    file = ROOT / "tests" / NO_TEST_OF_THEIR_OWN.get(module, mirrored)
    assert file.is_file()
    assert module not in NO_TEST_OF_THEIR_OWN or not (ROOT / "tests" / mirrored).exists()
