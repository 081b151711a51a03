"""What experiments that vary the network share: a corpus to score on, and a variant's roles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hebbsim.errors import BadInputError, HebbsimError
from hebbsim.experiments.roles.data import check_splits, hold_out
from hebbsim.experiments.roles.scores import named_on_dev
from hebbsim.models import RoleNetwork
from hebbsim.probes import RoleReadout
from hebbsim.readers.base import Corpus
from hebbsim.rivals.base import Rival


def with_scored_splits(corpus: Corpus, option: str) -> Corpus:
    """A corpus with roles, dev and test; a note says if training sentences stand in for a split.

    Raises BadInputError, about `option`, if it has no roles, or too few sentences.
    """
    if corpus.layer is None:
        raise BadInputError(
            f"{option}: text without roles, so there is nothing to score; give an annotated corpus"
        )
    corpus, note = hold_out(corpus)
    check_splits(corpus, corpus.layer or "")
    return replace(corpus, notes=(*corpus.notes, note)) if note else corpus


def assigned_roles(
    learn: Callable[[], RoleNetwork | Rival], corpus: Corpus
) -> dict[str, NDArray[np.str_]]:
    """Roles of every split but train, by clusters of what has learned that dev names by majority.

    Raises HebbsimError if the weights of a network do not stay finite.
    """
    rest = {name: split for name, split in corpus.splits.items() if name != "train"}
    roles = rest["dev"].layers[corpus.layer or ""]
    with np.errstate(all="ignore"):  # of weights that do not stay finite
        learner = learn()
        if isinstance(learner, RoleNetwork):
            arrays, _ = learner.network_.state()
            if not all(np.isfinite(array).all() for array in arrays.values()):
                raise HebbsimError("weights did not stay finite")
        winners = {name: learner.predict(split.sentences()) for name, split in rest.items()}

    def mapping(on: NDArray[np.bool_]) -> Callable[[str], NDArray[np.str_]]:
        readout = RoleReadout().fit(winners["dev"][on], roles[on])
        return lambda split: readout.predict(winners[split])

    return named_on_dev(mapping, rest["dev"], rest)
