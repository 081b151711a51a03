"""Clusters of a fitted learner, and how they are mapped to roles."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hebbsim.errors import HebbsimError
from hebbsim.experiments.roles.scores import named_on_dev
from hebbsim.models import RoleNetwork
from hebbsim.probes import Memberships, RoleReadout, SoftReadout
from hebbsim.readers.base import Corpus, Split
from hebbsim.rivals.base import Rival


@dataclass(frozen=True, eq=False)
class Clustering:
    """Cluster memberships of all tokens, from one learner or each of P ensemble members."""

    #: By split, P memberships of its tokens; ``train`` covers the sentences in `labelled` only.
    members: dict[str, list[Memberships]]
    #: Prototypes of the clusters, P arrays of shape (K, D).
    prototypes: list[NDArray[np.float32]]
    #: Training sentences that any draw of labelled sentences contains, sorted.
    labelled: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    #: Those sentences; None without any.
    train: Split | None = None

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
        """Name clusters by the roles of tokens `on` of a split; returns a predictor of splits."""
        if not soft:
            majority = RoleReadout().fit(self.winners(split)[on], roles[on])
            return lambda other: majority.predict(self.winners(other))
        labelled = [found.part(on) for found in self.members[split]]
        readout = SoftReadout().fit(labelled, roles[on], self.prototypes)
        return lambda other: readout.predict(self.members[other])


def nearest_only(clusters: NDArray[np.int32]) -> Memberships:
    """Memberships of tokens that belong to exactly one cluster each, shape=(T,)."""
    return Memberships(clusters[:, None], np.ones((len(clusters), 1), dtype=np.float32))


def assigned_roles(
    learn: Callable[[], RoleNetwork | Rival], corpus: Corpus
) -> dict[str, NDArray[np.str_]]:
    """Roles of all splits but train, clusters named on dev; HebbsimError if weights diverged."""
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
