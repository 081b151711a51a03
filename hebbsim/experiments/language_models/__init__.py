"""Language models with traces in place of attention: `hebbsim run lm` and its siblings."""

from hebbsim.runs.experiment import Experiment

_HERE = "hebbsim.experiments.language_models"


def _experiment(name: str, help: str, *paths: str, evidence: str = "") -> Experiment:
    return Experiment(
        name,
        f"{_HERE}.config:{name.capitalize()}Config",
        f"{_HERE}.{'recall' if name == 'recall' else 'run'}:run_{name}",
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
        """Train language models with traces in place of attention.

        They are compared with a GPT-2 of equal size that reads the same tokens in the same order.
        Reports the loss by number of tokens and of parameters, the ratio of perplexities, and the
        perplexity of repeated and new tokens. After an interruption, the same command resumes.
        """,
        "validation",
        evidence="behind",
    ),
    _experiment(
        "predictor",
        """Compare predictors over the same traces.

        Reports the loss on text of a linear layer, an MLP and softmax attention.
        """,
        evidence="same",
    ),
    _experiment(
        "selection",
        """Compare memories, from fixed traces to attention.

        The memories are a window, traces (ema), learned decays, input-dependent gates (gated),
        Hebbian and delta-rule fast weights, and attention. Reports the loss on text, and accuracy
        on BLiMP and on associative recall.
        """,
        "blimp",
        evidence="ladder",
    ),
    _experiment(
        "depth",
        """Compare a residual stream with a learned selection of layers.

        Reports, for models of several depths, how much of each layer a linear probe can read at
        the top, how much gradient reaches each layer, and the loss.
        """,
        evidence="depth",
    ),
    _experiment(
        "blimp",
        """Measure accuracy on BLiMP by phenomenon and paradigm.

        A model is right about a minimal pair if it finds the grammatical sentence more probable.
        """,
        "blimp",
    ),
    _experiment(
        "recall",
        """Measure associative recall (MQAR) and copying.

        Reports the accuracy of each memory by number of key-value pairs and by distance.
        """,
        evidence="ladder",
    ),
)
