"""Read results tables and select rows by column and condition."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hebbsim.conditions import words
from hebbsim.errors import BadInputError

_NUMBERS = ("mean", "low", "high", "n")
COLUMNS = ("corpus", "split", "model", "condition", "metric", "role", *_NUMBERS, "unit")


class NothingToDrawError(BadInputError):
    """A table has no rows that a figure could show.

    Examples
    --------
    >>> import pandas as pd
    >>> try:
    ...     need(pd.DataFrame(), "recall by role")
    ... except NothingToDrawError as error:
    ...     print(error)
    the table has no rows to draw: recall by role
    """


def read(path: Path) -> pd.DataFrame:
    """Read a results table from a CSV file, as `typed` gives it; BadInputError if it is none."""
    try:
        return typed(read_text(path))
    except BadInputError as error:
        raise BadInputError(f"{path}: {error}") from None


def read_text(path: Path) -> pd.DataFrame:
    """Read any table from a CSV file, with all values as text; raises the errors of `read`."""
    try:
        # A role may be called "NA" or "None", which pandas would read as missing.
        return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
    except FileNotFoundError:
        raise BadInputError(f"{path}: no such table; give the folder of a finished run") from None
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise BadInputError(f"{path}: not a table that can be read: {error}") from None


def tidy(results: pd.DataFrame) -> pd.DataFrame:
    """The rows that a figure shows, as `typed` gives them; BadInputError for several corpora."""
    table = typed(results)
    corpora = sorted(set(table["corpus"]))
    if len(corpora) > 1:
        raise BadInputError(f"rows of several corpora ({', '.join(corpora)}): choose one to draw")
    return table


def typed(results: pd.DataFrame) -> pd.DataFrame:
    """Rows that have a mean, columns as text or numbers; BadInputError if a column is missing."""
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


def select(
    table: pd.DataFrame, condition: dict[str, Any] | None = None, **columns: str
) -> pd.DataFrame:
    """Rows with the given values of columns and exactly the words of `condition` (default: any).

    In `condition`, None stands for any value; the number of clusters ``K`` may be left out.
    """
    chosen = table
    for name, value in columns.items():
        chosen = chosen[chosen[name] == value]
    if condition is not None:
        said = [_says(text, condition) for text in chosen["condition"]]
        chosen = chosen[np.array(said, dtype=bool)]
    return chosen.reset_index(drop=True)


def reference(table: pd.DataFrame, model: str) -> dict[str, str]:
    """Words of the condition under which a model is compared with others.

    The BiGRU has all labels. The learner is the last one that the table compares with rivals:
    the population (``members``) if there is one, otherwise the single learner; in either case
    its clusters are named by majority (no ``readout`` in the condition).
    """
    if model == "bigru":
        return {"labels": "all"}
    compared = select(table, model=model, metric="accuracy_difference")["condition"]
    plain = [said for said in map(words, compared) if "readout" not in said]
    last = plain[-1] if plain else {}
    return {key: last[key] for key in last if key not in ("K", "minus", "labels")}


def population_note(learner: dict[str, str]) -> str:
    """A sentence on the number of voting learners; empty for a single learner."""
    return f" Hebbian: {learner['members']} learners voting." if "members" in learner else ""


def _says(text: str, condition: dict[str, Any]) -> bool:
    said = words(text)
    if "K" not in condition:
        said.pop("K", None)
    return said == {key: said.get(key) if v is None else v for key, v in condition.items()}


def column(table: pd.DataFrame, key: str) -> list[str]:
    """The value of ``key=value`` in each row's condition; empty where it has none."""
    return [words(condition).get(key, "") for condition in table["condition"]]


def numbers(table: pd.DataFrame, key: str) -> NDArray[np.float64]:
    """`column` as numbers, shape=(n,); nan where a value is none."""
    return np.asarray(pd.to_numeric(column(table, key), errors="coerce"), dtype=float)


def scores(
    results: pd.DataFrame, metric: str, split: str
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, str]]:
    """The table as `tidy` gives it, its rows of a metric on a split, the learner's condition."""
    table = tidy(results)
    return table, select(table, split=split, metric=metric), reference(table, "hebbian")


def need(table: pd.DataFrame, what: str) -> pd.DataFrame:
    """The table itself; raises NothingToDrawError, which names `what`, if it is empty."""
    if table.empty:
        raise NothingToDrawError(f"the table has no rows to draw: {what}")
    return table


def interval_note(table: pd.DataFrame) -> str:
    """Statistics that a table holds, such as ``Mean and 95 % interval over 5 seeds.``"""
    note = count_note(table)
    return "One seed." if note == "1 seed" else f"Mean and 95\u00a0% interval over {note}."


def count_note(table: pd.DataFrame) -> str:
    """Number of seeds that means are over, such as ``5 seeds``."""
    counts = sorted({int(n) for n in table["n"].dropna()})
    if not counts:
        return "seeds not counted"
    number = f"{counts[-1]:,}" if len(counts) == 1 else f"{counts[0]:,} to {counts[-1]:,}"
    return f"{number} seed{'s' * (counts[-1] != 1)}"
