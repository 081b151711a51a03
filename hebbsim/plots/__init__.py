"""Figures, each drawn from the tables of a run folder alone."""

from __future__ import annotations

from hebbsim.plots.labelcurve import plot_labels
from hebbsim.plots.rolemap import plot_structure_content
from hebbsim.plots.roles import draw_roles
from hebbsim.plots.rows import plot_generalization, plot_roles, plot_timescales
from hebbsim.plots.tables import NothingToDrawError

__all__ = [
    "NothingToDrawError",
    "draw_roles",
    "plot_generalization",
    "plot_labels",
    "plot_roles",
    "plot_structure_content",
    "plot_timescales",
]
