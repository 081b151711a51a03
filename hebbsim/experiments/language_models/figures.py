"""The figures of language models by experiment, from the tables of a run alone."""

from hebbsim.plots import lm as plots
from hebbsim.runs.figures import FigureSpec

LM = {
    "curves": FigureSpec(plots.plot_curves),
    "ratio": FigureSpec(plots.plot_ratio),
    "parameters": FigureSpec(plots.plot_parameters),
    "distances": FigureSpec(plots.plot_distances),
}
PREDICTOR = {"predictor": FigureSpec(plots.plot_predictor)}
SELECTION = {"ladder": FigureSpec(plots.plot_ladder)}
DEPTH = {
    "depth_loss": FigureSpec(plots.plot_depth_loss),
    "readability": FigureSpec(plots.plot_readability),
    "gradient": FigureSpec(plots.plot_gradient),
}
BLIMP = {"blimp": FigureSpec(plots.plot_blimp)}
RECALL = {"recall": FigureSpec(plots.plot_recall)}
