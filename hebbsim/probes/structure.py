"""Which roles and splits depend on structure, decided before a model is scored on test.

The definitions use dev, the word frequencies behind the type look-up, and a sibling corpus:
sentences made only for this purpose, with their own train, dev and generalization splits
(`hebbsim.readers.siblings`). They use neither gold roles nor predictions on test or on the
generalization splits that are scored.

A *role* is decided on dev by two F1 scores: type lookup (content alone) and the
zero-label learner with traces alone (structure alone).

=============  ================================================================
``structure``  traces alone exceed lookup by `MARGIN` or more
``content``    lookup exceeds traces alone by `MARGIN` or more
``either``     they lie closer, and the better one reaches `FLOOR`
``neither``    both lie below `FLOOR`
=============  ================================================================

A generalization *split* turns on structure when lookup, fitted on the train of the
sibling, fails on the sibling's split of that name, meaning that it is less accurate
than on the sibling's dev, and when at least half of the tokens that it gets wrong there
carry roles that structure decides. Where no sibling can be made, a split is not judged.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Decided = Literal["structure", "content", "either", "neither"]

#: Smallest difference in F1 by which one side decides a role.
MARGIN = 0.1
#: F1 below which a role counts as not found.
FLOOR = 0.5


class SplitStructure(NamedTuple):
    """Accuracy of the look-up on a sibling split, and the share of its errors in structural roles.

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
    """What decides a role, from the F1 on dev of the look-up and of traces without the word.

    Examples
    --------
    >>> decide_role(lookup=0.62, traces=0.95), decide_role(lookup=0.99, traces=0.97)
    ('structure', 'either')
    """
    if max(lookup, traces) < FLOOR:
        return "neither"
    # Rounded, so that a difference of exactly the margin does not depend on float error.
    difference = round(traces - lookup, 12)
    if difference >= MARGIN:
        return "structure"
    return "content" if difference <= -MARGIN else "either"


def decide_roles(lookup: Mapping[str, float], traces: Mapping[str, float]) -> dict[str, Decided]:
    """`decide_role` for every role that both mappings (role to F1) name."""
    return {role: decide_role(lookup[role], traces[role]) for role in lookup if role in traces}


def decide_split(
    gold: NDArray[np.str_],
    lookup: NDArray[np.str_],
    *,
    lookup_dev: float,
    structure_roles: Collection[str],
) -> SplitStructure:
    """Whether a generalization split depends on structure, judged by its sibling.

    Parameters
    ----------
    gold, lookup : ndarray of str, shape=(T,)
        Roles of the sibling split: as annotated, and as assigned by a type look-up that was
        fitted on the train split of the sibling.
    lookup_dev : float
        Accuracy of that lookup on the sibling's dev.
    structure_roles : collection of str
        Roles that `decide_roles` calls ``structure``.

    Examples
    --------
    >>> gold, lookup = np.array(["DET", "OBJ"]), np.array(["DET", "SUBJ"])
    >>> decide_split(gold, lookup, lookup_dev=0.9, structure_roles={"OBJ"}).decided
    'structure'
    """
    wrong = gold != lookup
    share = float(np.isin(gold[wrong], list(structure_roles)).mean()) if wrong.any() else 0.0
    accuracy = float(1 - wrong.mean())
    turns = accuracy < lookup_dev and share >= 0.5
    return SplitStructure(accuracy, lookup_dev, share, "structure" if turns else "other")
