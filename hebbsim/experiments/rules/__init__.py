"""Ablations of the learning rules of a network: `hebbsim run rules`."""

from hebbsim.runs.experiment import Experiment

EXPERIMENTS = (
    Experiment(
        "rules",
        "hebbsim.experiments.rules.config:RulesConfig",
        "hebbsim.experiments.rules.run:run_rules",
        "hebbsim.experiments.rules.table:show",
        """Measure what each learning rule contributes.

        The network that learns roles is trained unchanged; then with the rule of one part replaced
        by every other rule that fits there; with learning off in a part, a layer or everywhere;
        with prototypes drawn at random from tokens; and with fewer word layers.
        """,
        folder="rules-{corpus}",
        figures_at="hebbsim.experiments.rules.figures:FIGURES",
        metric="accuracy",
        paths=("corpus", "rules", "network"),
    ),
)
