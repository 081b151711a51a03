"""A BiGRU trained to predict masked words, and k-means of its states.

The network is the supervised BiGRU (`hebbsim.baselines`), with the same size, number of updates
and schedule, and words in place of roles: a share of the tokens of each sentence is masked and
predicted (Devlin, J. et al. 2019. BERT. NAACL, section 3.1). Clusters are those of the states of
all layers, in both directions, and of the token's embedding, each at length one.
"""

import importlib
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hebbsim.baselines.config import config_of
from hebbsim.probes import Memberships
from hebbsim.rivals.base import Rival, Sentences, unit_rows


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

    RANGES = ("hidden=0.1:0.6", "dropout=0:0.5", "embedded=[0, 0.5, 1]")
    LIBRARY = ("torch", "torch")

    #: Share of the tokens that are predicted.
    hidden: float = 0.3
    #: As in `hebbsim.baselines.BiGRUConfig`.
    dropout: float = 0.1
    #: Length of the token's own embedding in k-means, beside states of length one.
    embedded: float = 0.5

    def fit(self, sentences: Sentences) -> Any:
        self.import_library()
        module = importlib.import_module("hebbsim.rivals._masked_network")
        config = replace(config_of(sentences), dropout=self.dropout)
        self._states = module.trained(sentences, config, hidden=self.hidden, seed=self.random_state)
        self._learn_prototypes(self._vectors(sentences))
        return self

    def _vectors(self, sentences: Sentences) -> NDArray[np.float32]:
        states, embedded = map(unit_rows, self._states(sentences))
        return np.hstack([states, np.float32(self.embedded) * embedded])

    def memberships(self, sentences: Sentences) -> Memberships:
        vectors = self._vectors(sentences)
        return self._nearest(vectors.__getitem__, len(vectors))
