"""Put what the runs of `hebbsim run identity` found into experiments/REPRODUCING.md.

    python experiments/identity/tabulate.py [RUN FOLDER]...

The rows of each run folder are kept as ``results/NAME.csv``; the table of claims is made
from those files alone.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

from hebbsim.runs.report.page import fill

HERE = Path(__file__).parent
PAGE = HERE.parent / "REPRODUCING.md"

F32, BF16, DB20 = "precision=float32", "precision=bfloat16", "precision=float64 snr=20"
#: Corpora whose structure is read, and the run that has it.
RUNS = (("builtin", "default"), ("ewt", "ewt"), ("cogs", "cogs"))
#: Claim, run, split, model, condition, metric.
CLAIMS = [
    ("lags that linear finds, float32", "default", "test", "linear", F32, "lags_found"),
    ("lags that cancellation finds, float32", "default", "test", "cancellation", F32, "lags_found"),
    ("the same, bfloat16", "default", "test", "cancellation", BF16, "lags_found"),
    ("the same, int8", "default", "test", "cancellation", "precision=int8", "lags_found"),
    ("the same, noise at 20 dB", "default", "test", "cancellation", DB20, "lags_found"),
    ("accuracy of cancellation at lag 11, float32", "default", "test", "cancellation",
     f"lag=11 {F32}", "accuracy"),
    ("bits of 319: linear, float32", "default", "test", "linear", F32, "total_bits"),
    ("bits of 319: cancellation, float32", "default", "test", "cancellation", F32, "total_bits"),
    ("capacity map: timescale 2, bfloat16", "default", "map", "cancellation",
     f"timescales=2 {BF16}", "total_bits"),
    ("capacity map: 2,8,32, bfloat16", "default", "map", "cancellation",
     f"timescales=2,8,32 {BF16}", "total_bits"),
    ("capacity map: 16 timescales, bfloat16", "default", "map", "cancellation",
     f"timescales=log16 {BF16}", "total_bits"),
    ("list of 32, bits of 319, bfloat16", "beam", "test", "beam", BF16, "total_bits"),
    ("beside it cancellation", "beam", "test", "cancellation", BF16, "total_bits"),
    ("list of 32, timescale 5 alone, float32", "beam-5", "test", "beam", F32, "total_bits"),
    ("beside it cancellation", "beam-5", "test", "cancellation", F32, "total_bits"),
    ("exact bits of six tokens in noise", "default", "processing", "exact", "", "total_bits"),
    ("a linear probe on the state", "default", "processing", "linear",
     "layers=cancellation depth=0", "total_bits"),
    ("after six steps of cancellation", "default", "processing", "linear",
     "layers=cancellation depth=6", "total_bits"),
    ("after six random layers", "default", "processing", "linear", "layers=tanh depth=6",
     "total_bits"),
    *[
        (f"{what}, {corpus}", run, "structure", model, condition, "share")
        for corpus, run in RUNS
        for what, model, condition in (
            ("word at lag 1, linear", "traces", "property=word lag=1"),
            ("word at lag 8, linear", "traces", "property=word lag=8"),
            ("word at lag 8, cancellation, float32", "cancellation",
             f"property=word lag=8 {F32}"),
            ("word at lag 8, fast weights", "fast-weights", "property=word lag=8"),
            ("role at lag 1, random codes", "traces", "property=role lag=1"),
            ("role at lag 1, learned codes", "traces-learned", "property=role lag=1"),
            ("part of speech at lag 1, learned codes", "traces-learned", "property=pos lag=1"),
            ("depth at lag 1, learned codes", "traces-learned", "property=depth lag=1"),
            ("position at lag 1, learned codes", "traces-learned", "property=position lag=1"),
            ("number of the subject, learned codes", "traces-learned",
             "property=subject_number"),
        )
    ],
    *[
        (f"selectivity of {name} at lag 1, {corpus}", run, "structure", "traces-learned",
         f"property={name} lag=1", "selectivity")
        for corpus, run in RUNS
        for name in ("pos", "role", "depth")
    ],
    ("English text: bits that the next token tells", "text", "test", "stream", "order=2",
     "ngram_information"),
    ("the next two tokens", "text", "test", "stream", "order=3", "ngram_information"),
    ("the next three tokens", "text", "test", "stream", "order=4", "ngram_information"),
    ("cancellation over 16 lags, noise at 20 dB", "text", "test", "cancellation", DB20,
     "total_bits"),
    ("of these beyond a bigram model", "text", "test", "cancellation", DB20,
     "total_beyond_bigram"),
    ("cancellation with the bigram model as prior", "text", "test", "language", DB20,
     "total_bits"),
    ("linear over 16 lags", "text", "test", "linear", DB20, "total_bits"),
]  # fmt: skip


def keep(folder: Path) -> None:
    """Rows of a run, at six digits, under the name of its folder."""
    with open(folder / "results.csv", newline="", encoding="utf-8") as source:
        rows = list(csv.DictReader(source))
    target = HERE / "results" / f"{folder.name}.csv"
    target.parent.mkdir(exist_ok=True)
    with open(target, "w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        for row in rows:
            for name in ("mean", "low", "high"):
                if row[name]:
                    row[name] = f"{float(row[name]):.6g}"
            writer.writerow(row)


def claims() -> list[str]:
    """Lines of the table; a claim whose run is not there is left out."""
    runs = {}
    for path in (HERE / "results").glob("*.csv"):
        with open(path, newline="", encoding="utf-8") as file:
            runs[path.stem] = {
                (r["split"], r["model"], r["condition"], r["metric"]): r
                for r in csv.DictReader(file)
            }
    lines = ["| measure | run | expected (95 % interval) | seeds |", "|---|---|---|---|"]
    for claim, run, *key in CLAIMS:
        row = runs.get(run, {}).get(tuple(key))
        if row is None:
            continue
        digits = 1 if row["unit"] in ("lags", "tokens") or float(row["mean"]) > 20 else 3
        value = f"{float(row['mean']):.{digits}f}"
        if row["low"]:
            value += f" ({float(row['low']):.{digits}f} to {float(row['high']):.{digits}f})"
        lines.append(f"| {claim} | {run} | {value} | {row['n']} |")
    return lines


def main() -> None:
    for folder in map(Path, sys.argv[1:]):
        keep(folder)
    fill(PAGE, identity=claims())


if __name__ == "__main__":
    main()
