"""Goals beside what a run measured: python experiments/bench/record.py RUN...

Copies the tables of run folders of `hebbsim bench` to ``experiments/bench/results/``, with the
machine, and writes ``experiments/bench/RESULTS.md`` from them. Folders there can be given again.
Of two runs that measured the same, the later one on the command line counts.
"""

from __future__ import annotations

import csv
import json
import shutil
import sys
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).parent
TABLES = ("results.csv", "contenders.csv", "timings.csv", "provenance.json", "config.json")


class Goal(NamedTuple):
    """What a row of the results should be at least, or at most where `most`."""

    text: str
    split: str
    metric: str
    words: dict[str, str]
    least: float | None
    aim: float | None = None
    most: bool = False


def ratio(split: str, way: str, over: str, least: float, aim: float | None = None) -> Goal:
    text = f"{split}, {way.replace('-', ' ')} / {over.replace('-', ' ')}"
    return Goal(text, split, "ratio", {"way": way, "over": over}, least, aim)


def share(split: str, way: str, limit: str, least: float | None, aim: float) -> Goal:
    text = f"{split}, {way.replace('-', ' ')}: share of {limit.replace('-', ' ')}"
    return Goal(text, split, "share_of_limit", {"way": way, "over": limit}, least, aim)


GOALS = (
    ratio("traces", "into-the-learner", "JAX-scan", 8),
    ratio("traces", "into-the-learner", "scipy-lfilter", 25),
    share("traces", "into-the-learner", "L2-store", 0.36, 0.6),
    ratio("traces", "to-DRAM", "JAX-scan", 3),
    share("traces", "to-DRAM", "DRAM-store", 0.6, 0.9),
    share("delta", "delta-rule", "FMA-peak", 0.62, 0.75),
    ratio("delta", "delta-rule", "JAX-scan", 1.5),
    ratio("delta", "delta-rule", "BLAS-loop", 2.3),
    ratio("delta", "delta-rule", "torch", 4),
    ratio("delta", "delta-rule", "BindsNET", 30),
    ratio("delta", "delta-rule", "ngc-learn", 40),
    ratio("roles", "whole-fit", "BiGRU", 10, 30),
    Goal("start-up, second process: CPU seconds to the first result", "startup", "cpu_seconds",
         {"way": "first-result-kernels-cached"}, 0.6, most=True),
    Goal("memory of 20 million tokens of text, 30,000 words, MB", "growth/tokens", "peak_memory",
         {"line": "peak-memory", "value": "20000000"}, 500, most=True),
)  # fmt: skip


def main(folders: list[str]) -> None:
    runs = [Path(folder) for folder in folders]
    if not runs:
        sys.exit(__doc__)
    documents = [read(run) for run in runs]
    for run in runs:
        target = HERE / "results" / run.name
        if run.resolve() == target:
            continue  # recorded before
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        for name in TABLES:
            shutil.copy(run / name, target / name)
        if (run / "figures").is_dir():
            shutil.copytree(run / "figures", target / "figures")
    rows = []
    seen: set[str] = set()  # works that a later run has measured
    for document in reversed(documents):
        rows += [row for row in document["results"] if row["split"] not in seen]
        seen |= {row["split"] for row in document["results"]}
    (HERE / "RESULTS.md").write_text(report(documents, rows), encoding="utf-8")


