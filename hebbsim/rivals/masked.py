"""A BiGRU trained to find hidden words, and k-means of its states.

The network is the supervised BiGRU's (`hebbsim.baselines`), of its size, updates and schedule, with
words in place of roles: a share of the tokens of each sentence is hidden, and these are predicted
(Devlin, J. et al. 2019. BERT. NAACL, section 3.1). Clusters are of what both directions hold at a
token that is not hidden.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hebbsim.baselines.config import config_of
from hebbsim.probes import Memberships, memberships
from hebbsim.rivals.base import Rival, Sentences, check_size, in_blocks

__all__ = ["MaskedBiGRU"]


@dataclass(eq=False)
class MaskedBiGRU(Rival):
    """Clusters of the states of a bidirectional network that fills in hidden words.

    `rare` and `ending` have no part in it: the network reads affixes.

    Parameters
    ----------
    hidden : float
        Share of the tokens that are hidden.
    embedded : float
        Weight in k-means of what the network reads of the token itself, relative to its states.
    scaled : bool
        Each dimension of a state has variance 1 in k-means.

    Examples
    --------
    >>> import importlib.util
    >>> sentences = [["dogs", "bark"], ["cats", "run"]] * 8
    >>> if importlib.util.find_spec("torch"):
    ...     found = MaskedBiGRU(n_clusters=2).fit(sentences)
    ...     assert found.predict([["dogs", "run"]]).shape == (2,)
    """

    RANGES = ("hidden=0.1:0.6", "embedded=[0, 0.3, 1]", "scaled=[false, true]")
    LIBRARY = ("torch", "torch")

    hidden: float = 0.3
    embedded: float = 0.0
    scaled: bool = False

    def fit(self, sentences: Sentences) -> Any:
        from sklearn.cluster import MiniBatchKMeans

        self.import_library()
        module = importlib.import_module("hebbsim.rivals._masked_network")
        self._states = module.trained(
            sentences, config_of(sentences), hidden=self.hidden, seed=self.random_state
        )
        self._scale: Any = 1.0
        vectors = self._vectors(sentences)
        check_size(self.n_clusters, len(vectors))
        if self.scaled:
            self._scale = 1.0 / np.maximum(vectors.std(axis=0), 1e-6)
            vectors *= self._scale
        means = MiniBatchKMeans(
            self.n_clusters, batch_size=4096, n_init=1, random_state=self.random_state
        )
        means.fit(vectors)
        self.prototypes_ = means.cluster_centers_.astype(np.float32)
        return self

    def _vectors(self, sentences: Sentences) -> NDArray[np.float32]:
        states, embedded = self._states(sentences)
        parts = [states, self.embedded * embedded] if self.embedded else [states]
        return np.concatenate(parts, axis=1).astype(np.float32) * self._scale

    def memberships(self, sentences: Sentences) -> Memberships:
        vectors = self._vectors(sentences)
        return in_blocks(lambda part: memberships(vectors[part], self.prototypes_), len(vectors))
