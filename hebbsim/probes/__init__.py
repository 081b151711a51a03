"""Read-outs of clusters, scores, confidence intervals and comparisons."""

from hebbsim.probes.bootstrap import Estimate, resample_sums, seed_interval
from hebbsim.probes.comparison import (
    Comparison,
    LabelEquivalence,
    compare,
    label_equivalence,
    verdicts,
)
from hebbsim.probes.metrics import (
    CLUSTERING,
    RoleScore,
    accuracy,
    adjusted_rand,
    many_to_one,
    one_to_one,
    role_scores,
    sentence_sums,
    v_measure,
    variation_of_information,
)
from hebbsim.probes.readout import Memberships, RoleReadout, SoftReadout, memberships
from hebbsim.probes.structure import SplitStructure, decide_role, decide_roles, decide_split

__all__ = [
    "CLUSTERING",
    "Comparison",
    "Estimate",
    "LabelEquivalence",
    "Memberships",
    "RoleReadout",
    "RoleScore",
    "SoftReadout",
    "SplitStructure",
    "accuracy",
    "adjusted_rand",
    "compare",
    "decide_role",
    "decide_roles",
    "decide_split",
    "label_equivalence",
    "many_to_one",
    "memberships",
    "one_to_one",
    "resample_sums",
    "role_scores",
    "seed_interval",
    "sentence_sums",
    "v_measure",
    "variation_of_information",
    "verdicts",
]
