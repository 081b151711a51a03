"""Language models with traces in place of attention: `hebbsim run lm` and its siblings."""

from __future__ import annotations

from hebbsim.runs.experiment import Experiment

_HERE = "hebbsim.experiments.language_models"


def _experiment(name: str, run_in: str, help: str, *paths: str, evidence: str = "") -> Experiment:
    return Experiment(
        name,
        f"{_HERE}.config:{name.capitalize()}Config",
        f"{_HERE}.{run_in}:run_{name}",
        f"{_HERE}.table:show",
        help,
        folder=f"{name}-{{preset}}",
        figures_at=f"{_HERE}.figures:{name.upper()}",
        evidence_at=f"{_HERE}.evidence:{evidence}" if evidence else "",
        paths=("data", "tokenizer", *paths),
    )


EXPERIMENTS = (
    _experiment(
        "lm",
        "run",
        """Train language models with traces in place of attention.

        They and GPT-2's architecture, at equal size, read the same tokens in the same order.
        Reports the loss by tokens and by parameters, the ratio of perplexities, and the perplexity
        of repeated and new tokens. After an interruption, the same command resumes.
        """,
        "validation",
        evidence="behind",
    ),
    _experiment(
        "predictor",
        "run",
        """Compare predictors over the same traces.

        Linear, MLP and softmax attention: loss on text.
        """,
        evidence="same",
    ),
    _experiment(
        "selection",
        "run",
        """Compare memories, from fixed traces to attention.

        Window, traces, learned decays, input-dependent gates, Hebbian and delta-rule fast weights,
        attention: loss on text, accuracy on BLiMP and on associative recall.
        """,
        "blimp",
        evidence="ladder",
    ),
    _experiment(
        "depth",
        "depth",
        """Compare a residual stream with selection over layers.

        Reports, at several depths, how much of each layer a linear probe reads at the top, how
        much gradient reaches it, and the loss.
        """,
        evidence="depth",
    ),
    _experiment(
        "blimp",
        "run",
        "Score minimal pairs of BLiMP by phenomenon and paradigm.",
        "blimp",
    ),
    _experiment(
        "recall",
        "recall",
        """Measure associative recall (MQAR) and copying.

        Accuracy of each memory by number of pairs and distance.
        """,
        evidence="ladder",
    ),
)
