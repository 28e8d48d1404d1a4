from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from mnist_edge_runtime import Classifier, ModelError
from mnist_edge_runtime.engines import registry
from mnist_edge_runtime.model_file import protobuf, sealed_model

METADATA_PROPS = 14
DIGEST = 64


def _is_refused(file: Path, data: bytes) -> bool:
    """Load `data` as a classifier would be; a ModelError must come from the file's checks and from no engine."""
    file.write_bytes(data)
    try:
        Classifier.load(file)
    except ModelError as error:
        return type(error) is ModelError
    return False


def test_a_flipped_bit_anywhere_is_found(data: bytes, changed: Path, no_engine: None) -> None:
    random = np.random.default_rng(0)
    end, trailer = len(data), sealed_model.unseal(data).contract.payload.size
    places = {(int(place), int(random.integers(8))) for place in random.integers(0, end, 300)}
    places |= {(place, bit) for place in (0, 1, trailer - 1, trailer, end - DIGEST - 1) for bit in range(8)}
    places |= {(place, bit) for place in range(end - DIGEST, end) for bit in range(8)}

    undetected = []
    for place, bit in sorted(places):
        damaged = bytearray(data)
        damaged[place] ^= 1 << bit
        if not _is_refused(changed, bytes(damaged)):
            undetected.append((place, bit))

    assert undetected == []


def test_a_file_cut_anywhere_is_found(
    data: bytes, changed: Path, no_engine: None, sign: Callable[[bytes], bytes]
) -> None:
    random = np.random.default_rng(1)
    end, trailer = len(data), sealed_model.unseal(data).contract.payload.size
    lengths = {int(length) for length in random.integers(0, end, 60)}
    lengths |= {0, 1, DIGEST - 1, DIGEST, DIGEST + 1, trailer - 1, trailer, trailer + 1, end - 2, end - 1}
    lengths |= {end - DIGEST + change for change in (-19, -18, -1, 0, 1)}

    undetected = [length for length in sorted(lengths) if not _is_refused(changed, data[:length])]
    lengths.remove(end - DIGEST)  # to sign this one is to make the file whole again
    signed = [length for length in sorted(lengths) if not _is_refused(changed, sign(data[:length]))]

    assert (undetected, signed) == ([], [])


@pytest.mark.parametrize("excess", [b"\0", b"\n", b"0" * DIGEST, b"more than a few bytes"], ids=repr)
def test_bytes_beyond_the_end_are_found(
    data: bytes, changed: Path, no_engine: None, excess: bytes, sign: Callable[[bytes], bytes]
) -> None:
    assert _is_refused(changed, data + excess)
    assert _is_refused(changed, sign(data[:-DIGEST] + excess))
    assert _is_refused(changed, sign(data))


@pytest.mark.parametrize("size", [1, 8, 64, 4096])
def test_a_gap_between_payload_and_trailer_is_found(
    data: bytes, changed: Path, no_engine: None, size: int, sign: Callable[[bytes], bytes]
) -> None:
    start = sealed_model.unseal(data).contract.payload.size
    field = protobuf.metadata_entry(METADATA_PROPS, b"stranger", b"x" * size)
    for gap in (bytes(size), b"\xa5" * size, field):
        widened = data[:start] + gap + data[start:]

        assert _is_refused(changed, widened)
        assert _is_refused(changed, sign(widened[:-DIGEST]))


def test_a_payload_that_lost_bytes_is_found(
    data: bytes, changed: Path, no_engine: None, sign: Callable[[bytes], bytes]
) -> None:
    start = sealed_model.unseal(data).contract.payload.size
    for lost in (slice(0, 1), slice(start - 1, start), slice(1000, 1064)):
        shortened = data[: lost.start] + data[lost.stop :]

        assert _is_refused(changed, shortened)
        assert _is_refused(changed, sign(shortened[:-DIGEST]))


def test_whatever_an_attacker_changes_in_the_trailer_only_model_errors_come_of_it(
    data: bytes, sign: Callable[[bytes], bytes]
) -> None:
    random = np.random.default_rng(2)
    body, start = data[:-DIGEST], sealed_model.unseal(data).contract.payload.size
    places = {int(place) for place in random.integers(start, len(body), 300)} | set(range(len(body) - 150, len(body)))

    others = []
    for place in sorted(places):
        damaged = bytearray(body)
        damaged[place] ^= 1 << int(random.integers(8))
        try:
            sealed_model.unseal(sign(bytes(damaged))).golden  # noqa: B018
        except ModelError:
            pass
        except Exception as error:
            others.append((place, repr(error)))

    assert others == []


def test_engines_of_a_damaged_file_are_not_even_imported(
    data: bytes, changed: Path, device: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    changed.write_bytes(data[:100] + bytes([data[100] ^ 1]) + data[101:])
    result = device("selftest", changed, env={**os.environ, "PYTHONPROFILEIMPORTTIME": "1"})

    assert result.returncode == 4
    assert "mnist_edge_runtime.model_file.sealed_model" in result.stderr  # imports are listed
    assert not any(row.library.partition(".")[0] in result.stderr for row in registry.ENGINES.values())


@pytest.mark.parametrize("content", [b"", b"\n", b"an essay " * 100, bytes(1000)], ids=["empty", "line", "text", "0"])
def test_any_other_file_is_refused(tmp_path: Path, content: bytes, no_engine: None) -> None:
    assert _is_refused(tmp_path / "other.tflite", content)


def test_a_file_that_is_cut_short_is_told_so_wherever_it_was_cut(data: bytes) -> None:
    sealed = sealed_model.unseal(data)
    payload = sealed.contract.payload.size
    mark = data.find(b"contract", payload) + 20  # from the padding of the payload up to it, nothing tells our trailer
    lengths = {
        *range(40, payload - 16, 997),
        payload - 16,
        *range(mark, len(data), 997),
        len(data) - DIGEST,
        len(data) - 1,
    }
    told = {}
    for length in lengths:
        with pytest.raises(ModelError) as caught:
            sealed_model.unseal(data[:length])
        told[length] = str(caught.value)

    assert [length for length, said in told.items() if "cut short" not in said or "sha256sum" not in said] == []
    assert "bytes are missing, its last 1;" in told[len(data) - 1]
    assert "its model goes on behind the last byte" in told[payload - 16]


def test_what_is_whole_is_not_called_cut_short(data: bytes) -> None:
    sealed = sealed_model.unseal(data)
    for other, said in (
        (b"", "is empty"),
        (sealed.payload, "carries no contract"),
        (sealed.payload + b"\0" * 30, "carries no contract"),
        (bytes(range(256)) * 40, "carries no contract"),
        (data + b"\n", "has bytes beyond its end"),
    ):
        with pytest.raises(ModelError, match=said) as caught:
            sealed_model.unseal(other)
        assert "cut short" not in str(caught.value)
