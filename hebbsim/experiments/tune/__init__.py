"""Parameters of a network searched on dev: `hebbsim tune`."""

from hebbsim.runs.experiment import Experiment

EXPERIMENTS = (
    Experiment(
        "tune",
        "hebbsim.experiments.tune.run:TuneConfig",
        "hebbsim.experiments.tune.run:run_tune",
        paths=("corpus", "scheme", "rules", "network"),
    ),
)
