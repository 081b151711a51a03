"""Language models with traces in place of attention: `hebbsim run lm` and its siblings."""

from hebbsim.runs.experiment import Experiment

EXPERIMENTS = (
    Experiment(
        "lm",
        "hebbsim.experiments.language_models.config:LmConfig",
        "hebbsim.experiments.language_models.run:run_lm",
        "hebbsim.experiments.language_models.figures:LM",
        "hebbsim.experiments.language_models.evidence:behind",
        paths=("data", "tokenizer", "validation"),
    ),
    Experiment(
        "predictor",
        "hebbsim.experiments.language_models.config:PredictorConfig",
        "hebbsim.experiments.language_models.run:run_predictor",
        "hebbsim.experiments.language_models.figures:PREDICTOR",
        "hebbsim.experiments.language_models.evidence:same",
        paths=("data", "tokenizer"),
    ),
    Experiment(
        "selection",
        "hebbsim.experiments.language_models.config:SelectionConfig",
        "hebbsim.experiments.language_models.run:run_selection",
        "hebbsim.experiments.language_models.figures:SELECTION",
        "hebbsim.experiments.language_models.evidence:ladder",
        paths=("data", "tokenizer", "blimp"),
    ),
    Experiment(
        "depth",
        "hebbsim.experiments.language_models.config:DepthConfig",
        "hebbsim.experiments.language_models.depth:run_depth",
        "hebbsim.experiments.language_models.figures:DEPTH",
        "hebbsim.experiments.language_models.evidence:depth",
        paths=("data", "tokenizer"),
    ),
    Experiment(
        "blimp",
        "hebbsim.experiments.language_models.config:BlimpConfig",
        "hebbsim.experiments.language_models.run:run_blimp",
        "hebbsim.experiments.language_models.figures:BLIMP",
        paths=("data", "tokenizer", "blimp"),
    ),
    Experiment(
        "recall",
        "hebbsim.experiments.language_models.config:RecallConfig",
        "hebbsim.experiments.language_models.recall:run_recall",
        "hebbsim.experiments.language_models.figures:RECALL",
        "hebbsim.experiments.language_models.evidence:ladder",
        paths=("data", "tokenizer"),
    ),
)
