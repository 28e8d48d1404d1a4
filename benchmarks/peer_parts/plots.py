"""Draw the plots of docs/benchmarks.md about others."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mnist_edge_runtime.files import atomic_path

from .merged import CONVERSION_PARTS, read, trained
from .training import GOAL

__all__ = ["draw"]

OURS, OTHERS = "#1f77b4", "#9a9a9a"
RIGHT, NONE, WRONG = "#2a7f3f", "#c9c9c9", "#c0392b"
DPI = 70


def draw(folder: Path, parts: Mapping[str, Mapping[str, Any]]) -> list[Path]:
    """Draw a plot for each part whose figures are there; return the files."""
    import matplotlib

    matplotlib.use("Agg")
    plots = {
        "conversion": (conversion, CONVERSION_PARTS),
        "photos": (photos, {"photos"}),
        "training": (training, set()),
    }
    files = []
    for name, (plot, needed) in plots.items():
        if (needed <= parts.keys()) if name != "training" else trained(parts):
            figure = plot(parts)
            file = folder / f"peers-{name}.png"
            with atomic_path(file) as temporary:
                figure.savefig(temporary, format="png", dpi=DPI, metadata={"Software": None})
            files.append(file)
    return files


def _colour(title: str) -> str:
    return OURS if title.startswith("mnist-edge") else OTHERS


def conversion(parts: Mapping[str, Mapping[str, Any]]) -> Any:
    """Draw accuracy and seconds of the smaller network's conversions."""
    from matplotlib import pyplot as plt

    network = "small"
    files, times = (parts[part]["figures"]["networks"][network] for part in ("files", "conversion"))
    titles = [title for title in times if "failed" not in times[title] and "failed" not in files[title]]
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(10, 0.42 * len(titles) + 1.2), sharey=True, layout="constrained"
    )
    accuracy = [100 * files[title]["accuracy"] for title in titles]
    for title, value in zip(titles, accuracy, strict=True):
        left.plot(value, title, "o", color=_colour(title), markersize=9)
    left.axvline(100 * files["keras"]["accuracy"], color="black", linewidth=0.8, linestyle="--")
    left.margins(x=0.15)
    left.set_xlabel(f"% of 10,000 test images, {network}; dashed: Keras")
    left.grid(axis="y", linewidth=0.4)
    seconds = [times[title]["processor"] for title in titles]
    proofs = parts["proofs"]["figures"]["networks"][network]
    proof = [
        max(0.0, proofs[title]["processor"] - spent) if title in proofs else 0.0
        for title, spent in zip(titles, seconds, strict=True)
    ]
    right.barh(titles, seconds, color=[_colour(title) for title in titles], label="conversion, with imports")
    right.barh(titles, proof, left=seconds, color="#a6cbe8", label="proof")
    right.set_xlabel("seconds of processors")
    right.legend(fontsize=8)
    left.invert_yaxis()
    return figure


def photos(parts: Mapping[str, Mapping[str, Any]]) -> Any:
    """Draw what each reader reads right, not at all, and wrong, of digits and of lines."""
    from matplotlib import pyplot as plt

    figures = read(parts)
    kinds = ("single", "lines")
    heights = [len(figures[kind]) for kind in kinds]
    size = (9, 0.45 * sum(heights) + 1.6)
    figure, axes = plt.subplots(2, 1, figsize=size, height_ratios=heights, sharex=True, layout="constrained")
    for axis, kind in zip(axes, kinds, strict=True):
        readers, left = list(figures[kind]), [0.0] * len(figures[kind])
        for key, colour in (("right", RIGHT), ("none", NONE), ("wrong", WRONG)):
            shares = [100 * figures[kind][reader][key] / figures[kind][reader]["of"] for reader in readers]
            axis.barh(readers, shares, left=left, color=colour, label={"none": "no answer"}.get(key, key))
            left = [start + share for start, share in zip(left, shares, strict=True)]
        axis.invert_yaxis()
        of = figures[kind][readers[0]]["of"]
        axis.set_title(f"{of} single digits" if kind == "single" else f"{of} lines", fontsize=10, loc="left")
    axes[1].set_xlabel("%")
    axes[1].set_xlim(0, 100)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower right", ncols=3, fontsize=9)
    return figure


def training(parts: Mapping[str, Mapping[str, Any]]) -> Any:
    """Draw the validation accuracy of each training by the seconds since its start."""
    from matplotlib import pyplot as plt

    figure, axis = plt.subplots(figsize=(8, 3.6), layout="constrained")
    colours = iter((OURS, "black", "#7fb3dc"))
    for title, seeds in trained(parts).items():
        colour = next(colours)
        for seed, epochs in enumerate(seeds):
            seconds, accuracy = [epoch[1] for epoch in epochs], [100 * epoch[2] for epoch in epochs]
            label = title if seed == 0 else None
            axis.plot(seconds, accuracy, "o-", color=colour, markersize=4, linewidth=1, label=label)
    axis.axhline(100 * GOAL, color="black", linewidth=0.8, linestyle="--")
    axis.set_xlim(left=0)
    axis.set_xlabel("seconds since the start of the command")
    axis.set_ylabel("% of validation images")
    axis.legend(fontsize=9, loc="lower right")
    return figure
