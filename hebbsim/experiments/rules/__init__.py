"""The network with a rule replaced, or a part left out: `hebbsim run rules`."""

from hebbsim.runs.experiment import Experiment

EXPERIMENTS = (
    Experiment(
        "rules",
        "hebbsim.experiments.rules.config:RulesConfig",
        "hebbsim.experiments.rules.run:run_rules",
        "hebbsim.experiments.rules.figures:FIGURES",
        metric="accuracy",
        paths=("corpus", "rules", "network"),
    ),
)
