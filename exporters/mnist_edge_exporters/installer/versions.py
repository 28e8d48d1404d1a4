"""The versions below a prefix: made beside the one in use, tested, and only then taken into use."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import os
import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from . import InstallError
from .checks import manifest

__all__ = ["check_prefix", "go_back", "install", "linked", "locked", "replace"]

_SELFTEST_SECONDS = 600
_IDENTITY = re.compile(r"[0-9a-f]{12}")
_NEW = ".new"  # what an installation is making
_LEFT = {".lock", ".deploy"}  # beside versions/.new, by an installation or a deployment that was killed
# A blank PNG of 28 x 28: there is nothing to read in it, but its file must be read to tell that.
_PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAABwAAAAcCAAAAABXZoBIAAAAEElEQVR42mNgGAWjYBQQAwADLAAB1wvpfAAAAABJRU5ErkJggg=="
)
_COMMAND = """\
#!/bin/sh
here=$(dirname -- "$(readlink -f -- "$0")")
{environment}exec "$here/python3" -I "$here/../command.py" "$@"
"""
_MAIN = """\
import sys
from pathlib import Path

from mnist_edge_runtime.__main__ import main

model = str(Path(__file__).resolve().parent / "model" / {model!r})
sys.exit(main(default_model=lambda: model, default="the one of this bundle"))
"""


def check_prefix(prefix: Path) -> None:
    """Raise InstallError where the folder holds what no bundle has put there, and what an installation might harm."""
    foreign = _foreign(prefix) if os.path.lexists(prefix) else []
    if foreign:
        raise InstallError(
            3, f"{prefix}: {foreign[0]} is there, which no bundle has made; name an empty or a new folder with --prefix"
        )


def _foreign(prefix: Path) -> list[str]:
    versions = prefix / "versions"
    is_folder = versions.is_dir() and not versions.is_symlink()
    inside = sorted(versions.iterdir()) if is_folder else []
    if any(map(_is_version, inside)):  # a bundle's; whatever else lies there is left alone
        return [name for name in ("current", "previous") if (prefix / name).exists() and not linked(prefix, name)]
    left = {*_LEFT, "versions"} if is_folder else _LEFT
    outside = [path.name for path in sorted(prefix.iterdir()) if path.name not in left]
    return outside + [f"versions/{path.name}" for path in inside if path.name != _NEW]


def _is_version(folder: Path) -> bool:
    return bool(_IDENTITY.fullmatch(folder.name)) and (folder / "bundle.json").is_file()


@contextlib.contextmanager
def locked(prefix: Path) -> Iterator[None]:
    """Keep another installation out meanwhile."""
    with (prefix / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise InstallError(3, f"{prefix}: another installation is at work there; wait for it") from None
        yield


def install(bundle: Path, prefix: Path, identity: str) -> str:
    """Take the bundle into use; whatever goes wrong, the version in use stays."""
    versions = prefix / "versions"
    versions.mkdir(exist_ok=True)
    folder = versions / identity
    if folder.is_dir() and _selftest(folder) is None:
        if linked(prefix, "current") == identity:
            return f"already installed: {_in_use(prefix)}"
    else:
        _make(bundle, versions / _NEW, folder)
    (prefix / "installer").mkdir(exist_ok=True)
    for script in (bundle / "install.sh", *(bundle / "installer").glob("*.py")):
        replace(prefix / script.relative_to(bundle), script.read_bytes())
    _switch(prefix, identity)
    for other in versions.iterdir():
        if _is_version(other) and other.name not in (identity, linked(prefix, "previous")):
            shutil.rmtree(other, ignore_errors=True)
    return f"installed: {_in_use(prefix)}"


def _in_use(prefix: Path) -> str:
    """Return the command of the version in use, and what it is."""
    about = manifest(prefix / "current")
    identity = linked(prefix, "current")
    return f"{prefix}/current/bin/mnist-edge-runtime, {about['model']} on {about['engine']}, version {identity}"


def _make(bundle: Path, new: Path, folder: Path) -> None:
    """Make the version in a folder of its own, test it there, and only then give it its name."""
    shutil.rmtree(new, ignore_errors=True)  # what a killed installation left
    about = manifest(bundle)
    free = shutil.disk_usage(new.parent).free
    if free < about["installed_bytes"]:
        needed = f"needs {about['installed_bytes'] >> 20} MiB, and {free >> 20} are free"
        raise InstallError(3, f"{new.parent}: the installation {needed}; make room and start again")
    try:
        _fill(bundle, new, about)
        failed = _selftest(new)
        if failed:
            raise InstallError(5, f"the self-test failed, so nothing was changed: {failed}")
        shutil.rmtree(folder, ignore_errors=True)  # the same version, broken since
        os.rename(new, folder)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _fill(bundle: Path, new: Path, about: Any) -> None:
    """Make the environment: wheels are archives, so unpacking them is all that pip would do."""
    try:
        import venv
    except ImportError:
        raise InstallError(
            3, "this Python cannot make virtual environments; install the package python3-venv"
        ) from None
    venv.EnvBuilder(symlinks=True).create(new)
    for script in (new / "bin").glob("[Aa]ctivate*"):
        script.unlink()  # they know the folder by the name it has for now
    packages = new / "lib" / f"python{about['python']}" / "site-packages"
    for wheel in sorted(bundle.glob("wheels/*.whl")) + sorted(bundle.glob("debian/*.zip")):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(packages)
    environment = ""
    if (packages / "debian_libraries").is_dir():
        inside = f"$here/../lib/python{about['python']}/site-packages/debian_libraries"
        environment = f'export LD_LIBRARY_PATH="{inside}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}"\n'
    (new / "model").mkdir()
    shutil.copyfile(bundle / "model" / about["model"], new / "model" / about["model"])
    for name in ("bundle.json", "sbom.cdx.json"):
        shutil.copyfile(bundle / name, new / name)
    (new / "command.py").write_text(_MAIN.format(model=about["model"]))
    command = new / "bin" / "mnist-edge-runtime"
    command.write_text(_COMMAND.format(environment=environment))
    command.chmod(0o755)


def _selftest(folder: Path) -> str | None:
    """Return what is wrong with a version, None if it answers as its model file promises and can read a picture."""
    command = str(folder / "bin" / "mnist-edge-runtime")
    for arguments, given in ((["selftest"], b""), (["classify", "-"], _PICTURE)):
        try:
            result = subprocess.run(
                [command, *arguments], input=given, capture_output=True, timeout=_SELFTEST_SECONDS, check=False
            )
        except (OSError, subprocess.SubprocessError) as error:
            return str(error)
        if result.returncode:
            lines = result.stderr.decode(errors="replace").strip().splitlines()
            return lines[0] if lines else f"exit code {result.returncode}"
    return None


def linked(prefix: Path, link: str) -> str | None:
    """Return the name of the version that a link leads to, None if there is none."""
    try:
        return os.path.basename(os.readlink(prefix / link))
    except OSError:
        return None


def _switch(prefix: Path, identity: str) -> None:
    """Let `current` lead to that version and `previous` to the one that was in use; each in one step."""
    before = linked(prefix, "current")
    links = [("current", identity)]
    if before and before != identity and (prefix / "versions" / before).is_dir():
        links.insert(0, ("previous", before))
    for link, target in links:
        temporary = prefix / f".{link}"
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()
        temporary.symlink_to(Path("versions", target))
        os.replace(temporary, prefix / link)


def go_back(prefix: Path) -> str:
    """Take the version before into use again, after its self-test; the two change places."""
    before = linked(prefix, "previous")
    if before is None or before == linked(prefix, "current"):
        raise InstallError(3, f"{prefix}: there is no version before this one; to remove this one, remove that folder")
    failed = _selftest(prefix / "versions" / before)
    if failed:
        raise InstallError(5, f"the version before fails its self-test, so nothing was changed: {failed}")
    _switch(prefix, before)
    return f"went back: {_in_use(prefix)}"


def replace(path: Path, data: bytes) -> None:
    """Write a file in one step."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_bytes(data)
    os.replace(temporary, path)
