from __future__ import annotations

import io
import zipfile

import pytest
from mnist_edge_exporters.bundle import wheel_files
from mnist_edge_runtime import InputError

INFO = "digits-1.0.dist-info"
FILES = {
    "digits/__init__.py": b"",
    "digits/gpu.so": bytes(9000),
    f"{INFO}/METADATA": b"Metadata-Version: 2.1\nName: digits\nVersion: 1.0\nRequires-Dist: numpy\n",
    f"{INFO}/WHEEL": b"Wheel-Version: 1.0\n",
}


def _members(wheel: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_equal_files_give_equal_bytes_in_whatever_order() -> None:
    wheel = wheel_files.pack(FILES, INFO)
    assert wheel == wheel_files.pack(dict(reversed(FILES.items())), INFO)
    members = _members(wheel)
    record = members.pop(f"{INFO}/RECORD").decode().splitlines()
    assert members == FILES
    # The SHA-256 of nothing, in base64 for URLs.
    assert "digits/__init__.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0" in record
    assert record[-1] == f"{INFO}/RECORD,,"


def test_metadata_is_read() -> None:
    metadata = wheel_files.metadata(wheel_files.pack(FILES, INFO))
    assert (metadata["Name"], metadata.get_all("Requires-Dist")) == ("digits", ["numpy"])


def test_members_are_left_out_and_the_record_follows() -> None:
    wheel = wheel_files.pack(FILES, INFO)
    smaller, left_out = wheel_files.without(wheel, ["digits/gpu.so", "digits/other.so"])
    assert left_out == ("digits/gpu.so",)
    assert "digits/gpu.so" not in _members(smaller)
    assert b"gpu.so" not in _members(smaller)[f"{INFO}/RECORD"]
    assert wheel_files.without(wheel, ["digits/other.so"]) == (wheel, ())


def test_the_size_on_disk_is_in_whole_blocks() -> None:
    # 9,000 bytes take three blocks of 4,096; the other three files and RECORD one each, but for the empty one.
    assert wheel_files.installed_bytes(wheel_files.pack(FILES, INFO)) == (3 + 3) * 4096


def test_a_zip_that_is_no_wheel_is_refused() -> None:
    with pytest.raises(InputError, match="a wheel has 0 METADATA, expected one"):
        wheel_files.metadata(wheel_files.zipped([("digits.py", b"")]))
