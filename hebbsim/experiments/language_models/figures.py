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
from hebbsim.runs.figures import Drawing

LM = {
    "curves": Drawing(plot_curves),
    "ratio": Drawing(plot_ratio),
    "parameters": Drawing(plot_parameters),
    "distances": Drawing(plot_distances),
}
PREDICTOR = {"predictor": Drawing(plot_predictor)}
SELECTION = {"ladder": Drawing(plot_ladder)}
DEPTH = {
    "depth_loss": Drawing(plot_depth_loss),
    "readability": Drawing(plot_readability),
    "gradient": Drawing(plot_gradient),
}
BLIMP = {"blimp": Drawing(plot_blimp)}
RECALL = {"recall": Drawing(plot_recall)}
