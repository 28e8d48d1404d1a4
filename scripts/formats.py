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

from mnist_edge_runtime.model_file import sealed_model

PAGE = Path(__file__).parent.parent / "docs" / "formats.md"
HEADER = """\
# Formats

Written by `python scripts/formats.py runs/classic` after `mnist-edge train`,
`mnist-edge export --format all --quantize all` and `mnist-edge export --quantize int4 --target-runtime litert`.
The Keras model, {architecture} with {parameters:,} parameters trained on {dataset}, reads {reference:.2%} of the
{images:,} test images. Each file was held against it on every runtime named, in a process of its own; accuracy comes
with its 95 % Wilson interval, the SQNR is that of the logits.

"""
TWINS = """
The same quantization in both formats:

| files | same answers | largest difference |
|---|---|---|
"""
HALVES = """
Calibrated with either half of the {samples} calibration images alone, on {images:,} validation images:

| file | accuracy | difference |
|---|---|---|
"""
COLUMNS = (
    *("format", "quantization", "KB", "runtime", "accuracy", "same answers"),
    *("worse / better", "McNemar p", "largest difference", "SQNR"),
)


def row(report: dict[str, Any], runtime: str, figures: dict[str, Any]) -> str:
    """Return the line of one file on one runtime."""
    low, high = figures["accuracy_interval"]
    sqnr = "no noise" if figures["sqnr_db"] is None else f"{figures['sqnr_db']:.1f} dB"
    cells = [
        report["format"],
        report["quantization"],
        f"{report['bytes'] / 1024:.1f}",
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
    page += TWINS
    for report in reports:
        if twin := report["twin"]:
            name = f"{report['format']}-{report['quantization']}"
            page += f"| {twin['cell']}, {name} | {twin['agreement']:.2%} | {twin['max_abs_difference']:.2g} |\n"
    contracts = [sealed_model.read(run / "exports" / report["file"]).contract for report in reports]
    calibrated = [contract for contract in contracts if contract.origin["calibration"]]
    passport = calibrated[0].origin["calibration"]
    page += HALVES.format(samples=passport["samples"], images=passport["halves"]["images"])
    for contract in calibrated:
        halves = contract.origin["calibration"]["halves"]
        accuracies = " / ".join(f"{accuracy:.2%}" for accuracy in halves["accuracy"])
        page += f"| {contract.format}-{contract.quantization} | {accuracies} | {halves['difference']:.2%} |\n"
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
