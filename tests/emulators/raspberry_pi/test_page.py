from __future__ import annotations

import json
from pathlib import Path

from mnist_edge_emulators.raspberry_pi import page

DOCS = Path(__file__).parents[3] / "docs"


def test_the_page_is_that_of_the_committed_figures() -> None:
    document, chips = (json.loads((DOCS / name).read_text(encoding="utf-8")) for name in ("boards.json", "chips.json"))

    assert (DOCS / "boards.md").read_text(encoding="utf-8") == page.render(document, chips)
    assert all(row["passed"] for row in document["matrix"])
