"""Write one section of a Markdown page, and leave the others as they are."""

from __future__ import annotations

from pathlib import Path

__all__ = ["write_section"]


def write_section(page: Path, title: str, text: str) -> None:
    """Put `text` under the heading `## title` of the page, in place of what is there, else at its end."""
    before, *sections = (page.read_text(encoding="utf-8") if page.exists() else "").split("\n## ")
    titles = [section.partition("\n")[0] for section in sections]
    section = f"{title}\n\n{text.strip()}\n"
    if title in titles:
        sections[titles.index(title)] = section
    else:
        sections.append(section)
    parts = [before.strip(), *(f"## {section.strip()}" for section in sections)]
    page.write_text("\n\n".join(part for part in parts if part) + "\n", encoding="utf-8")
