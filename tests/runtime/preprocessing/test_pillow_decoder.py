from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mnist_edge_runtime import InputError, load_picture, to_mnist
from numpy.typing import NDArray
from PIL import Image, MpoImagePlugin, features

INK = np.full((60, 40), 250, np.uint8)
INK[8:52, 17:24] = 20  # a 1 in ink on paper
STROKE = INK < 128


def _bytes(picture: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def _read(data: bytes, *, whole: bool = False) -> NDArray[np.uint8]:
    return load_picture(io.BytesIO(data), whole=whole)


def _shows_the_stroke(pixels: NDArray[np.uint8], *, within: int = 40) -> bool:
    inside, outside = pixels[STROKE].astype(int), pixels[~STROKE].astype(int)
    apart = np.median(outside) - np.median(inside)
    return bool(abs(apart) > 100 and abs(inside - np.median(inside)).mean() < within)


KINDS = {
    "PNG": {},
    "JPEG": {},
    "BMP": {},
    "GIF": {},
    "PPM": {},
    "TIFF": {"compression": "tiff_lzw"},
    "WEBP": {"lossless": True},
    "AVIF": {},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_every_format_is_read(kind: str, mode: str) -> None:
    if kind in ("WEBP", "AVIF") and not features.check(kind.lower()):
        with pytest.raises(InputError, match="save the picture as PNG"):
            _read(b"RIFF\x24\0\0\0WEBPVP8 " + bytes(20) if kind == "WEBP" else b"\0\0\0\x1cftypavif" + bytes(20))
        return
    picture = Image.fromarray(INK).convert(mode)
    picture = picture.convert("RGB") if kind == "AVIF" else picture
    assert _shows_the_stroke(_read(_bytes(picture, kind, **KINDS[kind])))


@pytest.mark.parametrize("kind", ["GIF", "TIFF", "WEBP", "PNG"])
def test_of_several_frames_the_first_is_read(kind: str) -> None:
    first, second = Image.fromarray(INK), Image.new("L", (40, 60), 128)
    options = {"lossless": True} if kind == "WEBP" else {}
    data = _bytes(first, kind, save_all=True, append_images=[second], **options)
    assert _shows_the_stroke(_read(data))


def test_a_phones_several_pictures_are_read_as_one() -> None:
    several = _bytes(Image.fromarray(INK), "MPO", save_all=True, append_images=[Image.new("L", (40, 60), 128)])
    np.testing.assert_array_equal(_read(several), _read(_bytes(Image.fromarray(INK), "JPEG")))


def test_a_phones_several_pictures_cost_no_more_than_one(monkeypatch: pytest.MonkeyPatch) -> None:
    page = Image.new("L", (2900, 2900), 200)
    several = _bytes(page, "MPO", save_all=True, append_images=[page])

    def prepare(*unused: Any) -> None:
        raise AssertionError("the pictures behind the first are prepared")

    monkeypatch.setattr(MpoImagePlugin.MpoImageFile, "__init__", prepare)
    monkeypatch.setattr(MpoImagePlugin.MpoImageFile, "adopt", prepare)
    assert _read(several).shape == (1450, 1450)


def test_a_progressive_jpeg_is_read_with_and_without_its_end() -> None:
    data = _bytes(Image.fromarray(INK), "JPEG", progressive=True)
    assert _shows_the_stroke(_read(data))
    np.testing.assert_array_equal(_read(data[:-2]), _read(data))


def test_white_and_black_of_one_bit() -> None:
    picture = Image.fromarray(~STROKE)
    np.testing.assert_array_equal(_read(_bytes(picture, "PPM")), np.where(STROKE, 0, 255))
    np.testing.assert_array_equal(_read(b"P1 3 1\n1 0 1\n"), [[0, 255, 0]])


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "GIF", "WEBP", "AVIF"])
def test_a_missing_end_costs_no_picture_and_a_missing_half_does(kind: str) -> None:
    if kind in ("WEBP", "AVIF") and not features.check(kind.lower()):
        pytest.skip(f"this Pillow has no {kind}")
    rows = np.repeat(np.repeat(INK, 8, axis=0), 8, axis=1)
    noise = np.random.default_rng(0).integers(0, 8, rows.shape, np.uint8)
    data = _bytes(Image.fromarray(rows - noise), kind)
    for cut in (1, 2, len(data) // 50):
        found = _read(data[:-cut])
        assert np.mean(abs(found.astype(int) - rows) < 40) > 0.9
    with pytest.raises(InputError, match="cut short"):
        _read(data[: len(data) // 2])


def test_a_large_lossless_webp_and_a_small_gif_without_their_ends_are_read() -> None:
    small = _bytes(Image.fromarray(INK), "GIF")
    for data, cuts in (
        (_bytes(Image.fromarray(INK), "WEBP", lossless=True), (1,)),
        (small, (1, 2, 3, 4)),
        (small.replace(b"GIF87a", b"GIF89a"), (4,)),
    ):
        for cut in cuts:
            assert np.mean(_read(data[:-cut]) != _read(data)) < 0.1


def test_a_tiff_without_the_end_of_its_list_of_tags_is_read() -> None:
    for options in ({"compression": "tiff_lzw"}, {"compression": "tiff_adobe_deflate"}):
        data = _bytes(Image.fromarray(INK), "TIFF", **options)
        np.testing.assert_array_equal(_read(data[:-2]), _read(data))


@pytest.mark.parametrize("kind", ["PNG", "GIF", "TIFF", "WEBP", "AVIF", "BMP"])
def test_no_message_shows_how_python_writes_a_file(kind: str) -> None:
    if kind in ("WEBP", "AVIF") and not features.check(kind.lower()):
        pytest.skip(f"this Pillow has no {kind}")
    data = _bytes(Image.fromarray(INK), kind)
    for length in (20, 26, len(data) // 2):
        with pytest.raises(InputError, match=r"cut short|at least 3 x 3") as caught:
            _read(data[:length])
        assert not {"<", ">", "0x"} & set(str(caught.value)), caught.value


def test_a_damaged_tiff_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    plain = _bytes(Image.fromarray(INK).convert("RGB"), "TIFF")
    samples = plain.index(b"\x15\x01\x03\x00\x01\x00\x00\x00")  # the tag of the samples per pixel
    code = (
        "import io; from mnist_edge_runtime import InputError; from mnist_edge_runtime import load_picture\n"
        f"try: load_picture(io.BytesIO({plain[: samples + 8] + bytes([200]) + plain[samples + 9 :]!r}))\n"
        "except InputError: print('refused')"
    )
    command = [sys.executable, "-c", code]  # pytest configures logging
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (found.stdout, found.stderr) == ("refused\n", "")
    data = bytearray(_bytes(Image.fromarray(INK), "TIFF", compression="jpeg"))
    place = data.index(b"\xff\xd8")
    for changed in (bytes(data[:place]) + b"rubbish" + bytes(data[place + 7 :]), bytes(data[: len(data) // 2])):
        with pytest.raises(InputError):
            _read(changed)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("exif", [b"Exif\0\0", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff", b"Exif\0\0II*\0" + b"\xff" * 40])
def test_broken_exif_costs_no_picture(exif: bytes) -> None:
    assert _shows_the_stroke(_read(_bytes(Image.fromarray(INK), "JPEG", exif=exif)))


def test_large_jpegs_are_decoded_at_a_fraction() -> None:
    large = _bytes(Image.new("L", (6000, 4500), 200), "JPEG")
    assert _read(large).shape == (2250, 3000)
    assert _read(large, whole=True).shape == (2250, 3000)
    with pytest.raises(InputError, match="megapixels"):
        _read(_bytes(Image.new("L", (6000, 4500), 200), "JPEG", progressive=True))
    with pytest.raises(InputError, match="megapixels"):
        _read(_bytes(Image.new("L", (6000, 4500), 200), "PNG"))


def _with_alpha(grey: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> bytes:
    return _bytes(Image.fromarray(np.stack([grey, grey, grey, alpha], axis=-1)), "PNG")


def test_white_ink_on_transparency_shows() -> None:
    assert _shows_the_stroke(_read(_with_alpha(np.full_like(INK, 255), np.where(STROKE, 255, 0).astype(np.uint8))))
    assert _shows_the_stroke(_read(_with_alpha(np.zeros_like(INK), np.where(STROKE, 255, 0).astype(np.uint8))))


@pytest.mark.parametrize("alpha", [0, 1, 128, 255])
def test_one_transparency_everywhere_says_nothing(alpha: int) -> None:
    np.testing.assert_array_equal(_read(_with_alpha(INK, np.full_like(INK, alpha))), INK)


def test_a_padding_byte_is_no_transparency() -> None:
    header = b"BM" + (54 + INK.size * 4).to_bytes(4, "little") + bytes(4) + (54).to_bytes(4, "little")
    header += (40).to_bytes(4, "little") + (40).to_bytes(4, "little") + (60).to_bytes(4, "little")
    header += b"\x01\0\x20\0" + bytes(24)
    pixels = np.zeros((60, 40, 4), np.uint8)
    pixels[..., :3] = INK[::-1, :, np.newaxis]
    np.testing.assert_array_equal(_read(header + pixels.tobytes()), INK)


@pytest.mark.parametrize("bits", [8, 10, 12, 16])
def test_depths_are_scaled_by_their_own_greatest_value(bits: int) -> None:
    values = np.where(STROKE, 0, 2**bits - 1).astype(np.uint16)
    found = _read(_bytes(Image.fromarray(values), "PNG"))
    np.testing.assert_array_equal(found, np.where(STROKE, 0, 255))


def test_ink_as_light_as_its_ground_shows_by_its_colour() -> None:
    red, green = (170, 40, 40), (20, 117, 40)  # both of luma 79
    picture = Image.fromarray(np.where(STROKE[..., np.newaxis], red, green).astype(np.uint8))
    assert np.ptp(np.asarray(picture.convert("L"))) < 16
    assert _shows_the_stroke(_read(_bytes(picture, "PNG")))


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"%PDF-1.7\n", "PDF"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'>", "SVG"),
        (b"PK\x03\x04" + bytes(30), "ZIP"),
        (b"<!doctype html><html>", "HTML"),
        (b"just words\n", "text"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git-lfs pointer"),
        (b"", "empty"),
    ],
)
def test_a_refusal_names_what_the_file_is(content: bytes, kind: str) -> None:
    with pytest.raises(InputError, match=f"not a picture that can be read: its content is .*{kind}"):
        _read(content)


def test_what_is_no_file_is_refused_immediately(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "folder.png").mkdir()
    for name in (tmp_path / "pipe.png", tmp_path / "folder.png", Path("/dev/zero"), Path("/dev/null")):
        with pytest.raises(InputError, match=r"no file|not a picture|device|empty"):
            load_picture(name)


STRIPS = """
import numpy as np
from mnist_edge_runtime import InputError, to_mnist

def peak():
    status = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))

random = np.random.default_rng(0)
for shape in ((30000, 3), (3, 30000), (3, 6000000), (6000000, 3), (20000000, 1), (1, 20000000), (4, 5000000)):
    for fill in (0, 1):
        picture = (random.random(shape, np.float32) > 0.5).astype(np.uint8) * 255 if fill else np.zeros(shape, np.uint8)
        before = peak()
        try:
            to_mnist(picture)
        except InputError:
            pass
        print((peak() - before) / 1024)
"""


def test_the_memory_of_a_strip_is_bounded_by_its_pixels() -> None:
    result = subprocess.run([sys.executable, "-c", STRIPS], capture_output=True, text=True, check=True, timeout=110)
    assert max(map(float, result.stdout.split())) < 200


def test_a_picture_is_a_digit_whatever_its_format() -> None:
    expected = to_mnist(INK)
    for kind in ("PNG", "BMP", "GIF", "TIFF"):
        np.testing.assert_array_equal(to_mnist(_read(_bytes(Image.fromarray(INK), kind))), expected)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_tiff_cut_short_is_turned_once_too(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    wide = np.repeat(np.repeat(INK, 8, axis=0), 8, axis=1)
    data = _bytes(Image.fromarray(wide), "TIFF", exif=exif)
    whole, cut = _read(data), _read(data[: -len(data) // 50])
    assert whole.shape == cut.shape == (wide.shape if orientation < 5 else wide.T.shape)
    assert np.mean(whole == cut) > 0.9
