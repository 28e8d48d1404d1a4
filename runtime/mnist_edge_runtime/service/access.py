"""Decide who may ask: the token, the name that the service was called by, and the page that a request comes from."""

from __future__ import annotations

import hmac
import ipaddress
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from .refusal import RefusalError

__all__ = ["Access", "is_loopback", "names_of"]

_OPEN = ("/", "/healthz", "/readyz", "/openapi.json")  # they say nothing that is secret, and a page cannot send a token
_READING = ("GET", "HEAD", "OPTIONS")
_ANSWERS = "/v1/"  # a page of a stranger must not begin to look through the camera, even if it sees nothing
_LOCAL = "localhost"


@dataclass(frozen=True)
class Access:
    """Who may ask a service.

    A page of a stranger that is open in a browser here can send requests, too: under its own name, which it lets lead
    to this machine (DNS rebinding), and across origins. Neither knows the token.

    Attributes:
        token: that every request but those for the page and the state must send; None where there is none.
        names: by which the service may be called where there is no token, besides addresses.
        loopback_only: addresses are those of the loopback interface.
    """

    token: str | None
    names: frozenset[str] = frozenset({_LOCAL})
    loopback_only: bool = True

    def check(self, method: str, path: str, headers: Mapping[str, str]) -> None:
        """Check a request by its method, its path and its headers, whose names are in lower case.

        Raises:
            RefusalError: it is not answered.
        """
        host = headers.get("host", "")
        if self.token is None and not self._is_own(host):
            raise RefusalError(421, f"this service is not {host[:100] or 'nameless'!a}; call it by its address")
        if method not in _READING or path.startswith(_ANSWERS):
            _check_origin(headers, host)
        if self.token is None or path in _OPEN:
            return
        scheme, _, sent = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(sent.strip().encode(), self.token.encode()):
            raise RefusalError(
                401,
                "the token is missing or another one; send the header Authorization: Bearer TOKEN",
                {"WWW-Authenticate": "Bearer"},
            )

    def _is_own(self, host: str) -> bool:
        name = _name(host) or ""
        if name in self.names:
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        return address.is_loopback or not self.loopback_only  # an address belongs to no name that is led elsewhere


def _check_origin(headers: Mapping[str, str], host: str) -> None:
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    is_own = origin is None or _netloc(origin) == host.lower()
    if not is_own or site not in (None, "same-origin", "none"):
        raise RefusalError(
            403, "the request comes from a page of another origin; only the service's own page may send one"
        )


def _netloc(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc.lower() or None
    except ValueError:
        return None


def _name(host: str) -> str | None:
    """Return the name or the address in a header Host, in lower case; None where it is malformed."""
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


def is_loopback(host: str) -> bool:
    """Return whether a name or an address is one of the loopback interface."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == _LOCAL


def names_of(loopback_only: bool) -> frozenset[str]:
    """Return the names by which this machine may be called, also by others in the network."""
    name = socket.gethostname().lower()
    short = name.partition(".")[0]
    return frozenset({_LOCAL}) if loopback_only else frozenset({_LOCAL, name, short, f"{short}.local"})
