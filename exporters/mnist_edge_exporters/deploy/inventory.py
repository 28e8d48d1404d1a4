"""Read the hosts of an Ansible inventory from what `ansible-inventory --list` prints; Ansible need not be installed."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mnist_edge_runtime import InputError, UsageError
from mnist_edge_runtime.path_checks import check_file

from .hosts import Host, is_destination

__all__ = ["STDIN", "from_inventory"]

STDIN = "-"
_MAKE = "make it with: ansible-inventory --list > FILE"
_SSH = ("ssh", "smart", "ansible.builtin.ssh")
# The names of a variable, the one that is heard first.
_ADDRESS = ("ansible_host", "ansible_ssh_host")
_PORT = ("ansible_port", "ansible_ssh_port")
_USER = ("ansible_user", "ansible_ssh_user")
_KEY = ("ansible_ssh_private_key_file", "ansible_private_key_file")
# What would connect in another way than ssh does by itself, and what to do instead.
_CONFIGURE = "write it into ~/.ssh/config, or a file for --ssh-config"
_REFUSED = {
    **dict.fromkeys(
        ("ansible_password", "ansible_ssh_pass", "ansible_ssh_password"), "deploy gives no password; give it a key"
    ),
    **dict.fromkeys(
        ("ansible_private_key", "ansible_ssh_private_key"), "name its file as ansible_ssh_private_key_file"
    ),
    "ansible_become": "deploy installs as the user that logs in; name that one as ansible_user",
}
# Of Ansible's settings of ssh all others are refused, but these, which say how Ansible works and not where it arrives.
_OF_SSH = "ansible_ssh_"
_ANSIBLES_OWN = {
    f"{_OF_SSH}{name}"
    for name in ("host_key_checking", "pipelining", "retries", "timeout", "transfer_method", "use_tty", "verbosity")
}
_OFF = ("", "none", "false", "no", "off", "0")


def from_inventory(source: str, names: Sequence[str]) -> list[Host]:
    """Return the hosts of an inventory, in its order.

    Args:
        source: the file's name; STDIN for the standard input.
        names: hosts and groups of it that are wanted; all where there is none.

    Raises:
        InputError: it cannot be read, lacks a name, or says of a host what cannot be followed.
        UsageError: the source has no name.
    """
    if not source.strip():
        raise UsageError("--inventory names no file; - is the standard input")
    where = "standard input" if source == STDIN else source
    groups, variables = _read(source, where)
    chosen: dict[str, None] = {}
    every = dict.fromkeys(_members(groups, "all", set()))
    for name in names or ["all"]:
        if name not in groups and name not in every:
            raise InputError(f"{where}: {name} is neither a host nor a group there; {_known(groups, every)}")
        chosen |= dict.fromkeys(_members(groups, name, set()) if name in groups else [name])
    if not chosen:
        raise InputError(f"{where}: there is no host in {', '.join(names) or 'it'}; name others, or {_MAKE}")
    hosts = [_host(name, variables.get(name, {}), where) for name in chosen]
    places: dict[tuple[str, tuple[str, ...]], str] = {}
    for host in hosts:
        port = host.options[:2] if "-p" in host.options else ()
        other = places.setdefault((host.destination, port), host.name)
        if other != host.name:
            raise InputError(f"{where}: {other} and {host.name} are the same, {host.destination}; name one of them")
    return hosts


def _known(groups: Mapping[str, Any], every: Mapping[str, None]) -> str:
    return f"it has the groups {', '.join(groups)} and {len(every)} hosts"


def _read(source: str, where: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the groups, and the variables of each host."""
    if source == STDIN:
        data = sys.stdin.buffer.read() if sys.stdin else b""
    else:
        check_file(Path(source))
        data = Path(source).read_bytes()
    try:
        document = json.loads(data)
        variables = document.pop("_meta")["hostvars"]
        members = [each for group in document.values() for key in ("hosts", "children") for each in group.get(key, [])]
        is_whole = "all" in document and all(isinstance(each, str) for each in members)
        own = [name for name, group in document.items() if group.get("vars")]
        is_whole &= all(isinstance(each, dict) for each in variables.values())
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        is_whole = False
    if not is_whole:
        raise InputError(f"{where}: not what ansible-inventory prints as JSON; {_MAKE}")
    if own:
        raise InputError(f"{where}: the hosts lack the variables of their group {own[0]}; {_MAKE}, without --export")
    return document, variables


def _members(groups: Mapping[str, Any], name: str, seen: set[str]) -> Iterator[str]:
    """Yield the hosts of a group and of those below it."""
    if name not in seen:
        seen.add(name)
        yield from groups.get(name, {}).get("hosts", ())
        for child in groups.get(name, {}).get("children", ()):
            yield from _members(groups, child, seen)


def _host(name: str, variables: Mapping[str, Any], where: str) -> Host:
    """Return the host as its variables have it.

    Raises:
        InputError: one of them cannot be followed.
    """
    connection = _text(variables, ("ansible_connection",), name, where) or "ssh"
    if connection not in _SSH:
        raise InputError(
            f"{where}: {name} has ansible_connection {connection}, and deploy connects by ssh alone; leave that host "
            "out, with --limit of ansible-inventory or by naming the others"
        )
    followed = {*_ADDRESS, *_PORT, *_USER, *_KEY, *_ANSIBLES_OWN}
    for variable, value in variables.items():
        is_refused = variable in _REFUSED or (variable.startswith(_OF_SSH) and variable not in followed)
        if is_refused and str(value).strip().lower() not in _OFF:
            advice = _REFUSED.get(variable, _CONFIGURE)
            raise InputError(f"{where}: {name} has {variable}, which deploy does not follow; {advice}")
    user, address = (_text(variables, names, name, where) for names in (_USER, _ADDRESS))
    port, key = (_text(variables, names, name, where) for names in (_PORT, _KEY))
    if port and not (port.isdecimal() and 1 <= int(port) <= 65535):
        raise InputError(f"{where}: {name} has the port {port!a}; expected a number from 1 to 65535")
    destination = f"{user}@{address or name}" if user else address or name
    if not is_destination(destination):
        raise InputError(f"{where}: {destination!a} of {name} is not a host; name it as ssh takes it")
    return Host(name, destination, (*(("-p", port) if port else ()), *(("-i", key) if key else ())))


def _text(variables: Mapping[str, Any], names: Sequence[str], host: str, where: str) -> str | None:
    """Return the variable of one of these names, None where there is none or it is empty."""
    for name in names:
        value = variables.get(name)
        if value is None or value == "":
            continue
        if isinstance(value, bool) or not isinstance(value, str | int) or "{{" in str(value):
            raise InputError(
                f"{where}: {host} has {name} {json.dumps(value)}, which ansible-inventory leaves to a playbook; "
                "write down what it stands for"
            )
        return str(value)
    return None
