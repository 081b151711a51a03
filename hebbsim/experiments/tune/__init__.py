"""Searches parameters of a network on dev: `hebbsim tune`."""

from hebbsim.runs.experiment import Experiment

EXPERIMENTS = (
    Experiment(
        "tune",
        "hebbsim.experiments.tune.config:TuneConfig",
        "hebbsim.experiments.tune.run:run_tune",
        "hebbsim.experiments.tune.table:show",
        """Search settings of the network, or of a rival, for a corpus.

        Settings of the role learner are drawn at random and scored on dev, where each half names
        the clusters of the other half; the test split is never read. After an interruption, the
        same command resumes the search. `hebbsim run roles --preset FOLDER/preset.toml` uses the
        result; the result for a rival is in FOLDER/settings.toml.
        """,
        command="tune",
        folder="tune-{corpus}",
        paths=("corpus", "role_map", "rules", "network"),
    ),
)
