"""Build the contract of a file: a draft before it is proven, and the final one with the figures of the proof."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, replace
from importlib.metadata import version
from typing import Any

from mnist_edge_runtime.model_file.contract import PREPROCESSINGS, Contract, Payload, SelfTest
from mnist_edge_runtime.model_file.golden import Golden

from .. import keras_model
from ..converters.base import ConvertedModel
from ..converters.registry import distributions
from ..parity.prove import Proof
from ..source import Source
from ..spec import ExportSpec
from . import golden_vectors
from .rejection import RejectionThreshold

__all__ = ["draft", "proven"]


def draft(
    source: Source,
    spec: ExportSpec,
    converted: ConvertedModel,
    calibration: Mapping[str, Any],
    rejection: RejectionThreshold,
) -> Contract:
    """Return the contract without the entries that the proof adds.

    Args:
        source: the model and its data.
        spec: the file.
        converted: the output of its converter.
        calibration: the provenance record of the calibration set, which only calibrated variants carry.
        rejection: when an answer is rejected.
    """
    return Contract(
        format=str(spec.format),
        quantization=str(spec.quantization),
        labels=source.labels,
        input=replace(converted.input, preprocessing=PREPROCESSINGS[-1]),
        output=replace(converted.output, **asdict(rejection)),
        payload=Payload(len(converted.payload), hashlib.sha256(converted.payload).hexdigest()),
        selftest=SelfTest(
            unit="absolute" if converted.output.dtype == "float32" else "lsb", logits={}, probability=0.0
        ),
        origin={
            **source.origin,
            "parameters": source.own_network.count_params(),
            "weights_sha256": keras_model.weights_sha256(source.own_network),
            "calibration": dict(calibration) if spec.info.is_calibrated else None,
            "versions": {name: version(name) for name in distributions(spec)},
        },
    )


def proven(contract: Contract, proof: Proof, golden: Golden) -> Contract:
    """Return the draft with the figures and the verdict; the changed predictions are in the report beside the file."""
    assert proof.report
    figures = proof.report.to_dict()
    del figures["failures"], figures["changed_predictions"]
    contract = replace(contract, parity=figures, runtimes=proof.runtimes)
    return replace(contract, selftest=golden_vectors.tolerances(contract, golden))
