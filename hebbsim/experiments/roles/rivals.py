"""Unsupervised rivals, on the same splits and with the same cluster naming as the learner."""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

from hebbsim.errors import BadInputError, LibraryMissingError
from hebbsim.experiments.roles.clustering import Clustering
from hebbsim.experiments.roles.learning import Learning, Measuring
from hebbsim.experiments.roles.measured import Measured
from hebbsim.experiments.roles.rival_jobs import FoundClusters, RivalJob
from hebbsim.readers.corpus_kinds import kinds_of
from hebbsim.rivals import rival_class, settings_for
from hebbsim.runs.costs import Cost


class RivalKey(NamedTuple):
    """Identifies the job of one rival and seed, and its step in the cache."""

    name: str
    seed: int

    @property
    def step(self) -> str:
        return f"rival {self.name} seed={self.seed}"


class Rivals:
    """The rivals of a run; raises BadInputError if the library of one is not installed."""

    def __init__(self, learning: Learning) -> None:
        self.learning, config = learning, learning.config
        self.keys = [RivalKey(*key) for key in product(config.rivals, range(config.rival_seeds))]
        for name in config.rivals:
            try:
                rival_class(name).require_library()
            except LibraryMissingError as error:
                raise BadInputError(f"--rivals {name}: {error}; or name others") from None

    def job(self, key: RivalKey) -> RivalJob:
        """The training job of a rival; it receives words only."""
        config, sentences = self.learning.config, dict(self.learning.sentences)
        return RivalJob(
            name=key.name,
            train=sentences.pop("train"),
            evaluation=sentences,
            n_clusters=config.clusters,
            seed=key.seed,
            settings=settings_for(key.name, kinds_of(config.corpus)),
        )

    @staticmethod
    def measure(measuring: Measuring, key: RivalKey, found: FoundClusters) -> Measured:
        """Name the clusters of a rival as those of the learner, and score them."""
        cost = Cost(key.name, measuring.k, key.seed, found.seconds, found.memory)
        measured = Measured(costs=[cost])
        members = {name: [members] for name, members in found.members.items()}
        measuring.name_by_dev(measured, key.name, key.seed, Clustering(members, [found.prototypes]))
        return measured
