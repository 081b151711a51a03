"""Rows of a results table, by what they say."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hebbsim.conditions import words
from hebbsim.errors import BadInputError

if TYPE_CHECKING:
    from pandas import DataFrame

_NUMBERS = ("mean", "low", "high", "n")
COLUMNS = ("corpus", "split", "model", "condition", "metric", "role", *_NUMBERS, "unit")


class NothingToDrawError(BadInputError):
    """A table holds no row that a figure could show.

    Examples
    --------
    >>> import pandas as pd
    >>> try:
    ...     need(pd.DataFrame(), "recall by role")
    ... except NothingToDrawError as error:
    ...     print(error)
    the table has no rows to draw: recall by role
    """


def read(path: Path) -> DataFrame:
    """A results table from a CSV file, with every text as written.

    Raises BadInputError if there is no such file, it is not a table, or a column is missing.
    """
    table = read_text(path)
    try:
        return typed(table)
    except BadInputError as error:
        raise BadInputError(f"{path}: {error}") from None


def read_text(path: Path) -> DataFrame:
    """Any table from a CSV file, every value as written; errors are those of `read`."""
    import pandas as pd

    try:
        # A role may be called "NA" or "None", which pandas would read as missing.
        return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
    except FileNotFoundError:
        raise BadInputError(f"{path}: no such table; give the folder of a finished run") from None
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise BadInputError(f"{path}: not a table that can be read: {error}") from None


def tidy(results: DataFrame) -> DataFrame:
    """The rows of the one corpus that a figure shows, as `typed` gives them.

    Raises BadInputError if a column is missing, or rows of more than one corpus are mixed.
    """
    table = typed(results)
    corpora = sorted(set(table["corpus"]))
    if len(corpora) > 1:
        raise BadInputError(f"rows of several corpora ({', '.join(corpora)}): choose one to draw")
    return table


def typed(results: DataFrame) -> DataFrame:
    """The rows that have a mean, with text in text columns and numbers in number columns.

    Raises BadInputError if a column is missing.
    """
    import pandas as pd

    missing = [name for name in COLUMNS if name not in results.columns]
    if missing:
        raise BadInputError(f"the results table has no column {', '.join(missing)}")
    table = results.loc[:, list(COLUMNS)].copy()
    for name in COLUMNS:
        if name in _NUMBERS:
            table[name] = pd.to_numeric(table[name], errors="coerce")
        else:
            table[name] = table[name].astype(object).where(table[name].notna(), "").astype(str)
    return table[table["mean"].notna()].reset_index(drop=True)


def select(table: DataFrame, condition: dict[str, Any] | None = None, **columns: str) -> DataFrame:
    """Rows whose columns equal the values given and whose condition says exactly `condition`.

    In `condition`, None stands for any value of a word; the number of clusters
    ``K`` need not be named. Without `condition`, rows of every condition.
    """
    chosen = table
    for name, value in columns.items():
        chosen = chosen[chosen[name] == value]
    if condition is not None:
        said = [_says(text, condition) for text in chosen["condition"]]
        chosen = chosen[np.array(said, dtype=bool)]
    return chosen.reset_index(drop=True)


def reference(table: DataFrame, model: str) -> dict[str, str]:
    """Words of the condition under which a model is compared with the others.

    The BiGRU has all labels. The learner is the last one that the table compares with
    rivals: the population (``members``) where there is one, else the single learner,
    in either case with clusters named by majority (no ``readout`` in the condition).
    """
    if model == "bigru":
        return {"labels": "all"}
    compared = select(table, model=model, metric="accuracy_difference")["condition"]
    plain = [said for said in map(words, compared) if "readout" not in said]
    last = plain[-1] if plain else {}
    return {key: last[key] for key in last if key not in ("K", "minus", "labels")}


def population_note(learner: dict[str, str]) -> str:
    """Says that several learners vote, where they do."""
    return f" Hebbian: {learner['members']} learners voting." if "members" in learner else ""


def _says(text: str, condition: dict[str, Any]) -> bool:
    said = words(text)
    if "K" not in condition:
        said.pop("K", None)
    return said.keys() == condition.keys() and all(
        value is None or said[key] == value for key, value in condition.items()
    )


def scores(
    results: DataFrame, metric: str, split: str
) -> tuple[DataFrame, DataFrame, dict[str, str]]:
    """What a figure of one metric on one split starts from.

    The table as `tidy` gives it, its rows of the metric on the split, and the condition under
    which the learner stands beside others, see `reference`.
    """
    table = tidy(results)
    return table, select(table, split=split, metric=metric), reference(table, "hebbian")


def need(table: DataFrame, what: str) -> DataFrame:
    """The table itself if it has rows; otherwise NothingToDrawError says of what it has none."""
    if table.empty:
        raise NothingToDrawError(f"the table has no rows to draw: {what}")
    return table


def interval_note(table: DataFrame) -> str:
    """What the points of a table are, such as ``Mean and 95 % interval over 5 seeds.``"""
    note = count_note(table, "seeds")
    return "One seed." if note == "1 seed" else f"Mean and 95\u00a0% interval over {note}."


def count_note(table: DataFrame, of: str) -> str:
    """How many repetitions means stand on, such as ``5 seeds``."""
    counts = sorted({int(n) for n in table["n"].dropna()})
    if not counts:
        return f"{of} not counted"
    most = counts[-1]
    number = f"{most:,}" if len(counts) == 1 else f"{counts[0]:,} to {most:,}"
    return f"{number} {of if most != 1 else of.removesuffix('s')}"
