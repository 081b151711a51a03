"""Spectral clustering: singular vectors of counts of neighbours, and k-means.

Schütze, H. (1995). Distributional part-of-speech tagging. EACL, sections 3 and 4: counts of left
and right neighbours, a singular value decomposition, and a vector of each token from those of its
word and its neighbours. Counts are weighted by positive pointwise mutual information.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, hstack

from hebbsim.rivals.base import BOUNDARY, ContextClusters, Sentences, Types


@dataclass(eq=False)
class Spectral(ContextClusters):
    """Word vectors by singular value decomposition of counts of neighbours.

    >>> sentences = [["dogs", "bark"], ["cats", "run"]] * 8
    >>> Spectral(n_clusters=2, size=2).fit(sentences).predict([["dogs", "run"]]).shape
    (2,)
    """

    RANGES = (
        *ContextClusters.RANGES,
        "size=20:100:log",
        "smoothing=[0.5, 0.75, 1]",
        "stress=[0, 0.5, 1]",
    )

    #: Dimension of a vector; less if the vocabulary is smaller.
    size: int = 50
    #: Power of the neighbours' counts in the expectation by chance; below 1, rare neighbours have
    #: less weight (Levy, Goldberg & Dagan 2015, section 3.2).
    smoothing: float = 0.75
    #: Directions are weighted by their singular value to this power.
    stress: float = 0.5

    def word_vectors(self, sentences: Sentences, types: Types) -> NDArray[np.float32]:
        from sklearn.utils.extmath import randomized_svd

        windows = types.windows(sentences, 1)
        sides = [windows[:, [1, 0]], windows[:, [1, 2]]]
        # A sentence boundary has a word on one side only.
        first, last = windows[windows[:, 0] == BOUNDARY], windows[windows[:, 2] == BOUNDARY]
        sides[0] = np.concatenate([sides[0], last[:, [2, 1]]])
        sides[1] = np.concatenate([sides[1], first[:, [0, 1]]])
        weighed = hstack([ppmi(pairs, len(types), self.smoothing) for pairs in sides]).tocsr()
        size = min(self.size, len(types) - 1)
        left, values, _ = randomized_svd(weighed, size, n_iter=4, random_state=self.random_state)
        return left * values**self.stress


def ppmi(pairs: NDArray[np.integer], n_types: int, smoothing: float) -> csr_array:
    """Positive pointwise mutual information, shape=(V, V), of words and neighbours, shape=(N, 2).

    >>> ppmi(np.array([[0, 1], [1, 0]]), 2, 1.0).toarray().round(3).tolist()
    [[0.0, 0.693], [0.693, 0.0]]
    """
    ones = np.ones(len(pairs))
    counts = csr_array((ones, (pairs[:, 0], pairs[:, 1])), shape=(n_types, n_types))
    counts.sum_duplicates()
    words = np.asarray(counts.sum(axis=1)).ravel()
    others = np.asarray(counts.sum(axis=0)).ravel() ** smoothing
    found = counts.tocoo()
    rows, columns = found.row, found.col
    pmi = np.log(found.data / words[rows] / (others[columns] / others.sum()))
    positive = pmi > 0
    return csr_array((pmi[positive], (rows[positive], columns[positive])), shape=counts.shape)
