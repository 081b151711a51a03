"""The figure of `hebbsim run rules`."""

from __future__ import annotations

from typing import Any

from hebbsim.errors import BadInputError
from hebbsim.plots.ablations import plot_ablations
from hebbsim.runs.figures import FigureSpec
from hebbsim.runs.finished import RunTables


def _tables(run: RunTables) -> dict[str, Any]:
    found = {name: run.table(name) for name in ("ablations", "comparisons")}
    for name, table in found.items():
        if table is None:
            raise BadInputError(f"{run.folder / name}.csv: no such table; the run did not finish")
    return {"results": run.results, **found}


FIGURES = {"ablations": FigureSpec(plot_ablations, _tables)}
