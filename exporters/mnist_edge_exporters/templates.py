"""Fill the templates of a room: files in its folder `templates` in which @name@ stands for a value."""

from __future__ import annotations

import re
from importlib.resources import files

__all__ = ["Templates"]


class Templates:
    """The templates of the room of a package."""

    def __init__(self, package: str) -> None:
        self._folder = files(package).joinpath("templates")

    def read(self, file: str) -> str:
        """Return the text of a template; folders in its name are parted by slashes."""
        return self._folder.joinpath(*file.split("/")).read_text(encoding="utf-8")

    def fill(self, file: str, /, **values: object) -> str:
        """Return a template with each @key@ replaced; a key without a value raises KeyError."""
        return re.sub(r"@([a-z_0-9]+)@", lambda found: str(values[found[1]]), self.read(file))
