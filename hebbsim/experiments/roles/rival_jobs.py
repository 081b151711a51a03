"""Trains a rival in a worker process."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from hebbsim.probes import Memberships
from hebbsim.rivals import new_rival
from hebbsim.runs.costs import Meter


class FoundClusters(NamedTuple):
    """Clusters of all splits, prototypes of shape (K, D), and the cost of training."""

    members: dict[str, Memberships]
    prototypes: NDArray[np.float32]
    seconds: float
    memory: int | None


@dataclass(frozen=True, eq=False)
class RivalJob:
    """A rival to train, and the sentences that it clusters; words only."""

    name: str
    train: list[list[str]]
    evaluation: Mapping[str, list[list[str]]]
    n_clusters: int
    seed: int
    settings: Mapping[str, Any]

    def load(self) -> None:
        """Return None: results are cached with the steps of the run."""

    def run(self) -> FoundClusters:
        """Learn, then cluster every split."""
        rival = new_rival(self.name, self.n_clusters, self.seed, self.settings)
        rival.import_library()  # outside the measurement
        import sklearn.cluster  # noqa: F401

        with threadpool_limits(1):  # BLAS sums in another order with more threads
            with Meter() as meter:
                rival.fit(self.train)
            members = {name: rival.memberships(s) for name, s in self.evaluation.items()}
        return FoundClusters(members, rival.prototypes_, meter.seconds, meter.memory)
