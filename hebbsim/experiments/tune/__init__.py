"""Parameters of a network searched on dev: `hebbsim tune`."""

from hebbsim.runs.experiment import Experiment

EXPERIMENTS = (
    Experiment(
        "tune",
        "hebbsim.experiments.tune.config:TuneConfig",
        "hebbsim.experiments.tune.run:run_tune",
        paths=("corpus", "role_map", "rules", "network"),
    ),
)
