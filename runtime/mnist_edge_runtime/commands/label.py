"""`mnist-edge-runtime label`: sort pictures that nobody has labelled, on a page in the browser of this machine."""

from __future__ import annotations

import argparse
import os
import sys
import threading
from pathlib import Path

from ..command_line import tell
from .common import load

__all__ = ["add_command"]

_LOOK_SECONDS = 0.1  # between two looks whether it is to end


def add_command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], model: str, *parents: argparse.ArgumentParser
) -> None:
    """Add the command to the parser; `model` is the help of --model."""
    parser = commands.add_parser(
        "label",
        parents=parents,
        help="Sort the pictures in DIR/unsure by class, on a page in the browser.",
        description="Sort the pictures in DIR/unsure, which serve --inbox keeps: on a page in the browser of this "
        "machine each is moved into the folder of its class, with one key, as train --also takes them. Ctrl-C ends it.",
    )
    parser.add_argument("folder", metavar="DIR", help="Folder whose pictures in DIR/unsure are to be sorted.")
    parser.add_argument("--model", help=f"{model} It suggests classes.")
    parser.add_argument("--no-open", action="store_true", help="Print the address of the page, and open no browser.")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> None:
    from ..service import label_server, token
    from ..service.labelling import Labelling, locked
    from ..service.stopping import until_stopped

    folder = Path(arguments.folder)
    Labelling(folder, ())  # what is wrong with the folder, before a model is loaded
    with locked(folder), load(arguments, accept_all=True) as classifier:
        labelling = Labelling(folder, classifier.contract.labels)
        with label_server.LabelServer(labelling, classifier, token.generate()) as server, until_stopped() as is_stopped:
            thread = threading.Thread(target=server.serve_forever, daemon=True)
            thread.start()
            left = len(labelling.state()["left"])
            tell(f"{left} picture{'s' * (left != 1)} to sort: {server.url} (Ctrl-C ends it)")
            if not arguments.no_open:
                _open(server.url)
            while not (is_stopped() or server.ended.wait(_LOOK_SECONDS)):
                pass
            server.shutdown()
            thread.join()
        state = labelling.state()
    tell(f"{folder}: {state['sorted']} sorted, {len(state['left'])} left")
    if state["sorted"] and not state["left"]:
        print(state["next"])


def _open(url: str) -> None:
    """Open the page, where there is a screen: a browser of a terminal would take this one."""
    import webbrowser

    if sys.platform in ("win32", "darwin") or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        webbrowser.open(url)
