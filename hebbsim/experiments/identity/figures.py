"""All figures of `hebbsim run identity`, and of its sentence, from the tables of a run alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hebbsim.errors import BadInputError
from hebbsim.plots.identity import plot_capacity, plot_decoders, plot_precision
from hebbsim.plots.processing import plot_processing
from hebbsim.plots.sentence import plot_sentence
from hebbsim.plots.structure import plot_memories, plot_plane, plot_structure
from hebbsim.runs.figures import FigureSpec
from hebbsim.runs.finished import RunTables

if TYPE_CHECKING:
    from pandas import DataFrame


def _sentence(run: RunTables) -> dict[str, DataFrame | None]:
    """The table of words read back, and that of their structure where there is one."""
    path = run.folder / "structure.csv"
    return {
        "read": _table(
            run.folder / "sentence.csv", ("seed", "decoder", "condition", "lag", "word", "read")
        ),
        "structure": _table(path, ("lag", "property", "read", "probability"))
        if path.is_file()
        else None,
    }


def _table(path: Path, columns: tuple[str, ...]) -> DataFrame:
    import pandas as pd

    try:
        table = pd.read_csv(path, keep_default_na=False, encoding="utf-8")
    except (OSError, ValueError) as error:
        raise BadInputError(f"{path}: not a table that can be read: {error}") from None
    missing = [name for name in columns if name not in table.columns]
    if missing:
        raise BadInputError(f"{path}: no column {', '.join(missing)}")
    return table


IDENTITY = {
    "decoders": FigureSpec(plot_decoders),
    "precision": FigureSpec(plot_precision),
    "capacity": FigureSpec(plot_capacity),
    "structure": FigureSpec(plot_structure),
    "structure-learned": FigureSpec(
        plot_structure, lambda run: {"results": run.results, "model": "traces-learned"}
    ),
    "plane": FigureSpec(plot_plane),
    "memories": FigureSpec(plot_memories),
    "processing": FigureSpec(plot_processing),
}

SENTENCE = {"sentence": FigureSpec(plot_sentence, _sentence)}
