"""Claims C4, C5, C7 and C8 from runs of language models.

Read are rows of metric ``loss`` (nats a token) and ``accuracy``, by the models' names
(``gpt2``; ``ema``, ``ema-mlp``, ``ema-attention``; the rungs of the ladder; ``NAME-selection``
over layers), each with its like: the same split and the same words of the condition.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from hebbsim.plots.run import RunTables
from hebbsim.report.claims import Finding, Judgement, at_least, below
from hebbsim.report.evidence import Rows, evidence_of, interval

#: Perplexity of the paper's EMA model over GPT-2's, on C4.
TIMES = 8.0
#: Loss that counts as the same, as a share.
SAME = 0.015
#: Rungs whose decays depend on the input, and the one that only learns them.
SELECTIVE = ("gated", "delta", "attention")
LEARNED = "learned"


@evidence_of("lm")
def behind(run: RunTables) -> Iterator[Finding]:
    """Perplexity of each model over that of GPT-2's architecture."""
    rows = Rows(run.results)
    for mine, theirs in _pairs(rows, "loss", "gpt2"):
        gap = difference(mine, theirs)
        ratio: dict[str, Any] = {key: None if x is None else math.exp(x) for key, x in gap.items()}
        yield Finding(
            "C4", f"perplexity of {mine['model']} / GPT-2 architecture, {_where(mine)}",
            **ratio, n=int(mine["n"]), unit="ratio", bound=TIMES,
            judgement=at_least(ratio["low"], ratio["high"], TIMES),
        )  # fmt: skip


@evidence_of("predictor")
def same(run: RunTables) -> Iterator[Finding]:
    """Loss of richer predictors minus that of the linear one, as a share of it."""
    for mine, theirs in _pairs(Rows(run.results), "loss", "ema"):
        gap: dict[str, Any] = {key: None if x is None else x / float(theirs["mean"])
               for key, x in difference(mine, theirs).items()}  # fmt: skip
        yield Finding(
            "C5", f"loss of {mine['model']} minus linear predictor, as a share, {_where(mine)}",
            **gap, n=int(mine["n"]), bound=SAME, judgement=_within(gap["low"], gap["high"]),
        )  # fmt: skip


def _within(low: float | None, high: float | None) -> Judgement:
    """Whether a share is nothing, give or take `SAME`."""
    if low is None or high is None:
        return "open"
    if -SAME <= low and high <= SAME:
        return "yes"
    return "no" if low > SAME or high < -SAME else "open"


@evidence_of("selection", "recall", "blimp")
def ladder(run: RunTables) -> Iterator[Finding]:
    """Rungs of the ladder beside fixed decays: loss, where lower is better, and accuracy."""
    rows = Rows(run.results)
    for metric, better in (("loss", -1.0), ("accuracy", 1.0)):
        for mine, theirs in _pairs(rows, metric, "ema"):
            selective = mine["model"] in SELECTIVE
            if not selective and mine["model"] != LEARNED:
                continue
            gap = difference(mine, theirs)
            ends = sorted(better * gap[end] for end in ("low", "high") if gap[end] is not None)
            low, high = ends if len(ends) == 2 else (None, None)
            gains = at_least(low, high, 0.0)
            # Decays that are only learned should gain nothing that can be told from 0.
            told: Judgement = "open" if low is None else "no" if low > 0 else "yes"
            yield Finding(
                "C7", f"{metric} of {mine['model']} minus fixed decays, {_where(mine)}",
                **gap, n=int(mine["n"]), unit=mine["unit"], bound=0.0,
                judgement=gains if selective else told,
            )  # fmt: skip


@evidence_of("depth")
def depth(run: RunTables) -> Iterator[Finding]:
    """Selection over layers beside the residual stream, by whatever the run scored."""
    rows = Rows(run.results)
    for metric, better in (("readability", 1.0), ("loss", -1.0)):
        for theirs in rows.find(metric=metric):
            for mine in rows.find(
                theirs["words"], metric=metric, split=theirs["split"],
                model=f"{theirs['model']}-selection",
            ):  # fmt: skip
                gap = difference(mine, theirs)
                told = at_least if better > 0 else below
                yield Finding(
                    "C8", f"{metric} with selection over layers minus residual, {_where(mine)}",
                    **gap, n=int(mine["n"]), unit=mine["unit"], bound=0.0,
                    judgement=told(gap["low"], gap["high"], 0.0),
                )  # fmt: skip


def _pairs(
    rows: Rows, metric: str, reference: str
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Every other model's row beside its like of the reference model."""
    for theirs in rows.find(metric=metric, model=reference, role=""):
        for mine in rows.find(theirs["words"], metric=metric, split=theirs["split"], role=""):
            if mine["model"] != reference:
                yield mine, theirs


def _where(row: dict[str, Any]) -> str:
    return ", ".join(part for part in (row["corpus"], row["split"], row["condition"]) if part)


def difference(mine: dict[str, Any], theirs: dict[str, Any]) -> dict[str, Any]:
    """Mean of one row minus that of another, with Welch's 95 % interval from theirs.

    Examples
    --------
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
