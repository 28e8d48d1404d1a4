"""A bundle onto many devices at once, over the system's OpenSSH: `read_hosts`, `Plan`, `deploy` and `table`."""

from .hosts import read_hosts
from .plan import Outcome, Plan, table
from .rollout import deploy

__all__ = ["Outcome", "Plan", "deploy", "read_hosts", "table"]
