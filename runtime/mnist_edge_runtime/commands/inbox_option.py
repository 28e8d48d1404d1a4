"""The option of the commands that keep pictures to train with, and the inbox that it names."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ..classifier import Classifier
from ..command_line import tell
from ..errors import UsageError

if TYPE_CHECKING:
    from ..service.inbox import Inbox

__all__ = ["add_option", "opened"]


def add_option(parser: argparse._ActionsContainer, kept: str) -> None:
    """Add the option; `kept` says what is kept."""
    parser.add_argument("--inbox", metavar="DIR", help=f"Folder in which {kept}. (default: none are kept)")


def opened(arguments: argparse.Namespace, classifier: Classifier) -> Inbox | None:
    """Return the inbox of --inbox, which is told; None without it.

    Raises:
        UsageError: it is empty.
        InputError: something else lies there.
        OSError: it cannot be made or written to.
    """
    if arguments.inbox is None:
        return None
    if not arguments.inbox:
        raise UsageError("--inbox is empty; name a folder")
    from ..service.inbox import Inbox  # few need it, and its import takes time

    inbox = Inbox(Path(arguments.inbox), classifier.contract.labels)
    tell(inbox.described())
    return inbox
