"""Where a device has a list of signers, it installs what one of them signed, and nothing older than the last bundle."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from mnist_edge_exporters.bundle import archive
from mnist_edge_exporters.installer import checks, signature
from mnist_edge_exporters.installer.errors import InstallError
from mnist_edge_exporters.signing import signature_of

from .conftest import environment, sh, tree, unpack


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """Return the key of the maker, whom the home of the device allows."""
    file = _key(tmp_path, "maker")
    home = tmp_path / "home/.config/mnist-edge"
    home.mkdir(parents=True)
    (home / "allowed_signers").write_text(f'maker namespaces="mnist-edge" {Path(f"{file}.pub").read_text()}')
    return file


def _key(folder: Path, name: str) -> Path:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    return folder / name


@pytest.fixture
def signed(key: Path, small: Callable[..., Path], tmp_path: Path) -> Callable[..., Path]:
    """Return what unpacks a signed bundle of a counter beside that home."""

    def make(counter: int = 1, signer: Path = key) -> Path:
        bundle = unpack(small(counter=counter), tmp_path / f"of-{counter}")
        shutil.move(bundle, tmp_path / f"bundle-{counter}")
        bundle = tmp_path / f"bundle-{counter}"
        (bundle / archive.SIGNATURE).write_bytes(signature_of((bundle / archive.SUMS).read_bytes(), signer))
        return bundle

    return make


def test_a_signed_bundle_is_installed_and_its_counter_kept(signed: Callable[..., Path], tmp_path: Path) -> None:
    prefix = tmp_path / "prefix"
    sh(signed(5), "--prefix", prefix)
    assert (prefix / "counter").read_text() == "5\n"
    before = tree(prefix)
    old = sh(signed(4), "--prefix", prefix, code=4).stderr
    assert f"the bundle's counter is 4, and {prefix} had 5 already, so it is older; make another, or go back" in old
    assert tree(prefix) == before
    sh(signed(6), "--prefix", prefix)
    sh(prefix, "--rollback")  # the person's own way back, to what was verified
    assert (prefix / "counter").read_text() == "6\n"
    assert "older" in sh(signed(3), "--prefix", prefix, code=4).stderr
    (prefix / "counter").write_text("six")
    assert "counter: no number; write the counter" in sh(signed(7), "--prefix", prefix, code=3).stderr


@pytest.mark.parametrize("name", ["argparse.py", "installer/errors/__init__.py", "installer/layout/__init__.py"])
def test_no_module_is_taken_from_a_file_that_nobody_signed(
    name: str, signed: Callable[..., Path], tmp_path: Path
) -> None:
    bundle = signed()
    (bundle / name).parent.mkdir(exist_ok=True)
    (bundle / name).write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    refused = sh(bundle, "--prefix", tmp_path / "prefix", code=4).stderr
    assert refused == f"error: {name} is not a file of the bundle; unpack it again, into an empty folder\n"
    assert not (tmp_path / "ran").exists()


def test_a_file_beside_the_script_takes_no_place_of_pythons_own(small: Callable[..., Path], tmp_path: Path) -> None:
    bundle = unpack(small(), tmp_path)
    environment(bundle)
    (bundle / "argparse.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    assert "argparse.py is not a file of the bundle" in sh(bundle, "--prefix", tmp_path / "prefix", code=4).stderr
    assert not (tmp_path / "ran").exists()


def test_nothing_of_an_unsigned_bundle_is_run(key: Path, small: Callable[..., Path], tmp_path: Path) -> None:
    bundle = unpack(small(), tmp_path)
    environment(bundle)
    (bundle / "installer/__init__.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    sums = archive.sha256_sums(
        {
            path.relative_to(bundle).as_posix(): path.read_bytes()
            for path in bundle.rglob("*")
            if path.is_file() and path.name != archive.SUMS
        }
    )
    (bundle / archive.SUMS).write_bytes(sums)
    refused = sh(bundle, "--prefix", tmp_path / "prefix", code=4).stderr
    assert re.fullmatch(r"error: the bundle is unsigned, and .*signers asks for a signature; make .*\n", refused)
    assert not (tmp_path / "ran").exists()
    assert not (tmp_path / "prefix").exists()
    (tmp_path / "home/.config/mnist-edge/allowed_signers").unlink()
    sh(bundle, "--prefix", tmp_path / "prefix")
    assert (tmp_path / "ran").exists()
    assert not (tmp_path / "prefix/counter").exists()


def _by_a_stranger(bundle: Path) -> None:
    stranger = _key(bundle.parent, "stranger")
    (bundle / archive.SIGNATURE).write_bytes(signature_of((bundle / archive.SUMS).read_bytes(), stranger))


def _counter(bundle: Path) -> None:
    """Raise the counter, and let SHA256SUMS tell so."""
    manifest = (bundle / "bundle.json").read_bytes()
    digest = subprocess.run(["sha256sum", "bundle.json"], cwd=bundle, capture_output=True, check=True).stdout[:64]
    (bundle / "bundle.json").write_bytes(manifest.replace(b'"counter": 1', b'"counter": 9'))
    new = subprocess.run(["sha256sum", "bundle.json"], cwd=bundle, capture_output=True, check=True).stdout[:64]
    assert new != digest
    (bundle / archive.SUMS).write_bytes((bundle / archive.SUMS).read_bytes().replace(digest, new))


def _signature(bundle: Path) -> None:
    lines = (bundle / archive.SIGNATURE).read_text().splitlines()
    lines[3] = lines[3][::-1]
    (bundle / archive.SIGNATURE).write_text("\n".join(lines))


def _expired(bundle: Path) -> None:
    file = bundle.parent / "home/.config/mnist-edge/allowed_signers"
    file.write_text(file.read_text().replace(" ssh-", ',valid-before="20200101" ssh-'))


@pytest.mark.parametrize("damage", [_by_a_stranger, _counter, _signature, _expired])
def test_what_no_signer_signed_is_refused_by_the_shell_and_by_python(
    damage: Callable[[Path], None], signed: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = signed()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    checks.check_files(bundle)
    assert signature.check(bundle, tmp_path / "prefix") == 1
    damage(bundle)
    checks.check_files(bundle)
    with pytest.raises(InstallError, match=r"nobody whom .* allows now signed this bundle") as refused:
        signature.check(bundle, tmp_path / "prefix")
    assert refused.value.code == 4
    assert "nobody whom" in sh(bundle, "--prefix", tmp_path / "prefix", code=4).stderr


@pytest.mark.parametrize("form", [("--allowed-signers", "{}"), ("--allowed-signers={}",)])
def test_another_list_can_be_named(form: tuple[str, ...], signed: Callable[..., Path], tmp_path: Path) -> None:
    bundle = signed()
    other = _key(tmp_path, "other").with_suffix(".pub")
    (tmp_path / "others").write_text(f"other {other.read_text()}")
    options = [part.format(tmp_path / "others") for part in form]
    assert "nobody whom" in sh(bundle, "--prefix", tmp_path / "prefix", *options, code=4).stderr
    missing = [part.format(tmp_path / "missing") for part in form]
    assert "missing: cannot be read" in sh(bundle, "--prefix", tmp_path / "prefix", *missing, code=3).stderr
    with pytest.raises(InstallError, match="no such file"):
        signature.check(bundle, tmp_path, tmp_path / "missing")


def test_a_list_without_openssh_is_an_error_with_advice(
    signed: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = signed()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    tools = Path(environment(bundle)["PATH"].split(":")[0])
    for name in ("dirname", "sha256sum", "head", "wc"):
        (tools / name).symlink_to(str(shutil.which(name)))
    result = subprocess.run(
        ["/bin/sh", bundle / "install.sh"],
        env={"PATH": str(tools), "HOME": os.environ["HOME"]},
        capture_output=True,
        text=True,
    )
    assert (result.returncode, result.stdout) == (3, "")
    assert "no ssh-keygen here to verify the signature; install the package openssh-client" in result.stderr
    monkeypatch.setenv("PATH", str(tools))
    with pytest.raises(InstallError, match="no ssh-keygen here to verify the signature"):
        signature.check(bundle, tmp_path / "prefix")


def test_the_option_is_not_abbreviated(signed: Callable[..., Path], tmp_path: Path) -> None:
    """The shell would not see it, and let Python of the bundle run."""
    prefix = tmp_path / "prefix"
    assert "--allowed" in sh(signed(1), "--prefix", prefix, "--allowed", tmp_path / "none", code=2).stderr
    assert not prefix.exists()
