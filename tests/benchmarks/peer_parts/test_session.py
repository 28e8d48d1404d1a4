from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any


def test_a_part_is_measured_once_on_a_machine_with_these_networks(part: Callable[[str], Any], tmp_path: Path) -> None:
    session = part("session")
    file = tmp_path / "made" / "figures.json"
    record = session.Record(file)
    assert not record.has("photos")

    record.measure("photos", lambda: {"right": 7})

    again = session.Record(file)
    assert again.has("photos")
    assert again.parts["photos"]["figures"] == {"right": 7}
    assert again.parts["photos"]["machine"] == session.machine()
    for key in ("machine", "networks"):
        document = json.loads(file.read_text())
        document["photos"][key] = "another"
        (tmp_path / "other.json").write_text(json.dumps(document))
        assert not session.Record(tmp_path / "other.json").has("photos")
