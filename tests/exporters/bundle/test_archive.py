"""The bundle's file: the same bytes for the same members, and nothing else is taken for a bundle."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from mnist_edge_exporters.bundle import archive
from mnist_edge_exporters.bundle.archive import check_bundle
from mnist_edge_exporters.bundle.manifest import BundleManifest, Package
from mnist_edge_runtime import InputError, ModelError

MODEL = b"a model" * 1000
WHEEL = b"a wheel" * 5000


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


MANIFEST = BundleManifest(
    target="bookworm-arm64",
    python="3.11",
    multiarch="aarch64-linux-gnu",
    glibc="2.36",
    engine="litert",
    runtime="0.1.0",
    model="digits.tflite",
    model_sha256=_sha256(MODEL),
    installed_bytes=12345,
    packages=(Package("numpy", "2.0", "wheels/numpy-2.0.whl", _sha256(WHEEL), "pypi", "0" * 64, ("a.so",)),),
)


def _members() -> dict[str, bytes]:
    return {
        "model/digits.tflite": MODEL,
        "wheels/numpy-2.0.whl": WHEEL,
        archive.MANIFEST: MANIFEST.to_json().encode(),
        archive.SBOM: b"{}",
        **dict.fromkeys(archive.scripts(), b"exit 0\n"),
    }


def _tar(path: Path, entries: list[tuple[tarfile.TarInfo, bytes]], format: int = tarfile.USTAR_FORMAT) -> Path:
    """Write an archive of any entries, packed as bundles are."""
    with (
        path.open("wb") as file,
        gzip.GzipFile("", "wb", 6, file, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=format) as written,
    ):
        for info, data in entries:
            written.addfile(info, io.BytesIO(data))
    return path


def _entry(name: str, data: bytes, **attributes: object) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(data), 0o644
    for attribute, value in attributes.items():
        setattr(info, attribute, value)
    return info, data


def _entries(**changes: bytes) -> list[tuple[tarfile.TarInfo, bytes]]:
    """Return the entries of a good bundle."""
    members = _members()
    named = [(archive.SUMS, archive.sha256_sums(members)), *sorted(members.items())]
    return [_entry(f"mnist-edge/{name}", changes.get(name, data)) for name, data in named]


@pytest.fixture
def good(tmp_path: Path) -> Path:
    archive.write(_members(), tmp_path / "good.tar.gz")
    return tmp_path / "good.tar.gz"


def test_a_good_bundle_is_read_back(good: Path, tmp_path: Path) -> None:
    assert check_bundle(good) == MANIFEST
    assert sorted(path.name for path in tmp_path.iterdir()) == ["good.tar.gz"]
    with tarfile.open(good) as written:
        assert {name.split("/")[0] for name in written.getnames()} == {"mnist-edge"}
        assert written.getnames()[0] == "mnist-edge/SHA256SUMS"


def test_members_of_every_length_are_read_back(tmp_path: Path) -> None:
    """An archive ends with two empty blocks and is filled up to records of twenty: each remainder occurs."""
    for blocks in range(tarfile.RECORDSIZE // tarfile.BLOCKSIZE):
        members = {**_members(), archive.SBOM: bytes(blocks * tarfile.BLOCKSIZE)}
        archive.write(members, tmp_path / "bundle.tar.gz")
        assert check_bundle(tmp_path / "bundle.tar.gz") == MANIFEST


def test_the_same_members_give_the_same_bytes(good: Path, tmp_path: Path) -> None:
    again = tmp_path / "of_another_name.tar.gz"
    archive.write(dict(reversed(_members().items())), again)
    assert again.read_bytes() == good.read_bytes()
    assert _tar(tmp_path / "by_hand.tar.gz", _entries()).read_bytes() == good.read_bytes()


def test_every_altered_byte_is_found(good: Path, tmp_path: Path) -> None:
    data = good.read_bytes()
    altered = tmp_path / "altered.tar.gz"
    for place in [*range(40), *range(40, len(data), len(data) // 60), *range(len(data) - 40, len(data))]:
        altered.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        try:
            check_bundle(altered)
        except ModelError:
            continue
        # Deflate has more than one way to write some bytes: then it is the same archive. Header and trailer have one.
        assert 10 <= place < len(data) - 8
        assert gzip.decompress(altered.read_bytes()) == gzip.decompress(data)


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data[:-1],
        lambda data: data[: len(data) // 2],
        lambda data: data[:5],
        lambda data: b"",
        lambda data: data + b"\0",
    ],
    ids=["cut at the end", "cut in the middle", "a stump", "nothing", "a byte more"],
)
def test_bytes_missing_or_beyond_the_end(change: Callable[[bytes], bytes], good: Path) -> None:
    good.write_bytes(change(good.read_bytes()))
    with pytest.raises(ModelError, match="mnist-edge bundle"):
        check_bundle(good)


def _link(kind: bytes, leads_to: str) -> tuple[tarfile.TarInfo, bytes]:
    return _entry("mnist-edge/model/digits.tflite", b"", type=kind, linkname=leads_to)


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (_entry("mnist-edge/../../evil", b"x"), "not a plain file"),
        (_entry("mnist-edge/wheels/../evil", b"x"), "not a plain file"),
        (_entry("/etc/evil", b"x"), "not a plain file"),
        (_entry("elsewhere/install.sh", b"x"), "not a plain file"),
        (_entry("install.sh", b"x"), "twice|not a plain file"),
        (_entry("mnist-edge/wheels/sub/evil.whl", b"x"), "not a plain file"),
        (_entry("mnist-edge/wheels/.hidden", b"x"), "not a plain file"),
        (_entry("mnist-edge/wheels/evil\nname", b"x"), "not a plain file"),
        (_entry("mnist-edge/readme", b"x"), "not a plain file"),
        (_entry("mnist-edge/wheels/extra.whl", b"x"), "one member too many"),
        (_entry("mnist-edge/model/digits.tflite", MODEL), "twice"),
        (_link(tarfile.SYMTYPE, "/etc/passwd"), "not a plain file"),
        (_link(tarfile.LNKTYPE, "mnist-edge/install.sh"), "not a plain file"),
        (_link(tarfile.CHRTYPE, ""), "not a plain file"),
        (_link(tarfile.FIFOTYPE, ""), "not a plain file"),
        (_entry("mnist-edge/wheels", b"", type=tarfile.DIRTYPE), "not a plain file"),
        (_entry("mnist-edge/wheels/a.whl", b"x", mode=0o4755), "not a plain file"),
        (_entry("mnist-edge/wheels/a.whl", b"x", uid=1000), "not a plain file"),
        (_entry("mnist-edge/wheels/a.whl", b"x", mtime=1), "not a plain file"),
    ],
    ids=lambda value: f"{value[0].name!r} {value[0].type!r}" if isinstance(value, tuple) else "",
)
def test_hostile_members_are_refused(extra: tuple[tarfile.TarInfo, bytes], message: str, tmp_path: Path) -> None:
    for place, entries in (("last", [*_entries(), extra]), ("first", [extra, *_entries()])):
        with pytest.raises(ModelError, match=message):
            check_bundle(_tar(tmp_path / f"{place}.tar.gz", entries))


def test_headers_that_rename_the_next_member_are_refused(tmp_path: Path) -> None:
    long = _entry("mnist-edge/wheels/" + "a" * 150, b"x")
    for form in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        with pytest.raises(ModelError, match="not a plain file"):
            check_bundle(_tar(tmp_path / "long.tar.gz", [*_entries(), long], form))


def test_members_missing_or_altered_are_named(tmp_path: Path) -> None:
    for missing in ("mnist-edge/wheels/numpy-2.0.whl", "mnist-edge/install.sh", "mnist-edge/bundle.json"):
        entries = [entry for entry in _entries() if entry[0].name != missing]
        with pytest.raises(ModelError, match=f"{missing.removeprefix('mnist-edge/')} is missing"):
            check_bundle(_tar(tmp_path / "missing.tar.gz", entries))
    with pytest.raises(ModelError, match="SHA256SUMS is missing"):
        check_bundle(_tar(tmp_path / "missing.tar.gz", _entries()[1:]))
    altered = [_entry(info.name, data.replace(b"a model", b"b model")) for info, data in _entries()]
    with pytest.raises(ModelError, match=r"model/digits\.tflite was altered"):
        check_bundle(_tar(tmp_path / "altered.tar.gz", altered))


@pytest.mark.parametrize("name", ["model/digits.tflite", "wheels/more.whl"])
def test_what_the_manifest_does_not_vouch_for_is_refused(name: str, tmp_path: Path) -> None:
    archive.write({**_members(), name: b"something else"}, tmp_path / "swapped.tar.gz")
    with pytest.raises(ModelError, match=r"the files that bundle\.json names are not those that are there"):
        check_bundle(tmp_path / "swapped.tar.gz")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "mnist-edge-bundle/2"}, "'mnist-edge-bundle/2', this mnist-edge reads 'mnist-edge-bundle/1'"),
        ({"packages": None}, "cannot be read"),
        ({"packages": [{"name": "numpy"}]}, "cannot be read"),
        ({"model_sha256": "0"}, "cannot be read"),
        ({"installed_bytes": -1}, "cannot be read"),
        ({"target": "a\nb"}, "cannot be read"),
        ({"runtime": 1}, "cannot be read"),
    ],
)
def test_manifests_that_cannot_be(change: dict[str, object], message: str, tmp_path: Path) -> None:
    document = json.dumps({**json.loads(MANIFEST.to_json()), **change}).encode()
    archive.write({**_members(), archive.MANIFEST: document}, tmp_path / "strange.tar.gz")
    with pytest.raises(ModelError, match=message):
        check_bundle(tmp_path / "strange.tar.gz")


def test_bombs_are_refused_before_they_unfold(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.tar.gz"
    info, _ = _entry("mnist-edge/wheels/bomb.whl", b"", size=1 << 40)
    with bomb.open("wb") as file, gzip.GzipFile("", "wb", 6, file, mtime=0) as packed:
        packed.write(info.tobuf(tarfile.GNU_FORMAT))
        packed.write(bytes(1 << 20))
    with pytest.raises(ModelError, match="overflow"):
        check_bundle(bomb)
    info.size = 600 << 20
    with bomb.open("wb") as file, gzip.GzipFile("", "wb", 6, file, mtime=0) as packed:
        packed.write(info.tobuf(tarfile.USTAR_FORMAT))
        packed.write(bytes(1 << 20))
    with pytest.raises(ModelError, match="too large"):
        check_bundle(bomb)


def test_many_members_that_are_too_large_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive.write(_members(), tmp_path / "large.tar.gz")
    monkeypatch.setattr(archive, "_MOST_BYTES", 30_000)
    with pytest.raises(ModelError, match=r"too large|more than"):
        check_bundle(tmp_path / "large.tar.gz")


def test_what_is_no_file_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        check_bundle(tmp_path / "none.tar.gz")
    with pytest.raises(InputError):
        check_bundle(tmp_path)


def test_nothing_half_written_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tarfile.TarFile, "addfile", full)
    with pytest.raises(InputError, match=f"^{tmp_path}/new.tar.gz: No space left on device; name a file in a folder"):
        archive.write(_members(), tmp_path / "new.tar.gz")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(InputError, match=f"^{tmp_path}/none/new.tar.gz: No such file or directory; name a file in"):
        archive.write(_members(), tmp_path / "none" / "new.tar.gz")
