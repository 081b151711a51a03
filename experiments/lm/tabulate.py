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
        return f"{float(row['mean']):,.0f}"
    text = f"{float(row['mean']):.3f}"
    if row["low"]:
        text += f" ({float(row['low']):.3f} to {float(row['high']):.3f})"
    return f"{text}, n = {row['n']}"


def wanted(row: dict[str, str]) -> bool:
    """Whether a row of results.csv is quoted: wholes, ratios at the end, pairs of recall."""
    condition, metric = row["condition"], row["metric"]
    if metric in ("loss", "relative_difference", "perplexity", "probe"):
        return "layer=1" in condition or metric != "probe"
    if metric == "accuracy":
        return not any(word in condition for word in ("paradigm", "phenomenon"))
    return metric in ("perplexity_ratio", "crossing", "accuracy_difference") and (
        "paradigm" not in condition and "phenomenon" not in condition
    )


def main(folder: Path) -> None:
    """One line a quoted row, by run."""
    print("| run | split | model | condition | metric | expected (95 % interval) |")
    print("|---|---|---|---|---|---|")
    for path in sorted(folder.glob("*/results.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            for row in filter(wanted, csv.DictReader(file)):
                cells = (row[name] for name in ("split", "model", "condition", "metric"))
                print(f"| {path.parent.name} | {' | '.join(cells)} | {shown(row)} |")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "experiments/lm/results"))
