from __future__ import annotations

import importlib.util
from pathlib import Path

FILE = Path(__file__).parents[2] / "benchmarks" / "page_sections.py"
_SPEC = importlib.util.spec_from_file_location("page_sections", FILE)
assert _SPEC
assert _SPEC.loader
page_sections = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(page_sections)


def test_a_section_is_replaced_and_the_others_stay(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Page\n\nIntroduction.\n\n## One\n\nold\n\n### Part\n\nold\n\n## Two\n\ntwo\n")

    page_sections.write_section(page, "One", "new\n")
    page_sections.write_section(page, "Three", "three")

    assert page.read_text() == "# Page\n\nIntroduction.\n\n## One\n\nnew\n\n## Two\n\ntwo\n\n## Three\n\nthree\n"


def test_a_page_that_is_not_there_is_begun(tmp_path: Path) -> None:
    page_sections.write_section(tmp_path / "page.md", "One", "text")

    assert (tmp_path / "page.md").read_text() == "## One\n\ntext\n"


def test_the_top_of_a_page_brings_its_own_sections_and_leaves_the_others(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Page\n\nold\n\n## One\n\nold\n\n## Two\n\ntwo\n")

    page_sections.write_top(page, "# Page\n\nnew\n\n## One\n\nnew\n")

    assert page.read_text() == "# Page\n\nnew\n\n## One\n\nnew\n\n## Two\n\ntwo\n"