def read(run: Path) -> dict[str, Any]:
    """The results of a run folder, or of what was recorded of one, which has no notes."""
    if (run / "results.json").is_file():
        return json.loads((run / "results.json").read_text(encoding="utf-8"))
    with (run / "results.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        for name in ("mean", "low", "high"):
            row[name] = float(row[name]) if row[name] else None
    provenance = json.loads((run / "provenance.json").read_text(encoding="utf-8"))
    return {"results": rows, "provenance": provenance, "notes": []}


def report(documents: list[dict[str, Any]], rows: list[dict[str, Any]]) -> str:
    lines = ["# What `hebbsim bench` measured", ""]
    lines += ["Written by `record.py`; medians, with quartiles over the rounds.", ""]
    about = documents[-1]["provenance"]["machine"]
    caches = ", ".join(f"{name} {size // 1024:,} KB" for name, size in about["caches"].items())
    lines += [f"{about['cpu']}, {about['cores']} cores; {caches}; one core used.", ""]
    packages = {n: v for d in documents for n, v in d["provenance"]["packages"].items()}
    lines += [", ".join(f"{name} {version}" for name, version in packages.items()) + ".", ""]
    lines += ["| goal | at least | aim | measured | met |", "|---|---|---|---|---|"]
    lines += [goal_line(goal, rows) for goal in GOALS]
    lines += ["", "## Limits of the machine", "", "| limit | rate |", "|---|---|"]
    limits = [row for row in rows if row["metric"] == "limit"]
    for name in dict.fromkeys(row["model"] for row in limits):
        mine = sorted((r["mean"], r["unit"]) for r in limits if r["model"] == name)
        value, unit = mine[len(mine) // 2]
        lines.append(f"| {name} | {value:.3g} {unit} |")
    for split in dict.fromkeys(row["split"] for row in rows):
        mine = [row for row in rows if row["split"] == split and row["metric"] in SHOWN]
        on = {row["corpus"] for row in mine} - {"synthetic", "none"}
        lines += ["", f"## {', '.join([split, *sorted(on)])}", ""]
        lines += (growth if "/" in split else rates)(mine)
    notes = [note for document in documents for note in document["notes"]]
    lines += ["", *(f"- {note}" for note in dict.fromkeys(notes))]
    return "\n".join(lines).rstrip() + "\n"


def rates(rows: list[dict[str, Any]]) -> list[str]:
    """A line for each contender."""
    lines = ["| | median (quartiles) | |", "|---|---|---|"]
    for row in rows:
        ours = row["model"] == "hebbian"
        name = f"**hebbsim** {said(row)['way'].replace('-', ' ')}" if ours else row["model"]
        lines.append(f"| {name} | {spread(row)} | {row['unit']} |")
    return lines


def growth(rows: list[dict[str, Any]]) -> list[str]:
    """A line for each thing that grows, a column for each value."""
    cells: dict[str, dict[str, str]] = {}
    for row in rows:
        words = said(row)
        line = f"{words['line'].replace('-', ' ')} ({row['unit']})"
        cells.setdefault(line, {})[words["value"]] = number(row["mean"])
    values = list(dict.fromkeys(value for line in cells.values() for value in line))
    lines = [f"| | {' | '.join(f'{int(v):,}' for v in values)} |", "|---" * (len(values) + 1) + "|"]
    for name, found in cells.items():
        lines.append(f"| {name} | {' | '.join(found.get(v, '') for v in values)} |")
    return lines


#: Metrics that the tables of works show; the others follow from them.
SHOWN = ("rate", "cpu_seconds", "microseconds_per_token", "peak_memory")


def goal_line(goal: Goal, rows: list[dict[str, Any]]) -> str:
    found = find(rows, goal.split, goal.metric, goal.words)
    bound = "" if goal.least is None else f"{'at most ' if goal.most else ''}{goal.least:g}"
    aim = "" if goal.aim is None else f"{goal.aim:g}"
    if found is None:
        return f"| {goal.text} | {bound} | {aim} | not measured | |"
    return f"| {goal.text} | {bound} | {aim} | {spread(found)} | {verdict(goal, found['mean'])} |"


def verdict(goal: Goal, value: float) -> str:
    def reached(bound: float) -> bool:
        return value <= bound if goal.most else value >= bound

    if goal.aim is not None and reached(goal.aim):
        return "aim reached"
    if goal.least is None:
        return "short of the aim"
    if reached(goal.least):
        return "yes"
    return f"no, {value / goal.least:.2f} times the bound"


def find(
    rows: list[dict[str, Any]], split: str, metric: str, words: dict[str, str]
) -> dict[str, Any] | None:
    for row in rows:
        if (row["split"], row["metric"]) == (split, metric):
            given = said(row)
            if all(given.get(key) == value for key, value in words.items()):
                return row
    return None


def said(row: dict[str, Any]) -> dict[str, str]:
    return dict(word.split("=", 1) for word in row["condition"].split())


def spread(row: dict[str, Any]) -> str:
    if row["low"] is None:
        return number(row["mean"])
    return f"{number(row['mean'])} ({number(row['low'])} to {number(row['high'])})"


def number(value: float) -> str:
    return f"{float(f'{value:.3g}'):,.0f}" if value >= 1000 else f"{value:.3g}"


if __name__ == "__main__":
    main(sys.argv[1:])
