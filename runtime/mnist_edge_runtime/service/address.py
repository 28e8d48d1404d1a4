"""Find the address by which others in the network reach this machine, and draw it as a QR code."""

from __future__ import annotations

import io
import ipaddress
import socket
from contextlib import suppress
from urllib.parse import quote

import segno

__all__ = ["qr_code", "reachable_address", "url"]

# Addresses for documentation, RFC 5737 and RFC 3849, behind the default route of every machine. Nothing is sent there.
_ELSEWHERE = ((socket.AF_INET, "203.0.113.1"), (socket.AF_INET6, "2001:db8::1"))


def reachable_address(bound: str) -> str:
    """Return the address, or the name, by which others reach a socket that is bound to the address `bound`."""
    if not ipaddress.ip_address(bound).is_unspecified:
        return bound
    for family, elsewhere in _ELSEWHERE if ":" not in bound else reversed(_ELSEWHERE):
        with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((elsewhere, 9))
            return str(probe.getsockname()[0])
    return socket.gethostname()


def url(host: str, port: int, token: str | None = None) -> str:
    """Return the address of the page; a token stands in its fragment, which browsers send nowhere."""
    place = f"[{host}]" if ":" in host else host
    return f"http://{place}:{port}/" + (f"#token={quote(token, safe='')}" if token else "")


def qr_code(text: str) -> str:
    """Return the QR code of a text, as a terminal shows it."""
    drawn = io.StringIO()
    segno.make_qr(text, error="m").terminal(drawn, compact=True, border=2)
    return drawn.getvalue()
