"""Names of clusters: the roles and the words of their tokens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hebbsim.errors import BadInputError
from hebbsim.probes import Memberships, RoleReadout, SoftReadout

#: Methods to derive a token's role from its clusters.
READOUTS = ("soft", "majority")
#: Words that are stored per cluster.
_MOST_WORDS = 12

Arrays = dict[str, NDArray[Any]]


class Naming:
    """Roles and words of the clusters of P learners, counted in a labelled text.

    `members` are the P `Memberships` of the T tokens `forms`, `prototypes` P arrays, shape=(K, D),
    and `roles` the roles of the tokens, shape=(T,). Without `roles`, clusters are described by
    their words only, and both read-outs are None.

    Attribute `sizes` holds P arrays of int64, shape=(K,): tokens by cluster. `words` holds the
    most frequent words of each cluster with their counts, by learner and cluster.

    >>> from hebbsim.probes import memberships
    >>> prototypes = np.array([[0.0], [1.0]])
    >>> found = memberships(np.array([[0.1], [0.9], [1.2]]), prototypes)
    >>> naming = Naming([found], [prototypes], ["a", "cat", "dog"], ["DET", "NOUN", "NOUN"])
    >>> naming.words[0]
    [[('a', 1)], [('cat', 1), ('dog', 1)]]
    """

    def __init__(
        self,
        members: Sequence[Memberships],
        prototypes: Sequence[NDArray[np.floating]],
        forms: Iterable[str],
        roles: Sequence[str] | NDArray[np.str_] | None = None,
    ) -> None:
        winners = np.stack([found.clusters[:, 0] for found in members], axis=1)
        forms = list(forms)
        if len(forms) != len(winners):
            raise BadInputError(f"{len(forms)} words, but clusters of {len(winners)} tokens")
        self.soft: SoftReadout | None = None
        self.majority: RoleReadout | None = None
        if roles is not None:
            self.majority = RoleReadout().fit(winners, np.asarray(roles))
            self.soft = SoftReadout().fit(members, np.asarray(roles), prototypes)
        self.sizes, self.words = [], []
        for column, centres in zip(winners.T, prototypes, strict=True):
            counted: list[Counter[str]] = [Counter() for _ in centres]
            for cluster, form in zip(column.tolist(), forms, strict=True):
                counted[cluster][form] += 1
            self.sizes.append(np.bincount(column, minlength=len(centres)))
            self.words.append([words.most_common(_MOST_WORDS) for words in counted])

    @property
    def roles(self) -> list[str]:
        return [] if self.majority is None else self.majority.roles_.tolist()

    def probabilities(
        self, members: Sequence[Memberships], readout: str
    ) -> NDArray[np.float64] | None:
        """Probability of every role for every token, shape=(T, R); None without roles.

        Raises BadInputError if `readout` is not one of `READOUTS`.
        """
        if readout not in READOUTS:
            raise BadInputError(f"no read-out {readout!r}: choose {' or '.join(READOUTS)}")
        if self.soft is None or self.majority is None:
            return None
        if readout == "soft":
            return self.soft.probabilities(members)
        winners = np.stack([found.clusters[:, 0] for found in members], axis=1)
        return self.majority.probabilities(winners)

    def of_roles(self, member: int = 0) -> NDArray[np.int64]:
        """Tokens by cluster and role, shape=(K, R)."""
        counts = np.zeros((len(self.sizes[member]), len(self.roles)), dtype=np.int64)
        if self.majority is not None:
            found = self.majority.counts_[member][:-1]  # the last stands for clusters never seen
            counts[: len(found)] = found
        return counts

    def state(self) -> tuple[Arrays, dict[str, Any]]:
        """The complete state: arrays by name, and a JSON document."""
        arrays: Arrays = {f"sizes {n}": sizes for n, sizes in enumerate(self.sizes)}
        if self.soft is not None and self.majority is not None:
            arrays |= {f"values {n}": values for n, values in enumerate(self.soft.values_)}
            arrays |= {f"counts {n}": counts for n, counts in enumerate(self.majority.counts_)}
        return arrays, {"roles": self.roles, "words": self.words}

    @classmethod
    def from_state(
        cls, arrays: Mapping[str, NDArray[Any]], document: Mapping[str, Any], n_clusters: list[int]
    ) -> Naming:
        """The naming that `state` stored, of learners with `n_clusters` clusters.

        Raises KeyError, TypeError or ValueError for invalid input.
        """
        naming = cls.__new__(cls)
        roles = np.array([str(role) for role in document["roles"]], dtype=np.str_)
        naming.words = [
            [[(str(word), int(n)) for word, n in words] for words in member]
            for member in document["words"]
        ]
        naming.sizes = [arrays[f"sizes {n}"] for n in range(len(n_clusters))]
        found = [len(words) for words in naming.words]
        if found != n_clusters or [sizes.shape for sizes in naming.sizes] != [(k,) for k in found]:
            raise ValueError("names of clusters do not fit")
        naming.soft = naming.majority = None
        if len(roles):
            values = [arrays[f"values {n}"] for n in range(len(n_clusters))]
            counts = [arrays[f"counts {n}"] for n in range(len(n_clusters))]
            for k, value, count in zip(n_clusters, values, counts, strict=True):
                if value.shape != (k, len(roles)) or not np.isfinite(value).all():
                    raise ValueError("values of the soft read-out do not fit")
                whole = count.dtype == np.int64 and (count >= 0).all() and count.any()
                if len(count) > k + 1 or count.shape[1:] != (len(roles),) or not whole:
                    raise ValueError("counts of roles do not fit")
            naming.majority = RoleReadout().restore(roles, counts)
            naming.soft = SoftReadout()
            naming.soft.roles_, naming.soft.values_ = roles, values
        return naming
