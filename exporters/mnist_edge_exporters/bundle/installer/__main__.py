"""`install.sh`: its options, and in which order things are done."""

from __future__ import annotations

import argparse
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from . import InstallError, checks, service, versions

__all__ = ["main"]

HERE = Path(__file__).resolve().parent.parent


def main() -> int:
    """Do what the arguments say and return the exit code."""
    is_bundle = (HERE / "SHA256SUMS").is_file()
    usual = Path.home() / ".local/share/mnist-edge" if is_bundle else HERE
    parser = argparse.ArgumentParser(prog="install.sh", description="Install this bundle, or go back.")
    parser.add_argument("--prefix", type=Path, default=usual, help=f"where to (default: {usual})")
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
        print(f"error: {where}{error.strerror or error}", file=sys.stderr)
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
    unit = service.unit(HERE, prefix, watched) if watched else None
    is_new = not prefix.exists()
    prefix.mkdir(parents=True, exist_ok=True)
    try:
        with versions.locked(prefix):
            sentence = versions.install(HERE, prefix, identity)
            return sentence + (service.write(prefix, unit) if unit else service.restart(prefix))
    finally:
        if is_new and versions.linked(prefix, "current") is None:
            shutil.rmtree(prefix, ignore_errors=True)


def go_back(prefix: Path) -> str:
    """Take the version before into use again, and return the sentence that tells."""
    if versions.linked(prefix, "current") is None:
        raise InstallError(3, f"{prefix}: nothing is installed there; name the folder with --prefix")
    with versions.locked(prefix):
        return versions.go_back(prefix) + service.restart(prefix)


if __name__ == "__main__":
    sys.exit(main())
