from __future__ import annotations

import numpy as np
import pytest
from mnist_edge_exporters.analysis import halves
from mnist_edge_exporters.converters import tflite
from mnist_edge_exporters.converters.calibration import Calibration
from mnist_edge_exporters.export import contract_builder
from mnist_edge_exporters.source import Source
from mnist_edge_exporters.spec import ExportSpec, Format, Quantization
from mnist_edge_runtime.model_file.sealed_model import SealedModel

INT8 = ExportSpec(Format.TFLITE, Quantization.INT8)


def test_each_half_makes_a_file_that_reads_the_validation_images(own_source: Source, drawn: Calibration) -> None:
    seen: list[Calibration] = []

    def convert(half: Calibration) -> SealedModel:
        seen.append(half)
        return contract_builder.unproven(own_source, INT8, tflite.convert(own_source.model, INT8, half))

    figures = halves.compare(convert, drawn, own_source.validation)
    assert [len(half.images) for half in seen] == figures["samples"] == [250, 250]
    assert figures["images"] == len(own_source.validation[0])
    low, high = sorted(figures["accuracy"])
    assert figures["difference"] == pytest.approx(high - low)
    pixels = own_source.validation[0][..., np.newaxis] / np.float32(255)
    accuracy = (own_source.model.predict(pixels, verbose=0).argmax(axis=1) == own_source.validation[1]).mean()
    assert abs(low - accuracy) < 0.03


def test_halves_of_very_different_images_differ(own_source: Source, drawn: Calibration) -> None:
    """Were one half ten times as dark, the ranges learnt from it would be too narrow for the other's images."""
    turn = iter((1, 20))

    def convert(half: Calibration) -> SealedModel:
        dimmed = Calibration(half.images // next(turn), half.labels, {})
        return contract_builder.unproven(own_source, INT8, tflite.convert(own_source.model, INT8, dimmed))

    assert halves.compare(convert, drawn, own_source.validation)["difference"] > 0.2
