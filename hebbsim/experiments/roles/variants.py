"""What experiments that vary the network share: a corpus to score on, and a variant's roles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hebbsim.errors import BadInputError
from hebbsim.experiments.roles.data import check_splits, hold_out
from hebbsim.experiments.roles.scores import named_on_dev
from hebbsim.models import RoleNetwork
from hebbsim.probes import RoleReadout
from hebbsim.readers.base import Corpus


def with_scored_splits(corpus: Corpus, option: str) -> Corpus:
    """A corpus with roles, dev and test; a note says if training sentences stand in for a split.

    Raises
    ------
    BadInputError
        The corpus has no roles, or too few sentences; `option` says who asked for it.
    """
    if corpus.layer is None:
        raise BadInputError(
            f"{option}: text without roles, so there is nothing to score; give an annotated corpus"
        )
    corpus, note = hold_out(corpus)
    check_splits(corpus, corpus.layer or "")
    return replace(corpus, notes=(*corpus.notes, note)) if note else corpus


def assigned_roles(
    learn: Callable[[], RoleNetwork], corpus: Corpus
) -> dict[str, NDArray[np.str_]] | str:
    """Roles of every split but train, by clusters that dev names by majority.

    Parameters
    ----------
    learn : callable
        Gives a network that has learned.
    corpus : Corpus
        With roles.

    Returns
    -------
    dict of str to ndarray of str, shape=(T,), or str
        By split; or why there are none, as anyone may have written a rule of the network.
    """
    rest = {name: split for name, split in corpus.splits.items() if name != "train"}
    dev, roles = rest["dev"], rest["dev"].layers[corpus.layer or ""]
    try:
        with np.errstate(all="ignore"):  # of weights that do not stay finite
            learner = learn()
            arrays, _ = learner.network_.state()
            if not all(np.isfinite(array).all() for array in arrays.values()):
                return "weights did not stay finite"
            winners = {name: learner.predict(split.sentences()) for name, split in rest.items()}
    except Exception as error:
        said = str(error).strip().partition("\n")[0]
        return f"{type(error).__name__}: {said}" if said else type(error).__name__

    def mapping(on: NDArray[np.bool_]) -> Callable[[str], NDArray[np.str_]]:
        readout = RoleReadout().fit(winners["dev"][on], roles[on])
        return lambda split: readout.predict(winners[split])

    return named_on_dev(mapping, dev, rest)
