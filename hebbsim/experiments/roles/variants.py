"""Shared by experiments that vary the network: a scored corpus, and the roles of a variant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hebbsim.errors import BadInputError, HebbsimError
from hebbsim.experiments.roles.clustering import Clustering, nearest_only
from hebbsim.experiments.roles.data import check_splits, hold_out
from hebbsim.experiments.roles.scores import named_on_dev
from hebbsim.models import RoleNetwork
from hebbsim.readers.base import Corpus
from hebbsim.rivals.base import Rival


def with_scored_splits(corpus: Corpus, option: str) -> Corpus:
    """Complete a corpus with dev and test; a note is added if a split was missing.

    Raises BadInputError, which names `option`, if it has no roles or too few sentences.
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
    """Predicted roles of every split except train, with clusters named on dev by majority.

    Raises HebbsimError if the weights of a network become infinite or NaN.
    """
    rest = {name: split for name, split in corpus.splits.items() if name != "train"}
    roles = rest["dev"].layers[corpus.layer or ""]
    with np.errstate(all="ignore"):  # weights may diverge
        learner = learn()
        arrays = learner.network_.state()[0] if isinstance(learner, RoleNetwork) else {}
        if not all(np.isfinite(array).all() for array in arrays.values()):
            raise HebbsimError("weights did not stay finite")
        members = {k: [nearest_only(learner.predict(s.sentences()))] for k, s in rest.items()}
    found = Clustering(members, [])
    return named_on_dev(lambda on: found.mapping("dev", roles, on, soft=False), rest["dev"], rest)
