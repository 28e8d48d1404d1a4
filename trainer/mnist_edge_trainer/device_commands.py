"""Forward the commands of the device to its own command line; with no model named, on the newest int8 export."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import typer

__all__ = ["HELP", "SETTINGS", "forward"]

# The device's own commands, options and output: only the model may be left out here.
HELP: Mapping[str, str] = {
    "classify": "Classify pictures of one digit each, by default with the newest int8 export.",
    "watch": "Classify the pictures that come into a folder, by default with the newest int8 export.",
    "read": "Read the lines of handwritten digits on a picture, by default with the newest int8 export.",
    "serve": "Answer pictures over HTTP, and show the page, by default with the newest int8 export.",
    "label": "Sort the pictures in DIR/unsure by class, on a page; the newest int8 export suggests.",
    "inspect": "Show the contract of a model file, by default of the newest int8 export.",
    "selftest": "Run a model file's self-test on this machine, by default the newest int8 export's.",
    "doctor": "Check which engines work on this machine, and say how to fix the others.",
    "benchmark": "Measure the speed of model files on this machine, by default of the newest int8 export.",
}
# Of typer's context: whatever comes after the name is for the device's parser, --help too.
SETTINGS: Mapping[str, bool] = {
    "allow_extra_args": True,
    "ignore_unknown_options": True,
    "allow_interspersed_args": False,
}


def forward(context: typer.Context) -> None:
    """Run the command of the context's name with its arguments, and exit with its code."""
    from mnist_edge_runtime.__main__ import main

    from .runs.exports import int8_options, newest_int8

    name = str(context.info_name)
    options: dict[str, Any] = {}
    if name != "doctor":  # which needs no model
        newest = partial(newest_int8, or_none=name == "label")  # there may be pictures before any export
        options = {"default_model": newest, "default": "the newest int8 export", "options": int8_options()}
    debug = ["--debug"] if context.obj.debug else []
    raise typer.Exit(main([*debug, name, *context.args], program="mnist-edge", **options))
