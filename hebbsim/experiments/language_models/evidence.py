"""Claims C4, C5, C7 and C8 from runs of language models.

They use ``perplexity_ratio`` during training and ``loss`` (nats per token) of `hebbsim run lm`;
``relative_difference`` of the loss of ``predictor``; ``loss`` and ``accuracy`` of ``selection`` and
``recall``, by memory and compared with ``ema``; and ``probe`` (how readable an early layer is at
the top) and ``loss`` of ``depth``, for the models ``residual`` and ``selection``.
"""

import math
from collections.abc import Iterator
from typing import Any

from pandas import DataFrame

from hebbsim.runs.finished import RunTables, find, interval
from hebbsim.runs.report.claims import Finding, Judgement, at_least

#: Perplexity of the paper's EMA model over GPT-2's, on C4.
TIMES = 8.0
#: Largest difference in loss that counts as none, as a share.
SAME = 0.015
#: Memories that depend on the input, and the one with decays that are only learned.
SELECTIVE = ("gated", "delta", "attention")
LEARNED = "learned"


def behind(run: RunTables) -> Iterator[Finding]:
    """Perplexity of each model divided by that of GPT-2, at the end of training."""
    last: dict[tuple[str, str], dict[str, Any]] = {}
    for row in find(run.results, metric="perplexity_ratio"):
        key = row["model"], row["words"].get("preset", "")
        if key not in last or _tokens(row) > _tokens(last[key]):
            last[key] = row
    for (models, preset), row in last.items():
        found = interval(row)
        yield Finding(
            "C4", f"perplexity of {models}, {preset}, {row['split']} after {_tokens(row):,} tokens",
            bound=TIMES, judgement=at_least(found["low"], found["high"], TIMES), **found,
        )  # fmt: skip
    for mine, theirs in _pairs(run.results, "loss", "gpt2"):
        if mine["words"].keys() <= {"preset"}:
            gap = difference(mine, theirs)
            ratio: dict[str, Any] = {k: None if x is None else math.exp(x) for k, x in gap.items()}
            yield Finding(
                "C4", f"perplexity of {mine['model']}/gpt2, {_where(mine)}",
                **ratio, n=int(mine["n"]), unit="ratio", bound=TIMES,
                judgement=at_least(ratio["low"], ratio["high"], TIMES),
            )  # fmt: skip


def _tokens(row: dict[str, Any]) -> int:
    return int(row["words"].get("tokens", 0))


def same(run: RunTables) -> Iterator[Finding]:
    """Loss of other predictors minus that of the first one, as a share of it, by seed."""
    for row in find(run.results, metric="relative_difference"):
        found = interval(row)
        yield Finding(
            "C5", f"loss of {row['model']} minus that of {row['words'].get('minus', 'the first')}, "
            f"as a share, {row['split']}",
            bound=SAME, judgement=_within(found["low"], found["high"]), **found,
        )  # fmt: skip


def _within(low: float | None, high: float | None) -> Judgement:
    """Whether the interval of a share lies within `SAME` of 0."""
    if low is None or high is None:
        return "open"
    if -SAME <= low and high <= SAME:
        return "yes"
    return "no" if low > SAME or high < -SAME else "open"


def ladder(run: RunTables) -> Iterator[Finding]:
    """Memories compared with fixed decays: loss, where lower is better, and accuracy."""
    for metric, better in (("loss", -1.0), ("accuracy", 1.0)):
        for mine, theirs in _pairs(run.results, metric, "ema"):
            selective = mine["model"] in SELECTIVE
            if mine["words"] or not (selective or mine["model"] == LEARNED):
                continue
            gap = difference(mine, theirs)
            ends = sorted(better * gap[end] for end in ("low", "high") if gap[end] is not None)
            low, high = ends if len(ends) == 2 else (None, None)
            # Decays that do not depend on the input should show no gain.
            told: Judgement = "open" if low is None else "no" if low > 0 else "yes"
            yield Finding(
                "C7", f"{metric} of {mine['model']} minus that of fixed decays, {_where(mine)}",
                **gap, n=int(mine["n"]), unit=mine["unit"], bound=0.0,
                judgement=at_least(low, high, 0.0) if selective else told,
            )  # fmt: skip


def depth(run: RunTables) -> Iterator[Finding]:
    """Selection over layers compared with the residual stream: the earliest layer, and the loss."""
    pairs = list(_pairs(run.results, "probe", "residual"))
    earliest = min((int(mine["words"].get("layer", 0)) for mine, _ in pairs), default=0)
    for mine, theirs in pairs:
        if int(mine["words"].get("layer", 0)) == earliest:
            gap = difference(mine, theirs)
            yield Finding(
                "C8", f"readable of layer {earliest} at the last of {mine['words']['layers']}, "
                "selection over layers minus residual stream",
                **gap, n=int(mine["n"]), unit=mine["unit"], bound=0.0,
                judgement=at_least(gap["low"], gap["high"], 0.0),
            )  # fmt: skip
    for mine, theirs in _pairs(run.results, "loss", "residual"):
        yield Finding(
            "C8", f"loss, selection over layers minus residual stream, {_where(mine)}",
            **difference(mine, theirs), n=int(mine["n"]), unit=mine["unit"],
        )  # fmt: skip


def _pairs(
    results: DataFrame, metric: str, reference: str
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Rows of every other model, each with the row of the reference under the same condition."""
    for theirs in find(results, metric=metric, model=reference, role=""):
        for mine in find(results, theirs["words"], metric=metric, split=theirs["split"], role=""):
            if mine["model"] != reference:
                yield mine, theirs


def _where(row: dict[str, Any]) -> str:
    return ", ".join(part for part in (row["corpus"], row["split"], row["condition"]) if part)


def difference(mine: dict[str, Any], theirs: dict[str, Any]) -> dict[str, Any]:
    """Difference of two means, with Welch's 95 % interval from the intervals of the means.

    >>> one = {"mean": 4.0, "low": 3.9, "high": 4.1, "n": 3, "unit": "nats"}
    >>> {k: round(v, 2) for k, v in difference(one, one | {"mean": 4.2}).items()}
    {'mean': -0.2, 'low': -0.29, 'high': -0.11}
    """
    from scipy.stats import t

    gap = float(mine["mean"]) - float(theirs["mean"])
    squares, weights = [], []
    for found in (interval(mine), interval(theirs)):
        if found["low"] is None or found["high"] is None or found["n"] < 2:
            return {"mean": gap, "low": None, "high": None}
        freedom = found["n"] - 1
        error = (found["high"] - found["low"]) / 2 / t.ppf(0.975, freedom)
        squares.append(error**2)
        weights.append(error**4 / freedom)
    if not sum(squares):
        return {"mean": gap, "low": gap, "high": gap}
    half = float(t.ppf(0.975, sum(squares) ** 2 / sum(weights)) * math.sqrt(sum(squares)))
    return {"mean": gap, "low": gap - half, "high": gap + half}
