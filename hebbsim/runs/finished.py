"""Reads finished run folders, for figures and reports."""

import json
from functools import cached_property
from pathlib import Path
from typing import Any

from pandas import DataFrame

from hebbsim.errors import BadInputError
from hebbsim.plots import tables
from hebbsim.runs.folders import read_json

_SCHEMA = "hebbsim.results/"


class RunTables:
    """Tables and records of a finished run by its folder, each read on first use."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.name = self.folder.resolve().name

    @cached_property
    def document(self) -> dict[str, Any]:
        """The content of ``results.json``; BadInputError if it is not the record of a run."""
        path = self.folder / "results.json"
        if not self.folder.is_dir():
            found = "is a file" if self.folder.exists() else "no such folder"
            raise BadInputError(f"{self.folder}: {found}; give the folder of a finished run")
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise BadInputError(
                f"{path}: no such file; give the folder of a finished run"
            ) from None
        except (OSError, RecursionError, ValueError) as error:
            raise BadInputError(f"{path}: cannot be read: {error}") from None
        if not isinstance(document, dict) or not str(document.get("schema")).startswith(_SCHEMA):
            raise BadInputError(f'{path}: not the record of a run: no "schema": "{_SCHEMA}1"')
        missing = [name for name in ("experiment", "config", "provenance") if name not in document]
        if missing:
            raise BadInputError(f"{path}: lacks {', '.join(missing)}")
        return document

    @property
    def experiment(self) -> str:
        """Name of the experiment, such as ``roles``."""
        return str(self.document["experiment"])

    @cached_property
    def config(self) -> dict[str, Any]:
        """The resolved configuration; empty if unknown."""
        return read_json(self.folder / "config.json") or {}

    @cached_property
    def machine(self) -> dict[str, Any]:
        """When, where and how long it ran; empty if unknown."""
        return read_json(self.folder / "machine.json") or {}

    @property
    def started(self) -> str:
        """When the run began and how long it took, as text; empty if unknown."""
        began, seconds = self.machine.get("started"), self.machine.get("seconds")
        return "" if began is None or seconds is None else f"started {began}, {seconds:,.0f} s"

    @cached_property
    def results(self) -> DataFrame:
        """The results table; BadInputError if it does not exist, or is not a results table."""
        return tables.read(self.folder / "results.csv")

    def table(self, name: str) -> DataFrame | None:
        """Another table as text, by file name without ``.csv``; None if it does not exist."""
        path = self.folder / f"{name}.csv"
        return tables.read_text(path) if path.exists() else None

    def needed(self, name: str, **types: type) -> DataFrame:
        """Another table, with columns of these types; BadInputError if it does not exist."""
        table, path = self.table(name), self.folder / f"{name}.csv"
        if table is None:
            raise BadInputError(f"{path}: no such table; the run did not finish")
        try:
            return table.astype(types)
        except (ValueError, KeyError) as error:
            raise BadInputError(f"{path}: cannot be read: {error}") from None


def find_runs(folder: str | Path = "runs") -> list[RunTables]:
    """The run folders directly below a folder, sorted by name."""
    return [RunTables(path.parent) for path in sorted(Path(folder).glob("*/results.json"))]


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
    """Mean, interval and n of a row as keywords of a `Finding`; missing ends are None."""
    low, high = (None if row[end] != row[end] else float(row[end]) for end in ("low", "high"))
    n = 0 if row["n"] != row["n"] else int(row["n"])
    return {"mean": float(row["mean"]), "low": low, "high": high, "n": n, "unit": row["unit"]}
