from __future__ import annotations

import numpy as np
import pytest
from mnist_edge_trainer.data import datasets
from mnist_edge_trainer.data.datasets import Dataset
from mnist_edge_trainer.evaluation.corruptions import CORRUPTIONS, corrupt
from mnist_edge_trainer.runs.run import Run
from numpy.typing import NDArray
from scipy import ndimage
from scipy.stats import norm

DRAW_NOTHING = {"blur", "contrast", "inversion", "brightness", "pixelation", "thick-pen"}
LIGHT = {"gradient", "fog", "stripes", "glare"}
INK = {"strokes", "zigzag", "spatter", "thick-pen"}

Images = NDArray[np.uint8]


@pytest.fixture(scope="module")
def images(digits: Dataset) -> Images:
    return digits.test_images[:100]


def flat(grey: int, count: int = 50) -> Images:
    return np.full((count, 28, 28), grey, np.uint8)


def bar(count: int = 50) -> Images:
    """A horizontal bar of 16 x 4 pixels in the middle."""
    images = flat(0, count)
    images[:, 12:16, 6:22] = 255
    return images


def severity(name: str) -> float:
    return CORRUPTIONS[name].severity


@pytest.mark.parametrize("name", CORRUPTIONS)
class TestEveryRow:
    def test_the_seed_gives_the_bytes(self, name: str, images: Images) -> None:
        before = images.copy()
        found = corrupt(images, name, seed=3)
        assert (found.dtype, found.shape) == (np.uint8, images.shape)
        np.testing.assert_array_equal(found, corrupt(images, name, seed=3))
        assert np.array_equal(found, corrupt(images, name, seed=4)) == (name in DRAW_NOTHING)
        np.testing.assert_array_equal(images, before)

    def test_every_image_is_changed_and_none_is_wiped_out(self, name: str, images: Images) -> None:
        found = corrupt(images, name)
        assert (found != images).any(axis=(1, 2)).all()
        assert (np.ptp(found, axis=(1, 2)) > 20).all()

    def test_images_are_changed_each_in_its_own_way(self, name: str, images: Images) -> None:
        twins = corrupt(np.repeat(images[:1], 30, axis=0), name)
        assert (len(np.unique(twins, axis=0)) == 1) == (name in DRAW_NOTHING)


@pytest.mark.parametrize("name", sorted(LIGHT))
def test_light_reaches_its_severity_on_black_and_leaves_white(name: str) -> None:
    brightest = corrupt(flat(0), name).max(axis=(1, 2)) / 255
    np.testing.assert_allclose(brightest, severity(name), atol=0.02)
    np.testing.assert_array_equal(corrupt(flat(255), name), 255)


@pytest.mark.parametrize("name", sorted(INK))
def test_ink_is_added_and_never_taken(name: str, images: Images) -> None:
    found = corrupt(images, name)
    assert (found >= images).all()
    assert ((found > images).sum(axis=(1, 2)) > 15).all()


def test_shift_moves_every_image_by_the_severity() -> None:
    moved = np.array([ndimage.center_of_mass(image) for image in corrupt(bar(), "shift")]) - 13.5
    np.testing.assert_allclose(np.linalg.norm(moved, axis=1), severity("shift"), atol=0.1)
    assert (np.abs(moved.mean(axis=0)) < 1.5).all()


def test_rotation_turns_both_ways_about_the_middle() -> None:
    y, x = np.mgrid[:28, :28] - 13.5
    found = corrupt(bar(), "rotation") / 255
    covariance = (found * x * y).sum(axis=(1, 2)), (found * (x**2 - y**2)).sum(axis=(1, 2))
    angles = np.degrees(np.arctan2(2 * covariance[0], covariance[1]) / 2)
    np.testing.assert_allclose(np.abs(angles), severity("rotation"), atol=0.5)
    assert set(np.sign(angles)) == {-1, 1}
    assert np.abs((found * x).sum(axis=(1, 2))).max() < 0.5


def test_scale_changes_the_area_by_the_square() -> None:
    grown = (corrupt(bar(), "scale") / 255).sum(axis=(1, 2)) / 64
    larger = grown > 1
    np.testing.assert_allclose(grown[larger], severity("scale") ** 2, rtol=0.1)
    np.testing.assert_allclose(grown[~larger], severity("scale") ** -2, rtol=0.1)
    assert 0 < larger.sum() < len(grown)


