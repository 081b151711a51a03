"""The findings of a run about the claims, and helpers to derive them from its rows."""

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
    if experiment is None or experiment.evidence is None:
        return []
    return list(experiment.evidence(run))


def find(
    table: DataFrame, condition: dict[str, str] | None = None, **columns: str
) -> list[dict[str, Any]]:
    """Rows with these columns and exactly these condition words, apart from ``K``.

    The condition words of each row are added as ``words``.

    >>> import pandas as pd
    >>> table = pd.DataFrame({"model": ["a", "b"], "condition": ["K=3 tau=2", ""]})
    >>> [row["model"] for row in find(table, {"tau": "2"})]
    ['a']
    """
    rows = tables.select(table, condition, **columns).to_dict("records")
    for row in rows:
        row["words"] = {k: v for k, v in tables.words(row["condition"]).items() if k != "K"}
    return rows


def interval(row: dict[str, Any]) -> dict[str, Any]:
    """Mean, interval and n of a row as keywords of `Finding`; missing ends are None."""
    low, high = (None if row[end] != row[end] else float(row[end]) for end in ("low", "high"))
    n = 0 if row["n"] != row["n"] else int(row["n"])
    return {"mean": float(row["mean"]), "low": low, "high": high, "n": n, "unit": row["unit"]}
