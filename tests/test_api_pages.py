"""The pages of the Python interfaces, made from the docstrings: nothing public is missing, all is explained."""

from __future__ import annotations

import importlib
import inspect
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import mnist_edge_runtime
import pytest
from mnist_edge_runtime import errors

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGES = ("api", "api-workstation")


def _modules(page: str) -> list[str]:
    return re.findall(r"^\.\. automodule:: (\S+)$", (DOCS / f"{page}.md").read_text(encoding="utf-8"), re.MULTILINE)


MODULES = [module for page in PAGES for module in _modules(page)]


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the pages as text, as the site's own settings render them."""
    pytest.importorskip("sphinx", reason="sphinx is not installed")
    folder = tmp_path_factory.mktemp("pages")
    for page in PAGES:
        shutil.copy(DOCS / f"{page}.md", folder)
    options = ("-b", "text", "-c", DOCS, "-D", "root_doc=api", "-D", "nitpicky=0", "-q")
    subprocess.run([sys.executable, "-m", "sphinx", *options, folder, folder / "out"], check=True, capture_output=True)
    return "".join((folder / "out" / f"{page}.txt").read_text(encoding="utf-8") for page in PAGES)


def _public(module: str) -> dict[str, Any]:
    """Return the names that a module lists, but for constants, and the methods of its classes as CLASS.NAME."""
    loaded = importlib.import_module(module)
    found = {name: getattr(loaded, name) for name in loaded.__all__}
    found = {name: value for name, value in found.items() if inspect.isclass(value) or inspect.isfunction(value)}
    for name, value in list(found.items()):
        members = vars(value) if inspect.isclass(value) else {}
        found |= {f"{name}.{member}": each for member, each in members.items() if _is_method(member, each)}
    return found


def _is_method(name: str, value: Any) -> bool:
    return not name.startswith("_") and (inspect.isfunction(value) or isinstance(value, (property, classmethod)))


def test_the_runtime_is_among_them_with_its_public_list() -> None:
    assert mnist_edge_runtime.__name__ in MODULES
    assert set(mnist_edge_runtime.__all__) == {
        "__version__",
        *(n for n in _public("mnist_edge_runtime") if "." not in n),
    }


@pytest.mark.parametrize("module", MODULES)
def test_every_public_name_has_a_docstring_and_stands_on_the_page(module: str, rendered: str) -> None:
    public = _public(module)
    assert [name for name, value in public.items() if not inspect.getdoc(value)] == []
    names = {name.rpartition(".")[2] for name in public}
    assert [name for name in names if not re.search(rf"^ *(?:[a-z]+ )*{name}\b", rendered, re.MULTILINE)] == []


def test_the_exit_codes_are_those_of_the_errors() -> None:
    rows = re.findall(r"^\| (\d) \| `(\w+)` \|", (DOCS / "api.md").read_text(encoding="utf-8"), re.MULTILINE)
    kinds = [
        each for each in vars(errors).values() if inspect.isclass(each) and issubclass(each, errors.MnistEdgeError)
    ]
    assert sorted(rows) == sorted((str(each.exit_code), each.__name__) for each in kinds if each.exit_code != 1)
