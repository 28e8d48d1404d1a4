"""Make the files of a network for the web: the module, its types, the page, and how to use them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from mnist_edge_runtime.model_file.sealed_model import SealedModel
from mnist_edge_runtime.service import page

from ..c_source.project import golden_images, spoken
from ..integer.evaluate import evaluate
from ..integer.network import Network
from . import template
from .generate import module_source

__all__ = ["Project", "make"]


@dataclass(frozen=True)
class Project:
    """The files of a folder, by their names.

    Attributes:
        name: what they are called.
        files: text by name.
    """

    name: str
    files: Mapping[str, str]

    @property
    def module(self) -> str:
        """The text of the module."""
        return self.files[f"{self.name}.mjs"]


def make(sealed: SealedModel, network: Network, name: str, origin: Mapping[str, Any]) -> Project:
    """Return the files of a network.

    Args:
        sealed: the int8 TFLite file, with uint8 images and logits.
        network: its integer network.
        name: what the files are called.
        origin: "file", "sha256" and "version", the program's; "images" and "pictures", the numbers that the module is
            proven on.

    Raises:
        ModelError: an operator that JavaScript has no kernel for.
    """
    contract = sealed.contract
    document = json.loads(contract.to_json())
    document["web"] = {
        "name": name,
        "differing_logits": 0,
        **{key: origin[key] for key in ("file", "sha256", "images")},
    }
    chosen = golden_images(sealed)
    expected = np.asarray(evaluate(network, chosen[..., np.newaxis]), np.uint8)
    values = {**origin, "name": name, "labels": spoken(contract.labels), "classes": len(contract.labels)}
    module = module_source(network, contract, chosen, expected, document, **values)
    return Project(
        name,
        {
            f"{name}.mjs": module,
            f"{name}.d.mts": template.read("types.d.mts"),
            f"{name}.html": page.finished(module, is_served=False),
            "README.md": template.fill(
                "project_readme.md",
                compared=f"{origin['images'] * len(contract.labels):,}",
                kilobytes=f"{len(module) / 1000:.0f}",
                **values,
            ),
        },
    )
