"""The clusters of a fitted learner, and how they come to be named by roles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hebbsim.probes import Memberships, RoleReadout, SoftReadout
from hebbsim.readers.base import Split


@dataclass(frozen=True, eq=False)
class Clustering:
    """What a fitted learner, or each of P members, makes of the splits that are scored."""

    #: By split, the clusters of its tokens, P long; ``train`` holds those of `labelled` alone.
    members: dict[str, list[Memberships]]
    #: Where those clusters lie, P of shape (K, D).
    prototypes: list[NDArray[np.float32]]
    #: Training sentences that a draw of few labelled sentences contains, sorted.
    labelled: NDArray[np.int64]
    #: Those sentences.
    train: Split

    @property
    def scored(self) -> list[str]:
        """The splits that predictions are scored on."""
        return [split for split in self.members if split != "train"]

    def winners(self, split: str) -> NDArray[np.int32]:
        """The nearest cluster of every token, shape=(T, P)."""
        return np.stack([found.clusters[:, 0] for found in self.members[split]], axis=1)

    def mapping(
        self, split: str, roles: NDArray[np.str_], on: NDArray[np.bool_], *, soft: bool
    ) -> Callable[[str], NDArray[np.str_]]:
        """Map clusters to roles on some tokens of a split: roles of all tokens of another."""
        if not soft:
            majority = RoleReadout().fit(self.winners(split)[on], roles[on])
            return lambda other: majority.predict(self.winners(other))
        labelled = [found.part(on) for found in self.members[split]]
        readout = SoftReadout().fit(labelled, roles[on], self.prototypes)
        return lambda other: readout.predict(self.members[other])


def nearest_only(clusters: NDArray[np.int32]) -> Memberships:
    """Memberships of tokens that belong to one cluster each, shape=(T,)."""
    return Memberships(clusters[:, None], np.ones((len(clusters), 1), dtype=np.float32))
