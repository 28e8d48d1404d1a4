"""Write sections of a Markdown page, and leave the others as they are."""

from __future__ import annotations

from pathlib import Path

__all__ = ["write_section", "write_top"]


def write_section(page: Path, title: str, text: str) -> None:
    """Put `text` under the heading `## title` of the page, in place of what is there, else at its end."""
    top, sections = _parts(page)
    sections[title] = text
    _write(page, top, sections)


def write_top(page: Path, text: str) -> None:
    """Put `text` at the top of the page: its beginning, and sections that stand in place of those of their titles."""
    _, sections = _parts(page)
    top, new = _split(text)
    _write(page, top, {**new, **{title: text for title, text in sections.items() if title not in new}})


def _parts(page: Path) -> tuple[str, dict[str, str]]:
    return _split(page.read_text(encoding="utf-8") if page.exists() else "")


def _split(text: str) -> tuple[str, dict[str, str]]:
    """Return what stands before the first section, and the text of each section by its title."""
    before, *sections = text.split("\n## ")
    return before, {title: body for title, _, body in (section.partition("\n") for section in sections)}


def _write(page: Path, top: str, sections: dict[str, str]) -> None:
    parts = [top.strip(), *(f"## {title}\n\n{text.strip()}" for title, text in sections.items())]
    page.write_text("\n\n".join(part for part in parts if part) + "\n", encoding="utf-8")
