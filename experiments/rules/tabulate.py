"""The table of `hebbsim run rules`: python experiments/rules/tabulate.py [RUN]

Copies the comparisons of a run folder to ``experiments/rules/results`` and writes the table in
``experiments/REPRODUCING.md`` from what is there.
"""

from __future__ import annotations

import csv
import shutil
import sys
from pathlib import Path

from hebbsim.runs.report.page import fill

HERE = Path(__file__).parent
KEPT = HERE / "results"
TABLES = ("ablations.csv", "comparisons.csv", "config.json", "provenance.json")
PAGE = HERE.parent / "REPRODUCING.md"


def rows(name: str) -> list[dict[str, str]]:
    with (KEPT / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def table() -> list[str]:
    """A line for each change: accuracy, and its difference to the network as it is."""
    found = {
        (row["split"], row["condition"].partition(" ")[2]): row
        for row in rows("comparisons.csv")
        if row["metric"] == "accuracy" and not row["role"]
    }
    lines = [
        "| part | in place of its rule | test | difference | gen | difference |",
        "|---" * 6 + "|",
    ]
    for change in rows("ablations.csv"):
        name, condition = change["name"] + " *" * (change["idle"] == "True"), change["condition"]
        if change["failed"]:
            lines.append(f"| {change['group']} | {name} | {change['failed']} | | | |")
        elif ("test", condition) in found:
            cells = [cell for split in ("test", "gen") for cell in said(found[split, condition])]
            lines.append(f"| {change['group']} | {name} | {' | '.join(cells)} |")
    return lines


def said(row: dict[str, str]) -> tuple[str, str]:
    difference, low, high = (float(row[key]) for key in ("difference", "low", "high"))
    return (
        f"{float(row['value']):.3f}",
        f"{difference:+.3f} ({low:+.3f} to {high:+.3f}), {row['verdict']}",
    )


def main(folders: list[str]) -> None:
    if folders:
        KEPT.mkdir(exist_ok=True)
        for name in TABLES:
            shutil.copy(Path(folders[0]) / name, KEPT / name)
    fill(PAGE, ablations=table())


if __name__ == "__main__":
    main(sys.argv[1:])
