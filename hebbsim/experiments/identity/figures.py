"""Figures of `hebbsim run identity`, drawn from the tables of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hebbsim.plots.identity import plot_capacity, plot_decoders, plot_precision, plot_processing
from hebbsim.plots.sentence import plot_sentence
from hebbsim.plots.structure import plot_memories, plot_plane, plot_structure
from hebbsim.runs.figures import FigureSpec
from hebbsim.runs.finished import RunTables

if TYPE_CHECKING:
    from pandas import DataFrame


def _sentence(run: RunTables) -> dict[str, DataFrame | None]:
    """The table of decoded words and, if present, the table of their structure."""
    structure = run.table("structure")
    if structure is not None:
        structure = run.needed("structure", lag=int, probability=float)
    return {"read": run.needed("sentence", seed=int, lag=int), "structure": structure}


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
