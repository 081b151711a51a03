"""Print the rows of the language-model table of REPRODUCING.md from run folders.

    python experiments/lm/tabulate.py experiments/lm/results
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path


def shown(row: dict[str, str]) -> str:
    """A mean with its interval, and the number of seeds."""
    if row["unit"] in ("parameters", "tokens") and float(row["mean"]) > 1000:
        return f"{float(row['mean']):,.0f}, n = {row['n']}"
    text = f"{float(row['mean']):.3f}"
    if row["low"]:
        text += f" ({float(row['low']):.3f} to {float(row['high']):.3f})"
    return f"{text}, n = {row['n']}"


def wanted(row: dict[str, str]) -> bool:
    """Whether a row of results.csv is quoted: wholes rather than parts."""
    parts = ("distance=", "phenomenon=", "paradigm=", "layer=")
    if any(part in row["condition"] for part in parts):
        return False
    if row["metric"] == "loss":
        return row["split"] == "test"
    return row["metric"] in (
        "relative_difference", "accuracy", "accuracy_difference", "crossing", "final_ratio"
    )  # fmt: skip


def last_ratios(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """The ratio of perplexities at the end of training, by size."""
    found = {}
    for row in rows:
        if row["metric"] == "perplexity_ratio":
            size = row["condition"].split(" ")[0]
            found[row["model"], size] = row | {"metric": "final_ratio"}
    return list(found.values())


def main(folder: Path) -> None:
    """One line a quoted row, by run."""
    print("| run | split | model | condition | metric | expected (95 % interval) |")
    print("|---|---|---|---|---|---|")
    for path in sorted(folder.glob("*/results.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        for row in filter(wanted, rows + last_ratios(rows)):
            cells = (row[name] for name in ("split", "model", "condition", "metric"))
            print(f"| {path.parent.name} | {' | '.join(cells)} | {shown(row)} |")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "experiments/lm/results"))
