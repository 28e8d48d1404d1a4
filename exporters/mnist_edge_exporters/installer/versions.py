"""Build a version of a bundle in a folder of its own, and run its self-test."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any

from .errors import InstallError
from .layout import linked

__all__ = ["build", "manifest", "model_sha256", "selftest", "summary"]

_SELFTEST_SECONDS = 240  # a self-test that takes half of it ends itself, in words
_ENDLESS = "the model may loop for ever, or this machine is too slow for it: make a bundle of another one"
# A blank PNG of 28 x 28: it has no digit, but to say so the runtime must decode it.
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


def manifest(folder: Path) -> Any:
    """Return the contents of bundle.json, of an unpacked bundle or of a version."""
    return json.loads((folder / "bundle.json").read_text())


def summary(prefix: Path) -> str:
    """Return the command of the version in use, its model and engine, and its name."""
    about = manifest(prefix / "current")
    identity = linked(prefix, "current")
    return f"{prefix}/current/bin/mnist-edge-runtime, {about['model']} on {about['engine']}, version {identity}"


def build(bundle: Path, folder: Path) -> None:
    """Make the version in a new folder. Wheels are archives, so unpacking them is all that pip would do.

    Raises:
        InstallError: there is not enough room, or this Python cannot make environments.
    """
    try:
        import venv
    except ImportError:
        raise InstallError(
            3, "this Python cannot make virtual environments; install the package python3-venv"
        ) from None
    about = manifest(bundle)
    free = shutil.disk_usage(folder.parent).free
    if free < about["installed_bytes"]:
        needed = f"needs {about['installed_bytes'] / 1e6:.1f} MB, and {free / 1e6:.1f} MB are free"
        raise InstallError(3, f"{folder.parent}: the installation {needed}; make room and start again")
    venv.EnvBuilder(symlinks=True).create(folder)
    for script in (folder / "bin").glob("[Aa]ctivate*"):
        script.unlink()  # they contain the name that the folder has for now
    packages = folder / "lib" / f"python{about['python']}" / "site-packages"
    for wheel in sorted(bundle.glob("wheels/*.whl")) + sorted(bundle.glob("debian/*.zip")):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(packages)
    environment = ""
    if (packages / "debian_libraries").is_dir():
        inside = f"$here/../lib/python{about['python']}/site-packages/debian_libraries"
        environment = f'export LD_LIBRARY_PATH="{inside}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}"\n'
    (folder / "model").mkdir()
    for name in (about["model"], f"{about['model']}.sig"):
        if (bundle / "model" / name).is_file():  # a bundle that nobody signed has no signature of its model
            shutil.copyfile(bundle / "model" / name, folder / "model" / name)
    for name in ("bundle.json", "sbom.cdx.json"):
        shutil.copyfile(bundle / name, folder / name)
    (folder / "command.py").write_text(_MAIN.format(model=about["model"]))
    command = folder / "bin" / "mnist-edge-runtime"
    command.write_text(_COMMAND.format(environment=environment))
    command.chmod(0o755)


def model_sha256(folder: Path) -> str:
    """Return the SHA-256 of the model file that lies in a version now.

    Raises:
        InstallError: there is none, or nothing says which one it is.
    """
    try:
        return hashlib.sha256((folder / "model" / manifest(folder)["model"]).read_bytes()).hexdigest()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InstallError(4, f"its model or bundle.json cannot be read: {error}") from None


def selftest(folder: Path) -> tuple[bool, str]:
    """Return whether a version passes its self-test, reads a picture and has the model of its bundle, and a line.

    The line is the first that the self-test prints, or says what is wrong.
    """
    command = str(folder / "bin" / "mnist-edge-runtime")
    said = []
    for arguments, given in ((["selftest"], b""), (["classify", "-"], _PICTURE)):
        try:
            result = subprocess.run(
                [command, *arguments], input=given, capture_output=True, timeout=_SELFTEST_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            return False, f"it did not end within {_SELFTEST_SECONDS} seconds; {_ENDLESS}"
        except (OSError, subprocess.SubprocessError) as error:
            return False, str(error)
        lines = (result.stderr if result.returncode else result.stdout).decode(errors="replace").strip().splitlines()
        lines = [line for line in lines if not line.startswith("model: ")]  # which file answers is no reason
        if result.returncode:
            return False, lines[0].removeprefix("error: ") if lines else f"exit code {result.returncode}"
        said += lines
    try:
        if model_sha256(folder) != manifest(folder).get("model_sha256"):
            return False, "its model is not the one of its bundle: the SHA-256 is another"
    except InstallError as error:
        return False, str(error)
    return True, said[0] if said else "passed"
