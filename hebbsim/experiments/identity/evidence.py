"""Claims C3 and C6 from runs of `hebbsim run identity`."""

from collections.abc import Iterator
from typing import Any

from hebbsim.plots import wording
from hebbsim.runs.finished import RunTables, find, interval
from hebbsim.runs.report.claims import Finding, below

#: Share of the bits that went in, below which identity counts as destroyed.
HALF = 0.5
_LIMITS = ("bound", "estimate", "stream")


def findings(run: RunTables) -> Iterator[Finding]:
    """Shares of the bits that went in, by decoder and by precision; bits above the bound."""
    totals = [
        row
        for row in find(run.results, split="test", metric="total_bits")
        if row["model"] not in _LIMITS and row["words"].keys() <= {"precision", "rounding", "snr"}
    ]
    entropy = find(run.results, model="stream", metric="entropy")
    lags = run.config.get("lags")
    if not totals or not entropy or not lags:
        return
    went_in = float(entropy[0]["mean"]) * int(lags)
    held: dict[str, list[dict[str, Any]]] = {}
    for row in totals:
        held.setdefault(row["condition"], []).append(row)
    usual = min(held, key=lambda condition: wording.usual_first(held[condition][0]["words"]))
    what = f"share of the bits of the last {lags} tokens"
    for row in sorted(held[usual], key=lambda row: row["mean"]):
        yield _share(row, went_in, f"{what}, {name(row['words'])}, {row['model']} decoder")
    for condition, found in held.items():
        if condition != usual:
            best = max(found, key=lambda row: row["mean"])
            yield _share(best, went_in, f"{what}, {name(best['words'])}, best decoder")
    yield from _inequality(run, held[usual])


def name(words: dict[str, str]) -> str:
    """The condition of the state, for a sentence."""
    return wording.held(words).replace("noise ", "noise at ")


def _share(row: dict[str, Any], went_in: float, measure: str) -> Finding:
    found = interval(row)
    for key in ("mean", "low", "high"):
        if found[key] is not None:
            found[key] /= went_in
    judgement = below(found["low"], found["high"], HALF)
    return Finding("C3", measure, bound=HALF, judgement=judgement, **{**found, "unit": "fraction"})


def _inequality(run: RunTables, usual: list[dict[str, Any]]) -> Iterator[Finding]:
    """The largest excess over the bound, and the bits that a linear read-out misses."""
    excess = find(run.results, split="test", metric="excess")
    if excess:
        worst = max(excess, key=lambda row: row["mean"])
        found = interval(worst)
        held = below(found["low"], found["low"], 0.0) if found["low"] is not None else "open"
        if found["mean"] <= 0:
            held = "yes"
        text_stream = any("independent tokens" in note for note in run.document.get("notes", ()))
        yield Finding(
            "C6",
            f"most bits above the bound at any lag, over {len(excess)} decoders and conditions "
            f"({worst['model']}, {name(worst['words'])})"
            + "; in a text the bound is no strict one"
            * text_stream,
            bound=0.0,
            judgement="open" if text_stream and held == "no" else held,
            **found,
        )
    linear = [row for row in usual if row["model"] == "linear"]
    best = max(usual, key=lambda row: row["mean"])
    if linear and best is not linear[0]:
        left = best["mean"] - linear[0]["mean"]
        yield Finding(
            "C6",
            f"bits that a linear read-out misses and {best['model']} reads from the same "
            f"{name(best['words'])} state: not discarded",
            text=f"{left:.1f} of {best['mean']:.1f}",
            n=int(best["n"]),
        )
