"""The command `deploy`: install a bundle on devices over ssh."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from mnist_edge_runtime.errors import UsageError, VerificationError
from mnist_edge_runtime.json_output import print_result
from mnist_edge_runtime.path_checks import check_file

from ..options import AsJson

__all__ = ["deploy"]


def deploy(
    bundle: Annotated[Path, typer.Argument(help="File that mnist-edge bundle has written.", callback=check_file)],
    host: Annotated[
        list[str] | None,
        typer.Argument(
            help="Hosts as ssh takes them; with --inventory its hosts and groups. (default: the whole inventory)"
        ),
    ] = None,
    hosts: Annotated[Path | None, typer.Option(help="File with more hosts, one per line.", callback=check_file)] = None,
    inventory: Annotated[
        str | None, typer.Option(help="File with what ansible-inventory --list prints, - for stdin.")
    ] = None,
    prefix: Annotated[
        str | None, typer.Option(help="Folder to install into on each host. (default: ~/.local/share/mnist-edge)")
    ] = None,
    parallel: Annotated[int, typer.Option(help="Number of hosts at the same time.")] = 8,
    batch: Annotated[
        int | None,
        typer.Option(help="Number of hosts in a batch; after one with a failure no other begins. (default: all hosts)"),
    ] = None,
    timeout: Annotated[float, typer.Option(help="Maximum duration for each host, in seconds.")] = 900,
    ssh_config: Annotated[
        Path | None, typer.Option(help="Configuration file for ssh. (default: ~/.ssh/config)", callback=check_file)
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Connect and check, but change nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Install a bundle on devices over ssh and run the self-test on each; one that fails stays as it was.

    Each host needs python3 and must accept your ssh key: nothing is ever asked.
    """
    if sys.platform == "win32":  # where a socket cannot be a program's stdin
        raise UsageError("deploy needs Linux or macOS; on Windows run it in WSL")
    from .access import Access
    from .hosts import from_names, read_names
    from .inventory import from_inventory
    from .plan import Plan, table
    from .rollout import deploy as deploy_to

    names = read_names(host or (), hosts)
    every = from_names(names) if inventory is None else from_inventory(inventory, names)
    plan = Plan.of(bundle, Access(prefix, timeout, ssh_config), dry_run=dry_run)
    outcomes = deploy_to(plan, every, parallel, batch)
    about = {"bundle": str(bundle), "version": plan.identity, "dry_run": dry_run}
    print_result(as_json, {**about, "hosts": [each.to_dict() for each in outcomes]}, table(outcomes))
    if failed := [each.host for each in outcomes if each.reason]:
        left = [each.host for each in outcomes if each.state == "not begun"]
        more = f", {', '.join(left)} not begun" if left else ""
        raise VerificationError(f"not on every host: {', '.join(failed)} failed{more}; see the lines above")
