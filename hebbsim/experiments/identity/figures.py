"""Figures of `hebbsim run identity`, drawn from the tables of a run."""

from pandas import DataFrame

from hebbsim.plots import identity, structure
from hebbsim.runs.figures import FigureSpec
from hebbsim.runs.finished import RunTables


def _sentence(run: RunTables) -> dict[str, DataFrame | None]:
    """The table of decoded words and, if present, the table of their structure."""
    told = run.table("structure")
    if told is not None:
        told = run.needed("structure", lag=int, probability=float)
    return {"read": run.needed("sentence", seed=int, lag=int), "structure": told}


IDENTITY = {
    "decoders": FigureSpec(identity.plot_decoders),
    "precision": FigureSpec(identity.plot_precision),
    "capacity": FigureSpec(identity.plot_capacity),
    "structure": FigureSpec(structure.plot_structure),
    "structure-learned": FigureSpec(
        structure.plot_structure, lambda run: {"results": run.results, "model": "traces-learned"}
    ),
    "plane": FigureSpec(structure.plot_plane),
    "memories": FigureSpec(structure.plot_memories),
    "processing": FigureSpec(identity.plot_processing),
}

SENTENCE = {"sentence": FigureSpec(identity.plot_sentence, _sentence)}
