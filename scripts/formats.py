"""Write docs/formats.md from the reports of a run's exports.

mnist-edge train && mnist-edge export --format all --quantize all
mnist-edge export --quantize int4 --target-runtime litert
python scripts/formats.py runs/classic
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parent.parent / "docs" / "formats.md"
HEADER = """\
# Formats

Written by `python scripts/formats.py runs/classic` after `mnist-edge train`,
`mnist-edge export --format all --quantize all` and `mnist-edge export --quantize int4 --target-runtime litert`.
The Keras model, {architecture} with {parameters:,} parameters trained on {dataset}, reads {reference:.2%} of the
{images:,} test images. Each file was compared with it on every runtime named, in a process of its own; accuracy comes
with its 95 % Wilson interval, the SQNR is that of the logits.

"""
COUNTERPARTS = """
The same quantization in both formats:

| files | same answers | largest difference |
|---|---|---|
"""
COLUMNS = (
    *("format", "quantization", "KB", "runtime", "accuracy", "same answers"),
    *("worse / better", "McNemar p", "largest difference", "SQNR"),
)

LIMITS = """
A network whose probabilities are an average of several, or come in another way than from one softmax, ends in their
logarithm. In int8 and int16x8 that loses all probabilities below the smallest one that the integers hold, so that such
a file fails its proof.
"""


def row(report: dict[str, Any], runtime: str, figures: dict[str, Any]) -> str:
    """Return the line of one file on one runtime."""
    low, high = figures["accuracy_interval"]
    sqnr = "no noise" if figures["sqnr_db"] is None else f"{figures['sqnr_db']:.1f} dB"
    cells = [
        report["format"],
        report["quantization"],
        f"{report['bytes'] / 1000:.1f}",
        runtime.replace("==", " "),
        f"{figures['accuracy']:.2%} ({low:.2%} to {high:.2%})",
        f"{figures['agreement']:.2%}",
        f"{figures['lost']} / {figures['won']}",
        f"{figures['mcnemar_p']:.2g}",
        f"{figures['max_abs_difference']:.2g}",
        sqnr,
    ]
    return f"| {' | '.join(cells)} |\n"


def main(run: Path) -> None:
    """Write the page."""
    record = json.loads((run / "run.json").read_text(encoding="utf-8"))
    reports = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(run.glob("exports/*.parity.json"))]
    page = HEADER.format(
        architecture=record["architecture"],
        parameters=record["parameters"],
        dataset=record["dataset"]["name"],
        reference=reports[0]["reference_accuracy"],
        images=reports[0]["images"],
    )
    page += f"| {' | '.join(COLUMNS)} |\n{'|---' * len(COLUMNS)}|\n"
    for report in reports:
        for runtime, figures in report["reports"].items():
            page += row(report, runtime, figures)
    page += COUNTERPARTS
    for report in reports:
        if counterpart := report["counterpart"]:
            name = f"{report['format']}-{report['quantization']}"
            figures = f"{counterpart['agreement']:.2%} | {counterpart['max_abs_difference']:.2g}"
            page += f"| {counterpart['variant']}, {name} | {figures} |\n"
    PAGE.write_text(page + LIMITS, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
