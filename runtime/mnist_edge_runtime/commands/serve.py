"""`mnist-edge-runtime serve`: answer pictures over HTTP, and show the page, until stopped."""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
from typing import TYPE_CHECKING

from ..command_line import tell
from ..diagnostics.selftest import selftest
from ..errors import InputError, VerificationError
from ..host import Host
from ..model_file import sealed_model
from . import camera_options, inbox_option
from .common import load

if TYPE_CHECKING:
    from ..classifier import Classifier

__all__ = ["add_command"]

_LIBRARIES = {  # modules, and the distributions that bring them, as pip takes them
    "starlette": "starlette>=0.49",
    "uvicorn": "uvicorn>=0.34",
    "python_multipart": "python-multipart>=0.0.18",
    "prometheus_client": "prometheus-client>=0.21",
    "segno": "segno>=1.6",
}
_SIZE = re.compile(r"(\d{1,9}(?:\.\d{1,3})?)\s*(B|KB|MB)?", re.I)
_UNITS = {"b": 1, "kb": 1_000, "mb": 1_000_000}
_PATIENCE = 10.0  # seconds after the last answer in which threads and the camera end
_SIZES = (1_000, 100_000_000)  # bytes, the least and the most that --max-body can be


def add_command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], model: str, *parents: argparse.ArgumentParser
) -> None:
    """Add the command to the parser; `model` is the help of the model."""
    parser = commands.add_parser(
        "serve", parents=parents, help="Answer pictures over HTTP, and show the page, until stopped."
    )
    parser.add_argument("model", nargs="?", metavar="MODEL", help=model)
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="Address to listen on; 0.0.0.0 for all of this machine, and then a token is asked for. "
        "(default: 127.0.0.1, for programs on this machine alone)",
    )
    parser.add_argument(
        "--port", type=_port, default=8028, help="Port to listen on; 0 for any that is free. (default: 8028)"
    )
    token = parser.add_mutually_exclusive_group()
    token.add_argument(
        "--token-file",
        metavar="FILE",
        help="File with the token. (default: that in $MNIST_EDGE_TOKEN, or a new one with --host)",
    )
    token.add_argument("--no-token", action="store_true", help="Answer everybody who can reach the address.")
    parser.add_argument(
        "--max-body", type=_size, default=1_000_000, metavar="SIZE", help="Largest body of a request. (default: 1MB)"
    )
    inbox_option.add_option(
        parser,
        "pictures are kept to train with, as DIR/CLASS/NAME.png: those of the page, and digits that a camera is "
        "unsure of",
    )
    camera = parser.add_argument_group("with a camera")
    camera.add_argument(
        "--camera",
        nargs="?",
        const="camera",
        metavar="SOURCE",
        help=f"Also read the number before a camera, and show it: {camera_options.SOURCES}. Name MODEL first.",
    )
    camera_options.add_options(camera)
    parser.set_defaults(run=_run)


def _port(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", text) or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!a} is no port, which is a number from 0 to 65535")
    return int(text)


def _size(text: str) -> int:
    found = _SIZE.fullmatch(text.strip())
    size = round(float(found[1]) * _UNITS[(found[2] or "B").lower()]) if found else 0
    if not _SIZES[0] <= size <= _SIZES[1]:
        raise argparse.ArgumentTypeError(f"{text!a} is no size from 1KB to 100MB, such as 1MB")
    return size


def _run(arguments: argparse.Namespace) -> None:
    _check_libraries()
    camera_options.check(arguments)
    from ..service import access, address, app, server, token
    from ..service.limits import Limits
    from ..service.workers import Workers

    secret = None if arguments.no_token else token.given(arguments.token_file)
    limits = Limits(body=arguments.max_body)
    with load(arguments, accept_all=arguments.accept_all) as classifier:
        digest, inbox = _proven(classifier), inbox_option.opened(arguments, classifier)
        with (
            server.bind(arguments.host, arguments.port) as bound,
            Workers(classifier.file, limits) as workers,
            camera_options.live(arguments, classifier, inbox) as camera,
        ):
            reached, port = bound.getsockname()[:2]
            is_local = access.is_loopback(reached)
            is_new = not (is_local or arguments.no_token or secret)
            secret = token.generate() if is_new else secret
            service = app.Service(
                classifier,
                digest,
                access.Access(secret, access.names_of(is_local), loopback_only=is_local),
                workers,
                limits,
                debug=arguments.debug,
                camera=camera,
                inbox=inbox,
            )
            running = app.application(service)
            shown = secret if is_new or sys.stderr.isatty() else None
            host = reached if is_local else address.reachable_address(reached)
            place = address.url(host, port, shown)

            def announce() -> None:
                tell(f"{classifier.file}: its self-test has passed")
                if not is_local:
                    tell(f"WARNING: {_warning(reached, secret)}")
                if not is_local and sys.stderr.isatty():
                    sys.stderr.write(address.qr_code(place))
                tell(f"serving on {place} until stopped (Ctrl-C)")

            answered = server.serve(running, service, bound, announce)
            last = server.ALL_ANSWERED if answered else server.NOT_ALL_ANSWERED
            server.end_within(_PATIENCE, last)  # whatever is still at work, nobody waits for its answer
    tell(last)


def _check_libraries() -> None:
    """Raise InputError if a library of the extra is not installed, with the command that installs it."""
    from importlib.util import find_spec

    missing = [requirement for module, requirement in _LIBRARIES.items() if find_spec(module) is None]
    if missing:
        command = Host.here().pip("install", *missing)
        names = ", ".join(requirement.partition(">")[0] for requirement in missing)
        raise InputError(f"serve needs {names} ({command})")


def _proven(classifier: Classifier) -> str:
    """Return the SHA-256 of the model file, whose self-test passes here.

    Raises:
        VerificationError: it does not.
    """
    data, _ = sealed_model.read_bytes(str(classifier.file))
    report = selftest(classifier, sealed_model.unseal(data).golden)
    if not report.passed:
        raise VerificationError(f"{classifier.file}: its self-test failed: {'; '.join(report.failures)}")
    return hashlib.sha256(data).hexdigest()


def _warning(reached: str, secret: str | None) -> str:
    where = f"{reached}: everybody in the network can reach this service, and nothing is encrypted"
    if secret is None:
        return f"{where}; no token is asked for (--no-token), so everybody may use it"
    return f"{where}; give the address with its token only to those who may use it"
