from __future__ import annotations

from mnist_edge_emulators.markdown import table


def test_a_table_has_a_rule_below_its_header_and_ends_with_its_last_row() -> None:
    assert table(["board", "fits"], [["pi5", "yes"], ["pi1", "no"]]) == (
        "| board | fits |\n| --- | --- |\n| pi5 | yes |\n| pi1 | no |"
    )
