"""The findings of a run about the claims, and its rows in a form that is easy to judge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hebbsim.plots import tables
from hebbsim.runs.finished import RunTables
from hebbsim.runs.registry import EXPERIMENTS
from hebbsim.runs.report.claims import Finding

if TYPE_CHECKING:
    from pandas import DataFrame


def findings_of(run: RunTables) -> list[Finding]:
    """All findings of a run about the claims; none if its experiment tests no claim."""
    experiment = EXPERIMENTS.get(run.experiment)
    evidence = experiment.evidence if experiment else None
    return list(evidence(run)) if evidence else []


def find(
    table: DataFrame, condition: dict[str, str] | None = None, **columns: str
) -> list[dict[str, Any]]:
    """Rows with these columns and exactly these condition words, apart from ``K``.

    Each has its condition words as ``words``.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"model": ["a", "b"], "condition": ["K=3 tau=2", ""]})
    >>> [row["model"] for row in find(table, {"tau": "2"})]
    ['a']
    """
    rows = tables.select(table, condition, **columns).to_dict("records")
    return [row | {"words": _words(row["condition"])} for row in rows]


def _words(condition: str) -> dict[str, str]:
    return {name: value for name, value in tables.words(condition).items() if name != "K"}


def interval(row: dict[str, Any]) -> dict[str, Any]:
    """Mean, interval and n of a row, as keywords of `Finding`; None if missing."""
    low, high = (None if row[end] != row[end] else float(row[end]) for end in ("low", "high"))
    n = 0 if row["n"] != row["n"] else int(row["n"])
    return {"mean": float(row["mean"]), "low": low, "high": high, "n": n, "unit": row["unit"]}
