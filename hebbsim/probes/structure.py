"""Which roles and splits depend on structure, decided before a model is scored on test.

The definitions use dev, the lookup of each word's most frequent role, and a sibling corpus:
sentences made only for this purpose, with their own train, dev and generalization splits
(`hebbsim.readers.siblings`). They use neither gold roles nor predictions on test or on the
generalization splits that are scored.

A *role* is classified by two F1 scores on dev: that of the lookup (content only) and that of the
zero-label learner with traces only (structure only).

=============  ================================================================
``structure``  traces exceed the lookup by `MARGIN` or more
``content``    the lookup exceeds traces by `MARGIN` or more
``either``     the difference is smaller, and the better one reaches `FLOOR`
``neither``    both are below `FLOOR`
=============  ================================================================

A generalization *split* depends on structure if, on the sibling's split of the same name, the
lookup (fitted on the sibling's train) is less accurate than on the sibling's dev, and at least
half of the tokens that it gets wrong there have structure-dependent roles. A split without a
sibling is not judged.
"""

from collections.abc import Collection, Mapping
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Decided = Literal["structure", "content", "either", "neither"]

#: Minimum difference in F1 for a role to depend on structure or content.
MARGIN = 0.1
#: F1 below which a role counts as not found.
FLOOR = 0.5


class SplitStructure(NamedTuple):
    """Accuracy of the lookup on a sibling split, and the share of its errors in structural roles.

    Examples
    --------
    >>> SplitStructure(lookup=0.7, lookup_dev=0.9, share=0.8, decided="structure").decided
    'structure'
    """

    lookup: float
    lookup_dev: float
    share: float
    decided: Literal["structure", "other"]


def decide_role(lookup: float, traces: float) -> Decided:
    """Classify a role by the F1 on dev of the lookup and of traces without the word.

    Examples
    --------
    >>> decide_role(lookup=0.62, traces=0.95), decide_role(lookup=0.99, traces=0.97)
    ('structure', 'either')
    """
    if max(lookup, traces) < FLOOR:
        return "neither"
    # Rounded, so that rounding errors do not matter at the margin.
    difference = round(traces - lookup, 12)
    if difference >= MARGIN:
        return "structure"
    return "content" if difference <= -MARGIN else "either"


def decide_roles(lookup: Mapping[str, float], traces: Mapping[str, float]) -> dict[str, Decided]:
    """`decide_role` for every role in both mappings from roles to F1."""
    return {role: decide_role(lookup[role], traces[role]) for role in lookup if role in traces}


def decide_split(
    gold: NDArray[np.str_],
    lookup: NDArray[np.str_],
    *,
    lookup_dev: float,
    structure_roles: Collection[str],
) -> SplitStructure:
    """Decide from its sibling whether a generalization split depends on structure.

    Parameters
    ----------
    gold, lookup : ndarray of str, shape=(T,)
        Roles of the sibling split: annotated, and assigned by a lookup that was fitted on the
        sibling's train.
    lookup_dev : float
        Accuracy of that lookup on the sibling's dev.
    structure_roles : collection of str
        Roles that `decide_roles` classifies as ``structure``.

    Examples
    --------
    >>> gold, lookup = np.array(["DET", "OBJ"]), np.array(["DET", "SUBJ"])
    >>> decide_split(gold, lookup, lookup_dev=0.9, structure_roles={"OBJ"}).decided
    'structure'
    """
    wrong = gold != lookup
    share = float(np.isin(gold[wrong], list(structure_roles)).mean()) if wrong.any() else 0.0
    accuracy = float(1 - wrong.mean())
    depends = accuracy < lookup_dev and share >= 0.5
    return SplitStructure(accuracy, lookup_dev, share, "structure" if depends else "other")
