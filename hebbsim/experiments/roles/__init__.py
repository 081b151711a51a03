"""Zero-label role assignment beside supervised baselines: `hebbsim run roles`."""

from hebbsim.runs.experiment import Experiment

EXPERIMENTS = (
    Experiment(
        "roles",
        "hebbsim.experiments.roles.config:RolesConfig",
        "hebbsim.experiments.roles.run:run_roles",
        "hebbsim.experiments.roles.figures:FIGURES",
        "hebbsim.experiments.roles.evidence:findings",
        metric="accuracy",
        paths=("corpus", "role_map", "unlabeled", "rules", "network", "vectors"),
    ),
)
