"""The command `deploy`: install a bundle on devices over ssh, or ask them what they run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from mnist_edge_runtime.errors import UsageError, VerificationError
from mnist_edge_runtime.json_output import print_result
from mnist_edge_runtime.path_checks import check_file

from ..options import AsJson

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .access import Access
    from .hosts import Host
    from .plan import HostOutcome, Plan

__all__ = ["deploy"]


def deploy(
    bundle: Annotated[
        str | None, typer.Argument(help="File that mnist-edge bundle has written; none with --status.")
    ] = None,
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
    allowed_signers: Annotated[
        Path | None,
        typer.Option(
            help="Signers of whom one must have signed the bundle. (default: ~/.config/mnist-edge/allowed_signers, "
            "if any)",
            callback=check_file,
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Connect and check, but change nothing.")] = False,
    status: Annotated[
        bool, typer.Option("--status", help="Ask the hosts what they run, and run the self-test there again.")
    ] = False,
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

    named = list(host or ())
    if status:
        if dry_run or batch is not None:
            raise UsageError("--status changes nothing; leave out --dry-run and --batch")
        if allowed_signers:
            raise UsageError("--status installs nothing; leave out --allowed-signers")
        if bundle and bundle.endswith(".tar.gz"):
            raise UsageError(f"--status takes hosts alone; leave out {bundle}")
        named = [bundle, *named] if bundle else named  # typer took the first host for the bundle
    elif not bundle:
        raise UsageError("no bundle; name the file that mnist-edge bundle has written, or ask hosts with --status")
    elif not bundle.endswith(".tar.gz") and not Path(bundle).exists():  # a host's name, most likely
        raise UsageError(f"{bundle}: no such bundle; name the file that mnist-edge bundle has written before the hosts")
    names = read_names(named, hosts)
    every = from_names(names) if inventory is None else from_inventory(inventory, names)
    access = Access(prefix, timeout, ssh_config)
    if status:
        _ask(every, access, parallel, as_json)
    elif bundle:
        from .plan import Plan

        check_file(file := Path(bundle))
        _deploy(Plan.of(file, access, dry_run=dry_run, signers=allowed_signers), every, parallel, batch, as_json)


def _ask(hosts: Sequence[Host], access: Access, parallel: int, as_json: bool) -> None:
    """Print what each host runs.

    Raises:
        VerificationError: one did not prove itself.
    """
    from .status import ask, table

    found = ask(hosts, access, parallel)
    print_result(as_json, {"hosts": [each.to_dict() for each in found]}, table(found))
    if failed := [each.host for each in found if not each.passed]:
        raise VerificationError(f"not every host proved itself: {', '.join(failed)} did not; see the lines above")


def _deploy(plan: Plan, hosts: Sequence[Host], parallel: int, batch: int | None, as_json: bool) -> None:
    """Deploy to all hosts, and print the outcomes.

    Raises:
        VerificationError: one failed.
    """
    from .plan import table
    from .rollout import deploy as deploy_to

    reached: dict[str, HostOutcome] = {}
    try:
        deploy_to(plan, hosts, parallel, batch, reached)
    finally:  # also after Ctrl-C: some hosts may have it
        outcomes = [*reached.values()]
        if any(each.state != "not begun" for each in outcomes):
            about = {"bundle": str(plan.bundle), "version": plan.identity, "dry_run": plan.dry_run}
            print_result(as_json, {**about, "hosts": [each.to_dict() for each in outcomes]}, table(outcomes))
    if failed := [each.host for each in outcomes if each.reason]:
        left = [each.host for each in outcomes if each.state == "not begun"]
        more = f", {', '.join(left)} not begun" if left else ""
        raise VerificationError(f"not on every host: {', '.join(failed)} failed{more}; see the lines above")
