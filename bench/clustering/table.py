"""The table and the curves of all cells."""

from __future__ import annotations

from pathlib import Path
from typing import Any

SHOWN = (
    "precision",
    "recall",
    "f1",
    "f1_low",
    "f1_high",
    "ami",
    "ari",
    "v_measure",
    "f1_repeats_removed",
)


def markdown(cells: list[dict[str, Any]]) -> str:
    """One line for each reading of each cell."""
    lines = [
        "| file | clustering | posts | P | R | F1 | 2.5 % | 97.5 % | AMI | ARI | V | F1 no rep. "
        "| posts/s | MB | threshold |",
        "|---|---|" + "--:|" * 13,
    ]
    for cell in cells:
        if "not_run" in cell:
            file = cell["file"].split(".")[0]
            lines.append(f"| {file} | {cell['name']} | not run: {cell['not_run']} |" + " |" * 12)
            continue
        for reading, figures in cell["readings"].items():
            name = f"{cell['name']}, {reading}" if reading else cell["name"]
            scores = " | ".join(f"{figures[s]:.3f}" for s in SHOWN)
            lines.append(
                f"| {cell['file']} | {name} | {cell['posts']:,} | {scores} "
                f"| {cell['posts_per_s']:,.0f} | {cell['peak_mb']:,.0f} "
                f"| {cell.get('threshold', 'default')} |"
            )
    return "\n".join(lines)


def curves(cells: list[dict[str, Any]], path: Path) -> None:
    """B-cubed F1 over stream length, a panel for each file."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib.figure import Figure

    files = list(dict.fromkeys(c["file"] for c in cells if "curve" in c))
    figure = Figure(figsize=(5.2 * min(len(files), 3), 3.6 * -(-len(files) // 3)))
    for number, file in enumerate(files, 1):
        axes = figure.add_subplot(-(-len(files) // 3), min(len(files), 3), number)
        for cell in cells:
            if cell["file"] != file or "curve" not in cell:
                continue
            for reading, points in cell["curve"].items():
                ours = bool(reading)
                axes.plot(
                    [n for n, _ in points],
                    [f for _, f in points],
                    label=f"{cell['name']}, {reading}" if ours else cell["name"],
                    linewidth=2 if ours else 1,
                    linestyle="-" if ours else "--",
                )
        axes.set_title(file)
        axes.set_xlabel("posts")
        axes.set_ylabel("B-cubed F1")
        axes.set_ylim(0, 1)
        axes.grid(alpha=0.3)
        if number == 1:
            axes.legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
