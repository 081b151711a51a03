"""The findings of a run about the claims, and its rows in a form that is easy to judge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hebbsim.plots.tables import words
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


class Rows:
    """Rows of a results table (`RunTables.results`), found by columns and by condition words.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"model": ["a", "b"], "condition": ["K=3 tau=2", ""]})
    >>> [row["model"] for row in Rows(table).find({"tau": "2"})]
    ['a']
    """

    def __init__(self, table: DataFrame) -> None:
        self._rows: list[dict[str, Any]] = table.to_dict("records")  # type: ignore[assignment]
        for row in self._rows:
            row["words"] = {k: v for k, v in words(row["condition"]).items() if k != "K"}

    def find(self, condition: dict[str, str] | None = None, **columns: str) -> list[dict[str, Any]]:
        """Rows with these columns and exactly these condition words, apart from ``K``."""
        return [
            row
            for row in self._rows
            if all(row[key] == value for key, value in columns.items())
            and (condition is None or row["words"] == condition)
        ]


def interval(row: dict[str, Any]) -> dict[str, Any]:
    """Mean, interval and n of a row, as keywords of `Finding`; None if missing."""
    low, high = (None if row[end] != row[end] else float(row[end]) for end in ("low", "high"))
    n = 0 if row["n"] != row["n"] else int(row["n"])
    return {"mean": float(row["mean"]), "low": low, "high": high, "n": n, "unit": row["unit"]}
