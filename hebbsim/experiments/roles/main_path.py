"""From text to a figure of roles, on one page: what `hebbsim run roles` does for one seed.

Nothing is resumed, repeated or run in parallel here; `run_roles` adds seeds, controls, rivals and
intervals, and gives the same numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hebbsim.baselines import LookupBaseline
from hebbsim.models import RoleNetwork
from hebbsim.probes import RoleReadout, accuracy, role_scores
from hebbsim.readers import load_corpus
from hebbsim.runs.results import Score, summarize

if TYPE_CHECKING:
    from pandas import DataFrame


class Found(NamedTuple):
    """Roles of the test split, and a table of how well each was found."""

    words: list[list[str]]
    roles: NDArray[np.str_]
    accuracy: float
    table: DataFrame


def text_to_roles(
    source: str = "builtin",
    *,
    timescales: tuple[float, ...] = (2, 8, 32),
    clusters: int = 300,
    passes: int = 3,
    seed: int = 0,
) -> Found:
    """Learn from words alone, name clusters on dev, find the roles of test.

    Examples
    --------
    >>> from hebbsim.plots import plot_roles
    >>> found = text_to_roles(clusters=50, passes=1)  # doctest: +SKIP
    >>> plot_roles(found.table).figure.savefig("roles.svg")  # doctest: +SKIP
    """
    import pandas as pd

    # Text: sentences of words in three splits, with gold roles beside them. `hebbsim/readers`
    corpus = load_corpus(source)
    train, dev, test = (corpus.splits[name] for name in ("train", "dev", "test"))
    labels, dev_roles, gold = (split.layers[corpus.layer or ""] for split in (train, dev, test))

    # Traces of the words on either side of a token, Hebbian weights over them, and clusters of
    # the codes that these give. It is shown words, never a role. `hebbsim/engine/network`
    network = RoleNetwork(
        timescales=timescales, n_clusters=clusters, passes=passes, random_state=seed
    )
    network.fit(train.sentences())

    # Roles: each cluster is named by the commonest role of its tokens on dev. `hebbsim/probes`
    readout = RoleReadout().fit(network.predict(dev.sentences()), dev_roles)
    roles = readout.predict(network.predict(test.sentences()))

    # The control: each word's commonest role, learned from every label of train.
    lookup = LookupBaseline().fit(train.sentences(), labels)

    # A table with the recall of each role; `plot_roles(table)` draws it. `hebbsim/plots`
    found = {"hebbian": roles, "lookup": lookup.predict(test.sentences())}
    scores = [
        Score(corpus.name, "test", model, f"K={clusters}" * (model == "hebbian"),
              "recall", each.role, seed, each.recall)
        for model, predicted in found.items()
        for each in role_scores(gold, predicted)
    ]  # fmt: skip
    table = pd.DataFrame([vars(row) for row in summarize(scores)])
    return Found(test.sentences(), roles, accuracy(gold, roles), table)
