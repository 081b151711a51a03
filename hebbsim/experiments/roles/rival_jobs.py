"""A rival learned in a worker process, and the clusters that it finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from hebbsim.probes import Memberships
from hebbsim.rivals import new_rival
from hebbsim.runs.costs import Meter


class FoundClusters(NamedTuple):
    """What a rival made of the splits; its prototypes [shape=(K, D)]; what it took to learn."""

    members: dict[str, Memberships]
    prototypes: NDArray[np.float32]
    seconds: float
    memory: int | None


@dataclass(frozen=True, eq=False)
class RivalJob:
    """One rival to be learned, and the sentences that it is to cluster; words and nothing else."""

    name: str
    train: list[list[str]]
    evaluation: Mapping[str, list[list[str]]]
    n_clusters: int
    seed: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)

    def load(self) -> None:
        """Nothing is kept beyond the run."""

    def run(self) -> FoundClusters:
        """Learn, then cluster every split."""
        rival = new_rival(self.name, self.n_clusters, self.seed, self.settings)
        rival.import_library()  # imported before it is measured
        import sklearn.cluster  # noqa: F401

        # BLAS sums in another order with more threads.
        with threadpool_limits(1):
            with Meter() as meter:
                rival.fit(self.train)
            members = {name: rival.memberships(s) for name, s in self.evaluation.items()}
        return FoundClusters(members, rival.prototypes_, meter.seconds, meter.memory)
