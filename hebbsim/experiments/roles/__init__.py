"""Role assignment without labels, compared with baselines and rivals: `hebbsim run roles`."""

from hebbsim.runs.experiment import Experiment

EXPERIMENTS = (
    Experiment(
        "roles",
        "hebbsim.experiments.roles.config:RolesConfig",
        "hebbsim.experiments.roles.run:run_roles",
        "hebbsim.experiments.roles.table:show",
        """Assign roles without labels, and compare with rivals.

        A network of trace layers reads the training split token by token, with Hebbian rules and
        no labels. Its clusters are named by the roles of the dev split, then scored on test and on
        the generalization splits. If the corpus has no roles, its clusters are listed with their
        most frequent words.
        """,
        folder="roles-{corpus}",
        figures_at="hebbsim.experiments.roles.figures:FIGURES",
        evidence_at="hebbsim.experiments.roles.evidence:findings",
        metric="accuracy",
        paths=("corpus", "role_map", "unlabeled", "rules", "network", "vectors"),
    ),
)
