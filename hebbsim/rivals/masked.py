"""A BiGRU trained to predict masked words, and k-means of its states.

The network is the supervised BiGRU (`hebbsim.baselines`), with the same size, number of updates
and schedule, and words in place of roles: a share of the tokens of each sentence is masked and
predicted (Devlin, J. et al. 2019. BERT. NAACL, section 3.1). Clusters are those of the states of
both directions at unmasked tokens.
"""

import importlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hebbsim.baselines.config import config_of
from hebbsim.probes import Memberships
from hebbsim.rivals.base import Rival, Sentences


@dataclass(eq=False)
class MaskedBiGRU(Rival):
    """k-means of the states of a bidirectional network that predicts masked words.

    `rare` and `ending` are not used, as the network reads affixes.

    >>> import importlib.util
    >>> sentences = [["dogs", "bark"], ["cats", "run"]] * 8
    >>> if importlib.util.find_spec("torch"):
    ...     found = MaskedBiGRU(n_clusters=2).fit(sentences)
    ...     assert found.predict([["dogs", "run"]]).shape == (2,)
    """

    RANGES = ("hidden=0.1:0.6", "embedded=[0, 0.3, 1]", "scaled=[false, true]")
    LIBRARY = ("torch", "torch")

    #: Share of the tokens that are masked.
    hidden: float = 0.3
    #: Weight of the token's own embedding in k-means, relative to the states.
    embedded: float = 0.0
    #: Whether each dimension is scaled to variance 1 for k-means.
    scaled: bool = False

    def fit(self, sentences: Sentences) -> Any:
        self.import_library()
        module = importlib.import_module("hebbsim.rivals._masked_network")
        self._states = module.trained(
            sentences, config_of(sentences), hidden=self.hidden, seed=self.random_state
        )
        self._scale: Any = 1.0
        vectors = self._vectors(sentences)
        if self.scaled and len(vectors):
            self._scale = 1.0 / np.maximum(vectors.std(axis=0), 1e-6)
            vectors *= self._scale
        self._learn_prototypes(vectors)
        return self

    def _vectors(self, sentences: Sentences) -> NDArray[np.float32]:
        states, embedded = self._states(sentences)
        parts = [states, self.embedded * embedded] if self.embedded else [states]
        return np.concatenate(parts, axis=1).astype(np.float32) * self._scale

    def memberships(self, sentences: Sentences) -> Memberships:
        vectors = self._vectors(sentences)
        return self._nearest(vectors.__getitem__, len(vectors))
