"""From text to a figure of roles on one page: `hebbsim run roles` for one seed.

No resuming, repetition or parallelism here; `run_roles` gives the same numbers, and adds seeds,
controls, rivals and intervals.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hebbsim.baselines import LookupBaseline
from hebbsim.models import RoleNetwork
from hebbsim.probes import RoleReadout, accuracy, role_scores
from hebbsim.readers import load_corpus
from hebbsim.runs.results import Score, summarize


class Found(NamedTuple):
    """Roles of the test split, and a table with the recall of each role."""

    words: list[list[str]]
    roles: NDArray[np.str_]
    accuracy: float
    table: pd.DataFrame


def text_to_roles(
    source: str = "builtin",
    *,
    timescales: tuple[float, ...] = (2, 8, 32),
    clusters: int = 300,
    passes: int = 3,
    seed: int = 0,
) -> Found:
    """Learn from words only, name clusters on dev, predict the roles of test.

    >>> from hebbsim.plots import plot_roles
    >>> found = text_to_roles(clusters=50, passes=1)  # doctest: +SKIP
    >>> plot_roles(found.table).figure.savefig("roles.svg")  # doctest: +SKIP
    """
    # Text: sentences of words in three splits, with their gold roles. `hebbsim/readers`
    corpus = load_corpus(source)
    train, dev, test = (corpus.splits[name] for name in ("train", "dev", "test"))
    labels, dev_roles, gold = (split.layers[corpus.layer or ""] for split in (train, dev, test))

    # Traces of the words on both sides of a token, Hebbian weights on these traces, and clusters of
    # the resulting codes. The network receives words, never roles. `hebbsim/engine/network`
    network = RoleNetwork(
        timescales=timescales, n_clusters=clusters, passes=passes, random_state=seed
    )
    network.fit(train.sentences())

    # Roles: each cluster is named by the most frequent role of its dev tokens. `hebbsim/probes`
    readout = RoleReadout().fit(network.predict(dev.sentences()), dev_roles)
    roles = readout.predict(network.predict(test.sentences()))

    # The control: each word's most frequent role, from all labels of train.
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
