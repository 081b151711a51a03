"""Rivals that learn without labels, on the splits, the clusters and the naming of the learner."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hebbsim.errors import BadInputError, LibraryMissingError
from hebbsim.experiments.roles.clustering import Clustering
from hebbsim.experiments.roles.learning import Learning, Measuring
from hebbsim.experiments.roles.measured import Measured
from hebbsim.experiments.roles.rival_jobs import FoundClusters, RivalJob
from hebbsim.readers.corpus_kinds import kinds_of
from hebbsim.rivals import rival_class, settings_for
from hebbsim.runs.costs import Cost


class RivalKey(NamedTuple):
    """A rival of a run, as which its job and its step are known."""

    name: str
    seed: int

    @property
    def step(self) -> str:
        return f"rival {self.name} seed={self.seed}"


class Rivals:
    """The rivals of a run; refused if the library of one is not installed."""

    def __init__(self, learning: Learning) -> None:
        self.learning, config = learning, learning.config
        for name in config.rivals:
            try:
                rival_class(name).require_library()
            except LibraryMissingError as error:
                raise BadInputError(f"--rivals {name}: {error}; or name others") from None
        seeds = range(config.rival_seeds)
        self.keys = [RivalKey(name, seed) for name in config.rivals for seed in seeds]

    def job(self, key: RivalKey) -> RivalJob:
        """What a rival learns from and clusters: the words of the splits."""
        learning = self.learning
        return RivalJob(
            name=key.name,
            train=learning.sentences["train"],
            evaluation={k: s for k, s in learning.sentences.items() if k != "train"},
            n_clusters=learning.config.clusters,
            seed=key.seed,
            settings=settings_for(key.name, kinds_of(learning.config.corpus)),
        )

    @staticmethod
    def measure(measuring: Measuring, key: RivalKey, found: FoundClusters) -> Measured:
        """Name the clusters of a rival as those of the learner, and score them."""
        measured = Measured()
        nobody = measuring.corpus.splits["train"].subset(np.zeros(0, dtype=np.int64))
        clustering = Clustering(
            {name: [members] for name, members in found.members.items()},
            [found.prototypes],
            np.zeros(0, dtype=np.int64),
            nobody,
        )
        measuring.name_by_dev(measured, key.name, key.seed, clustering)
        cost = Cost(key.name, measuring.k, key.seed, found.seconds, found.memory)
        measured.costs.append(cost)
        return measured
