"""Accuracies of run folders as one Markdown table: python experiments/roles/tabulate.py RUN...

One line a model and condition, with the 95 % interval over seeds; ratios and differences to
the BiGRU, with the bootstrap over sentences.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

SPLITS = ("test", "gen", "gen/obj_pp_to_subj_pp")
COMPARED = ("over=bigru", "minus=bigru", "minus=bigru/readout", "minus=bigru/readout-100")


def main(folders: list[str]) -> None:
    print("| run | model | condition | " + " | ".join(SPLITS) + " |")
    print("|---|---|---|" + "---|" * len(SPLITS))
    for folder in folders:
        rows = json.loads((Path(folder) / "results.json").read_text(encoding="utf-8"))["results"]
        lines: dict[tuple[str, str], dict[str, str]] = {}
        for row in rows:
            compared = row["condition"].split()[-1:] and row["condition"].split()[-1] in COMPARED
            if row["role"] or not (row["metric"] == "accuracy" or compared):
                continue
            low, high = row["low"], row["high"]
            interval = "" if low is None else f" ({low:.3f} to {high:.3f})"
            line = lines.setdefault((row["model"], row["condition"]), {})
            line[row["split"]] = f"{row['mean']:.3f}{interval}"
        for (model, condition), line in lines.items():
            cells = [line.get(split, "") for split in SPLITS]
            print(f"| {Path(folder).name} | {model} | {condition} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main(sys.argv[1:])
