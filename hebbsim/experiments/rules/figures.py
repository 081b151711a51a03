"""The figure of `hebbsim run rules`."""

from typing import Any

from hebbsim.plots.ablations import plot_ablations
from hebbsim.runs.figures import FigureSpec
from hebbsim.runs.finished import RunTables


def _tables(run: RunTables) -> dict[str, Any]:
    return {"results": run.results} | {n: run.needed(n) for n in ("ablations", "comparisons")}


FIGURES = {"ablations": FigureSpec(plot_ablations, _tables)}
