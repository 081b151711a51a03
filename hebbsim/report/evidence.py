"""What runs of an experiment say of the claims: one function an experiment.

A further experiment joins by a function with `evidence_of` in a module that `MODULES` names.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from hebbsim.plots.run import RunTables
from hebbsim.plots.tables import words
from hebbsim.report.claims import Finding

if TYPE_CHECKING:
    from pandas import DataFrame

Evidence = Callable[[RunTables], Iterator[Finding]]

#: Modules that hold such functions.
MODULES = (
    "hebbsim.report.roles",
    "hebbsim.report.identity",
    "hebbsim.report.language_models",
)

_known: dict[str, Evidence] = {}


def evidence_of(*experiments: str) -> Callable[[Evidence], Evidence]:
    """Enter a function for runs of these experiments."""

    def enter(function: Evidence) -> Evidence:
        for experiment in experiments:
            _known[experiment] = function
        return function

    return enter


def findings_of(run: RunTables) -> list[Finding]:
    """All that a run says of the claims; nothing where the experiment speaks to none."""
    for module in MODULES:
        importlib.import_module(module)
    function = _known.get(run.experiment)
    return list(function(run)) if function else []


class Rows:
    """Rows of a results table, by exact columns and by the words of their condition.

    Parameters
    ----------
    table : DataFrame
        As `hebbsim.plots.RunTables.results` gives it.

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
        """Rows with these columns whose condition says exactly `condition` beside ``K``."""
        return [
            row
            for row in self._rows
            if all(row[key] == value for key, value in columns.items())
            and (condition is None or row["words"] == condition)
        ]


def interval(row: dict[str, Any]) -> dict[str, Any]:
    """Mean, interval and n of a row, as `Finding` takes them; None for what is missing."""
    low, high = (None if row[end] != row[end] else float(row[end]) for end in ("low", "high"))
    n = 0 if row["n"] != row["n"] else int(row["n"])
    return {"mean": float(row["mean"]), "low": low, "high": high, "n": n, "unit": row["unit"]}
