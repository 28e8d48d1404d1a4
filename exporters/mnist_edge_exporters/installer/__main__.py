"""`install.sh`: its options, and in which order things are done."""

from __future__ import annotations

import argparse
import contextlib
import errno
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from . import InstallError, checks, service, versions

__all__ = ["main"]

HERE = Path(__file__).resolve().parent.parent
_ELSEWHERE = "name a folder that you can write to with --prefix"
_ADVICE = {errno.ENOSPC: "make room and start again", errno.EDQUOT: "make room and start again"}
_ADVICE |= dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.ENAMETOOLONG), _ELSEWHERE)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Tell a mistake in the style of all the other errors."""
        self.exit(2, f"error: {message}; see --help\n")


def main() -> int:
    """Do what the arguments say and return the exit code."""
    is_bundle = (HERE / "bundle.json").is_file()
    usual = Path.home() / ".local/share/mnist-edge" if is_bundle else HERE
    parser = _Parser(prog="install.sh", description="Install this bundle, or go back.")
    parser.add_argument("--prefix", type=_folder, default=usual, help=f"where to (default: {usual})")
    parser.add_argument("--service", type=Path, metavar="DIR", help="write a systemd unit that reads DIR's pictures")
    parser.add_argument("--rollback", action="store_true", help="take the version before into use again")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # clean up as after Ctrl-C
    prefix = arguments.prefix.absolute()
    try:
        if arguments.rollback and arguments.service:
            raise InstallError(2, "--rollback and --service exclude each other")
        if not arguments.rollback and not is_bundle:
            raise InstallError(2, "there is no bundle beside this script; from here only --rollback can be done")
        print(go_back(prefix) if arguments.rollback else install(prefix, arguments.service))
    except InstallError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.code
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        advice = f"; {_ADVICE[error.errno]}" if error.errno in _ADVICE else ""
        print(f"error: {where}{error.strerror or error}{advice}", file=sys.stderr)
        return 3
    except subprocess.CalledProcessError as error:
        print(f"error: installed, but this failed: {' '.join(error.cmd)}", file=sys.stderr)
        return 3
    except KeyboardInterrupt:
        return 130
    return 0


def install(prefix: Path, watched: Path | None) -> str:
    """Install the bundle that this lies in, and return the sentence that tells."""
    identity = checks.check_files(HERE)
    checks.check_machine(checks.manifest(HERE))
    versions.check_prefix(prefix)
    unit = service.unit(HERE, prefix, watched) if watched else None
    with _held(prefix):
        sentence = versions.install(HERE, prefix, identity)
        return sentence + (service.write(prefix, unit) if unit else service.restart(prefix))


@contextlib.contextmanager
def _held(prefix: Path) -> Iterator[None]:
    """Have the folder to oneself; where nothing was there before and nothing is installed at the end, leave nothing."""
    made = [folder for folder in (prefix, *prefix.parents) if not folder.exists()]
    prefix.mkdir(parents=True, exist_ok=True)
    try:
        with versions.locked(prefix):
            was_empty = [path.name for path in prefix.iterdir()] == [".lock"]
            try:
                yield
            finally:  # still locked: what lies there is nobody else's
                if was_empty and versions.linked(prefix, "current") is None:
                    for path in prefix.iterdir():
                        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink()
    finally:
        with contextlib.suppress(OSError):  # it is installed, or somebody else is at work there
            for folder in made:
                folder.rmdir()


def _folder(text: str) -> Path:
    if not text.strip():
        raise argparse.ArgumentTypeError("it names no folder")
    return Path(text)


def go_back(prefix: Path) -> str:
    """Take the version before into use again, and return the sentence that tells."""
    if versions.linked(prefix, "current") is None:
        raise InstallError(3, f"{prefix}: nothing is installed there; name the folder with --prefix")
    with versions.locked(prefix):
        return versions.go_back(prefix) + service.restart(prefix)


if __name__ == "__main__":
    sys.exit(main())
