from __future__ import annotations

import re
from collections.abc import Callable

from mnist_edge_exporters.integer.network import Network
from mnist_edge_exporters.javascript.project import Project

Make = Callable[..., tuple[Project, Network]]


def test_the_files_of_a_network(make: Make) -> None:
    made, _ = make()
    assert sorted(made.files) == ["README.md", "net.d.mts", "net.html", "net.mjs"]
    assert made.module == made.files["net.mjs"]
    assert [name for name, text in made.files.items() if re.search(r"@[a-z_0-9]+@", text)] == []


def test_every_export_has_a_type(make: Make) -> None:
    made, _ = make()
    exported = set(re.findall(r"^export (?:const|function) (\w+)", made.module, re.MULTILINE))
    exported |= set(re.findall(r"\w+", re.findall(r"^export \{(.*)\};$", made.module, re.MULTILINE)[0]))
    typed = set(re.findall(r"^export declare (?:const|function|class) (\w+)", made.files["net.d.mts"], re.MULTILINE))
    assert (
        exported
        == typed
        == {"BlankError", "classify", "contract", "golden", "layers", "logits", "prepare", "read", "selfTest"}
    )


def test_network_and_preprocessing_are_small(make: Make) -> None:
    """Of a network: all but its weights, its contract and its golden images."""
    made, _ = make()
    parts = re.sub(r"'[A-Za-z0-9+/=]{60,}'|(?<=contract = )\{.*", "", made.module)
    assert len(parts) < 24_000
