"""The preprocessing in C on chips: the runtime's pixels, and the instructions that its README tells."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from mnist_edge_emulators.microcontroller import emulator, firmware
from mnist_edge_emulators.microcontroller.chips import CHIPS
from mnist_edge_exporters.c_source import template
from mnist_edge_runtime import models, to_mnist
from mnist_edge_runtime.model_file import sealed_model
from numpy.typing import NDArray

# A network whose logits are the pixels of the prepared image.
NETWORK = """
#include "network_prepare.c"
#include "network.h"
static const uint8_t picture[] = {%s};
static uint8_t work[%d];
void network_logits(const uint8_t *image, uint8_t *logits) {
    (void)image;
    network_prepare(picture, %d, %d, work, logits);
}
"""
HEADER = """
#include <stdint.h>
#define NETWORK_CLASSES 784
void network_logits(const uint8_t *image, uint8_t *logits);
int network_selftest(void);
"""
GOLDEN = '#include "network.h"\nint network_selftest(void) { return 0; }\n'
WORK = {(28, 28): 15_100, (96, 96): 27_748, (120, 160): 54_000}


def _scene(shape: tuple[int, int], image: NDArray[np.uint8], slope: float, noise: float) -> NDArray[np.uint8]:
    """Return a digit on paper, dark on light."""
    random, (height, width), side = np.random.default_rng(0), shape, int(min(shape) * 0.6)
    ink, places = np.zeros(shape), np.arange(side) * 28 // side
    top, left = (height - side) // 2, (width - side) // 3
    ink[top : top + side, left : left + side] = image[places][:, places] / 255
    page = 230 * (1 - slope * np.arange(width) / width) * (1 - 0.75 * ink) + random.normal(0, noise, shape)
    return np.clip(np.rint(page), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("chip", ["cortex-m4", "rv32imc"])
@pytest.mark.parametrize(("shape", "least", "most"), [((28, 28), 0.5, 1), ((96, 96), 13, 20), ((120, 160), 26, 53)])
def test_a_chip_prepares_as_the_runtime(
    chip: str, shape: tuple[int, int], least: float, most: float, tmp_path: Path
) -> None:
    images = sealed_model.read(models.bundled_models("litert")[0]).golden.images
    source = tmp_path / "src"
    source.mkdir()
    for end in ("h", "c"):
        text = template.fill(f"prepare.{end}", name="network", upper="NETWORK", version="0")
        (source / f"network_prepare.{end}").write_text(text)
    (source / "network.h").write_text(HEADER)
    (source / "network_golden.c").write_text(GOLDEN)
    for index, slope, noise in ((0, 0.0, 1.0), (3, 0.5, 3.0), (7, 0.5, 3.0)):
        picture = _scene(shape, images[index], slope, noise)
        numbers = ",".join(map(str, picture.ravel().tolist()))
        (source / "network.c").write_text(NETWORK % (numbers, WORK[shape], shape[1], shape[0]))
        program = firmware.compiled(firmware.read(tmp_path), CHIPS[chip], tmp_path)
        found = emulator.run(program, CHIPS[chip], images[:1], 784)
        np.testing.assert_array_equal(found.logits.reshape(28, 28), to_mnist(picture))
        assert least <= found.instructions / 1e6 <= most, "or README and header of the export tell another number"
        assert program.flash - picture.size < 20_000
