"""The figures of `hebbsim run stream`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hebbsim.errors import BadInputError
from hebbsim.plots.learningcurve import plot_learning_curve
from hebbsim.plots.stream import plot_stream
from hebbsim.runs.figures import FigureSpec
from hebbsim.runs.finished import RunTables

if TYPE_CHECKING:
    from pandas import DataFrame


def _chunks(run: RunTables) -> dict[str, DataFrame]:
    """The table of chunks, with numbers in its columns."""
    table = run.table("stream")
    if table is None:
        raise BadInputError(f"{run.folder / 'stream.csv'}: no such table; the run did not finish")
    columns = ["tokens", "seconds", "n_tokens", "memory"]
    try:
        return {"table": table[columns].astype(float)}
    except (ValueError, KeyError) as error:
        raise BadInputError(f"{run.folder / 'stream.csv'}: cannot be read: {error}") from None


FIGURES = {
    "stream": FigureSpec(plot_stream, _chunks),
    "learning_curve": FigureSpec(plot_learning_curve),
}
