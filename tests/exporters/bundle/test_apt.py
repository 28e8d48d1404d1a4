"""The sources of packages are this machine's, for another release of Debian."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from mnist_edge_exporters.bundle import apt


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (["http://a/debian/ bookworm main", "http://a/debian/ bookworm contrib"], ["bookworm"]),
        (["http://a/debian/ stable main", "http://b/sec/ stable-security main"], ["bookworm", "bookworm-security"]),
        (["http://a/debian/ bookworm main", "http://a/debian/ bookworm-updates main"], ["bookworm"]),
    ],
)
def test_the_sources_are_this_machines_for_the_targets_release(
    rows: Sequence[str], expected: Sequence[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apt, "_codename", lambda: "bookworm")
    monkeypatch.setattr(apt, "call", lambda *arguments: "\n".join(rows))
    text = apt.sources("bookworm", security=True)
    assert [line.split()[1] for line in text.splitlines() if line.startswith("Suites: ")] == expected
    assert "security" not in apt.sources("bookworm", security=False)
