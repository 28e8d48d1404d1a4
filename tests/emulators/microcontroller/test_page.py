from __future__ import annotations

from mnist_edge_emulators.microcontroller import figures, page
from mnist_edge_emulators.microcontroller.figures import Row


def test_networks_that_do_not_fit_are_told_with_what_is_missing() -> None:
    rows = [
        Row("nano", "cortex-m0", 8000, 4000, "", 200, 1_500_000, 100, 1000),
        Row("base", "cortex-m0", 300_000, 4000, "37,856 bytes of flash"),
    ]
    for chip in ("cortex-m3", "cortex-m4", "cortex-m7", "cortex-m55", "rv32imc"):
        rows += [Row("nano", chip, 8000, 4000), Row("base", chip, 600_000, 20_000)]
    text = page.render(figures.document(rows))

    assert "| nano | `cortex-m0` | 8,000 | 4,000 | 200 | 1.50 |" in text
    assert "| base | `cortex-m0` | 300,000 | 4,000 | - | 37,856 bytes of flash missing |" in text
    assert "`cortex-m0` | fits | 37,856 bytes of flash missing |" in text  # of the micro:bit


def test_without_figures_there_is_no_section() -> None:
    assert page.render({}) == ""
