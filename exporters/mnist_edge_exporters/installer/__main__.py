"""Run `install.sh`: parse its options, then install the bundle beside it or go back.

Exit codes: 0 installed, 2 usage, 3 it cannot be done here, 4 the bundle is damaged, 5 the self-test failed. With any
but 0 everything is as it was.
"""

from __future__ import annotations

import argparse
import errno
import signal
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

from . import checks, layout, service, signature, transaction, versions
from .errors import InstallError

__all__ = ["main", "parser"]

HERE = Path(__file__).resolve().parent.parent
_ELSEWHERE = "name a folder that you can write to with --prefix"
_ADVICE = {errno.ENOSPC: "make room and start again", errno.EDQUOT: "make room and start again"}
_ADVICE.update(dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.ENAMETOOLONG), _ELSEWHERE))


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Report a usage error in the style of all the other errors."""
        self.exit(2, f"error: {message}; see --help\n")


def main() -> int:
    """Do what the arguments say and return the exit code."""
    is_bundle = (HERE / "bundle.json").is_file()
    arguments = parser(Path.home() / ".local/share/mnist-edge" if is_bundle else HERE).parse_args()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # clean up as after Ctrl-C
    prefix = arguments.prefix.absolute()
    try:
        if arguments.rollback and arguments.service:
            raise InstallError(2, "--rollback and --service exclude each other")
        if arguments.listen and arguments.service != "serve":
            raise InstallError(2, "--listen is for --service serve")
        if not arguments.rollback and not is_bundle:
            raise InstallError(2, "there is no bundle beside this script; from here only --rollback can be done")
        signers, asked = arguments.allowed_signers, (arguments.service, arguments.listen)
        print(go_back(prefix) if arguments.rollback else install(prefix, signers, *asked))
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


def parser(usual: Path) -> argparse.ArgumentParser:
    """Return the parser of the options; `usual` is the folder to install into without --prefix."""
    # Without abbreviations: install.sh looks for --allowed-signers as it is written.
    about = "Install this bundle, or go back to the version before."
    parser = _Parser(prog="install.sh", description=about, allow_abbrev=False)
    parser.add_argument("--prefix", type=_folder, default=usual, help=f"Folder to install into. (default: {usual})")
    parser.add_argument(
        "--service",
        metavar="DIR|serve",
        help="Write a systemd unit that reads the pictures of DIR, or with the word serve one that answers over HTTP.",
    )
    parser.add_argument(
        "--listen",
        type=_address,
        metavar="ADDRESS[:PORT]",
        help="Where --service serve listens; 0.0.0.0 for the network. (default: 127.0.0.1:8028)",
    )
    parser.add_argument(
        "--allowed-signers",
        type=Path,
        metavar="FILE",
        help="Signers of whom one must have signed the bundle. (default: ~/.config/mnist-edge/allowed_signers, if any)",
    )
    parser.add_argument("--rollback", action="store_true", help="Take the version before into use again.")
    return parser


def _folder(text: str) -> Path:
    if not text.strip():
        raise argparse.ArgumentTypeError("it names no folder")
    return Path(text)


def _address(text: str) -> service.Address:
    try:
        return service.Address.of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text}: {error}") from None


def install(prefix: Path, signers: Path | None, kind: str | None, address: service.Address | None) -> str:
    """Install the bundle that this module lies in, and return the sentence to print."""
    identity = checks.check_files(HERE)
    counter = signature.check(HERE, prefix, signers)
    checks.check_machine(versions.manifest(HERE))
    layout.check(prefix)
    unit, told = None, ""
    if kind == "serve":
        unit, told = service.serving(HERE, prefix, address or service.Address())
    elif kind:
        unit = service.unit(HERE, prefix, Path(kind))
    with transaction.begin(prefix):
        sentence = transaction.install(HERE, prefix, identity, restart=unit is None)
        signature.keep(prefix, counter)
        return sentence + service.write(prefix, unit) + told if unit else sentence


def go_back(prefix: Path) -> str:
    """Take the version before into use again, and return the sentence to print."""
    if layout.linked(prefix, "current") is None:
        raise InstallError(3, f"{prefix}: nothing is installed there; name the folder with --prefix")
    with transaction.begin(prefix):
        return transaction.go_back(prefix)


if __name__ == "__main__":
    sys.exit(main())
