from __future__ import annotations

import io

import numpy as np
import pytest
from mnist_edge_runtime.preprocessing import completion
from mnist_edge_runtime.preprocessing.file_kinds import FileKind
from PIL import Image

WEBP, AVIF, GIF, PNG = (FileKind(name, name) for name in ("WEBP", "AVIF", "GIF", "PNG"))
BOX = (24).to_bytes(4, "big") + b"ftypavif" + bytes(12)


@pytest.mark.parametrize(
    ("data", "kind", "missing"),
    [
        (b"RIFF" + (20).to_bytes(4, "little") + b"WEBPVP8 " + bytes(12), WEBP, 0),
        (b"RIFF" + (20).to_bytes(4, "little") + b"WEBPVP8 " + bytes(5), WEBP, 7),
        (BOX, AVIF, 0),
        (BOX + (100).to_bytes(4, "big") + b"mdat" + bytes(90), AVIF, 2),
        (BOX + (1).to_bytes(4, "big") + b"mdat" + (100).to_bytes(8, "big") + bytes(80), AVIF, 4),
        (BOX + bytes(4) + b"mdat" + bytes(90), AVIF, 0),
        (b"\x89PNG", PNG, 0),
    ],
)
def test_the_size_that_a_file_states(data: bytes, kind: FileKind, missing: int) -> None:
    assert completion.missing_bytes(data, kind) == missing


def test_where_two_decodings_differ_nothing_is_known() -> None:
    one = np.zeros((20, 3), np.uint8)
    other = one.copy()
    other[19, 1:] = 7
    found = completion.agreed(Image.fromarray(one), Image.fromarray(other))
    np.testing.assert_array_equal(np.asarray(found)[18:], [[0, 0, 0], [0, 255, 255]])
    other[17:, 0] = 7
    with pytest.raises(OSError, match="15% of its rows are missing"):
        completion.agreed(Image.fromarray(one), Image.fromarray(other))


@pytest.mark.parametrize("version", [b"GIF87a", b"GIF89a"])
def test_a_gif_ends_with_what_is_there_of_its_last_block(version: bytes) -> None:
    buffer = io.BytesIO()
    Image.fromarray(np.arange(4000, dtype=np.uint8).reshape(50, 80)).save(buffer, "GIF", comment=b"a comment")
    whole = version + buffer.getvalue()[6:]
    for cut in range(1, 300):
        (data,) = completion.candidates(whole[:-cut], GIF)
        assert data.endswith(b"\0;")
        with Image.open(io.BytesIO(data)) as picture:
            assert picture.size == (80, 50)
    assert completion.candidates(whole, GIF) == [whole]
