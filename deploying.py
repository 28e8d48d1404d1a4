"""The command that brings a bundle to devices."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from mnist_edge.options import AsJson, show
from mnist_edge_runtime.errors import VerificationError

__all__ = ["deploy"]


def deploy(
    bundle: Annotated[Path, typer.Argument(help="What mnist-edge bundle made.")],
    host: Annotated[list[str] | None, typer.Argument(help="As ssh takes it; several at once.")] = None,
    hosts: Annotated[Path | None, typer.Option(help="A file with more of them, one a line.")] = None,
    prefix: Annotated[
        str | None, typer.Option(help="The folder on each host. (default: ~/.local/share/mnist-edge)")
    ] = None,
    parallel: Annotated[int, typer.Option(help="Hosts at a time.")] = 8,
    timeout: Annotated[float, typer.Option(help="Seconds that a host may take.")] = 900,
    ssh_config: Annotated[
        Path | None, typer.Option(help="As ssh -F: a configuration in place of ~/.ssh/config.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Connect and look, change nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Install a bundle on devices over ssh and let each prove itself; one that fails is left as it was.

    Each host needs python3, and lets you in with a key: nothing is ever asked.
    """
    from mnist_edge_exporters import deploy as deployment

    every = deployment.read_hosts(host or (), hosts)
    plan = deployment.Plan.of(bundle, prefix=prefix, dry_run=dry_run, timeout=timeout, ssh_config=ssh_config)
    outcomes = deployment.deploy(plan, every, parallel)
    about = {"bundle": str(bundle), "version": plan.identity, "dry_run": dry_run}
    show(as_json, {**about, "hosts": [each.to_dict() for each in outcomes]}, deployment.table(outcomes))
    if failed := [each.host for each in outcomes if each.reason]:
        raise VerificationError(f"not on every host: {', '.join(failed)} failed; the lines above tell why")
