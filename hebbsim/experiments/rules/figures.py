"""The figure of `hebbsim run rules`."""

from typing import Any

from hebbsim.plots.ablations import plot_ablations
from hebbsim.runs.figures import FigureSpec
from hebbsim.runs.finished import RunTables


def _tables(run: RunTables) -> dict[str, Any]:
    return {
        "results": run.results,
        "ablations": run.needed("ablations"),
        "comparisons": run.needed("comparisons"),
    }


FIGURES = {"ablations": FigureSpec(plot_ablations, _tables)}
