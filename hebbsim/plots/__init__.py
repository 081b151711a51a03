"""Figures, each drawn from the tables of a run folder alone."""

from hebbsim.plots.ablations import plot_ablations
from hebbsim.plots.bench import plot_growth, plot_memory, plot_roofline
from hebbsim.plots.curves import plot_few_labels, plot_labels, plot_learning_curve
from hebbsim.plots.identity import plot_capacity, plot_decoders, plot_precision
from hebbsim.plots.matrices import plot_confusions
from hebbsim.plots.rivals import plot_rivals
from hebbsim.plots.rows import (
    plot_generalization,
    plot_roles,
    plot_structure_content,
    plot_timescales,
)
from hebbsim.plots.tables import NothingToDrawError

__all__ = [
    "NothingToDrawError",
    "plot_ablations",
    "plot_capacity",
    "plot_confusions",
    "plot_decoders",
    "plot_few_labels",
    "plot_generalization",
    "plot_growth",
    "plot_labels",
    "plot_learning_curve",
    "plot_memory",
    "plot_precision",
    "plot_rivals",
    "plot_roles",
    "plot_roofline",
    "plot_structure_content",
    "plot_timescales",
]