def test_shear_slants_upright_lines_and_keeps_rows() -> None:
    upright = np.transpose(bar(), (0, 2, 1)).copy()
    found = corrupt(upright, "shear") / 255
    columns = (found * np.arange(28)).sum(axis=2)[:, 8:20] / found.sum(axis=2)[:, 8:20]
    slopes = np.polyfit(np.arange(12), columns.T, 1)[0]
    np.testing.assert_allclose(np.abs(slopes), severity("shear"), atol=0.02)
    assert set(np.sign(slopes)) == {-1, 1}


def test_noise_is_normal_with_its_deviation() -> None:
    """On mid grey, told by how much of it is cut at either end."""
    found = corrupt(flat(128), "noise")
    for share, distance in (((found == 0).mean(), 127.5), ((found == 255).mean(), 126.5)):
        assert share == pytest.approx(norm.sf(distance / 255 / severity("noise")), rel=0.05)


@pytest.mark.parametrize("name", ["blur", "motion"])
def test_a_blur_spreads_ink_without_losing_it(name: str) -> None:
    found = corrupt(bar(), name)
    np.testing.assert_allclose(found.sum(axis=(1, 2)) / 255, 64, rtol=0.03)
    assert found.max(axis=(1, 2)).mean() < 240
    assert ((found > 0).sum(axis=(1, 2)) > 100).all()


def test_contrast_shrinks_about_the_mean(images: Images) -> None:
    found = corrupt(images, "contrast").astype(float)
    np.testing.assert_allclose(found.mean(axis=(1, 2)), images.mean(axis=(1, 2)), atol=0.5)
    np.testing.assert_allclose(found.std(axis=(1, 2)), images.std(axis=(1, 2)) * severity("contrast"), atol=0.5)


def test_inversion_is_the_negative(images: Images) -> None:
    np.testing.assert_array_equal(corrupt(images, "inversion"), 255 - images)


def test_brightness_is_raised_and_ends_at_white(images: Images) -> None:
    np.testing.assert_allclose(
        corrupt(images, "brightness"), np.minimum(images + 255 * severity("brightness"), 255), atol=1
    )


def test_occlusion_covers_one_square_with_one_grey() -> None:
    found = corrupt(flat(7), "occlusion")
    for image in found:
        rows, columns = np.nonzero(image != 7)
        assert len(rows) == severity("occlusion") ** 2
        assert np.ptp(rows) == np.ptp(columns) == severity("occlusion") - 1
        assert len(np.unique(image)) == 2
    assert len(np.unique(found)) > 20


def test_elastic_leaves_flat_areas_and_moves_edges() -> None:
    found = corrupt(bar(), "elastic")
    assert (found[:, :3] < 60).mean() > 0.97
    assert ((found != bar()).sum(axis=(1, 2)) > 30).all()


def test_pixelation_keeps_means_of_blocks(images: Images) -> None:
    found = corrupt(images, "pixelation")
    assert max(len(np.unique(image)) for image in found) <= severity("pixelation") ** 2
    np.testing.assert_allclose(found.mean(axis=(1, 2)), images.mean(axis=(1, 2)), rtol=0.15)


def test_salt_and_pepper_in_equal_parts() -> None:
    found = corrupt(flat(128), "salt-and-pepper")
    assert (found == 0).mean() == pytest.approx(severity("salt-and-pepper") / 2, rel=0.05)
    assert (found == 255).mean() == pytest.approx(severity("salt-and-pepper") / 2, rel=0.05)
    assert set(np.unique(found)) == {0, 128, 255}


@pytest.mark.long
def test_the_classic_network_reads_65_to_85_percent(mnist_folder: object, run: Run) -> None:
    """What the severities were fixed by: the mean over the table, on validation images."""
    import keras

    model = keras.models.load_model(run.model_file)
    split = datasets.split(datasets.load("mnist"))
    images, labels = split.validation.images[:1000], split.validation.labels[:1000]

    def accuracy(images: Images) -> float:
        pixels = images[..., np.newaxis] / np.float32(255)
        return float((model.predict(pixels, verbose=0).argmax(axis=1) == labels).mean())

    assert 0.65 <= np.mean([accuracy(corrupt(images, name)) for name in CORRUPTIONS]) <= 0.85
