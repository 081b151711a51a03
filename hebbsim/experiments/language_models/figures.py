"""The figures of language models, by experiment, from the tables of a run alone."""

from __future__ import annotations

from hebbsim.plots.lm import (
    plot_blimp,
    plot_curves,
    plot_depth_loss,
    plot_distances,
    plot_gradient,
    plot_ladder,
    plot_parameters,
    plot_predictor,
    plot_ratio,
    plot_readability,
    plot_recall,
)
from hebbsim.runs.figures import FigureSpec

LM = {
    "curves": FigureSpec(plot_curves),
    "ratio": FigureSpec(plot_ratio),
    "parameters": FigureSpec(plot_parameters),
    "distances": FigureSpec(plot_distances),
}
PREDICTOR = {"predictor": FigureSpec(plot_predictor)}
SELECTION = {"ladder": FigureSpec(plot_ladder)}
DEPTH = {
    "depth_loss": FigureSpec(plot_depth_loss),
    "readability": FigureSpec(plot_readability),
    "gradient": FigureSpec(plot_gradient),
}
BLIMP = {"blimp": FigureSpec(plot_blimp)}
RECALL = {"recall": FigureSpec(plot_recall)}
