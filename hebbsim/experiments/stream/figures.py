"""The figures of `hebbsim run stream`."""

from pandas import DataFrame

from hebbsim.plots.bench import plot_stream
from hebbsim.plots.curves import plot_learning_curve
from hebbsim.runs.figures import FigureSpec
from hebbsim.runs.finished import RunTables


def _chunks(run: RunTables) -> dict[str, DataFrame]:
    """The table of chunks, with numbers in its columns."""
    names = ("tokens", "seconds", "n_tokens", "memory")
    return {"table": run.needed("stream", **dict.fromkeys(names, float))}


FIGURES = {
    "stream": FigureSpec(plot_stream, _chunks),
    "learning_curve": FigureSpec(plot_learning_curve),
}
