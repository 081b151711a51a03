"""Spectral clusters: the leading directions of who stands beside whom, and k-means.

Schütze, H. (1995). Distributional part-of-speech tagging. EACL, sections 3 and 4: counts of left
and right neighbours, a singular value decomposition, a token by the vectors of its word and of
those around it. Counts are weighed by positive pointwise mutual information.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, hstack

from hebbsim.rivals.base import BOUNDARY, ContextClusters, Sentences, Types

__all__ = ["Spectral"]


@dataclass(eq=False)
class Spectral(ContextClusters):
    """Vectors of words by singular value decomposition of their neighbours.

    Parameters
    ----------
    size : int
        Dimensions of a vector; fewer where the vocabulary is smaller.
    smoothing : float
        Counts of neighbours are taken to this power for what is expected by chance; below 1,
        rare neighbours tell less (Levy, Goldberg & Dagan 2015, section 3.2).
    stress : float
        Directions weigh their singular value to this power.

    Examples
    --------
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

    size: int = 50
    smoothing: float = 0.75
    stress: float = 0.5

    def word_vectors(self, sentences: Sentences, types: Types) -> NDArray[np.float32]:
        from sklearn.utils.extmath import randomized_svd

        windows = types.windows(sentences, 1)
        sides = [windows[:, [1, 0]], windows[:, [1, 2]]]
        # An end of a sentence has a word on one side.
        first, last = windows[windows[:, 0] == BOUNDARY], windows[windows[:, 2] == BOUNDARY]
        sides[0] = np.concatenate([sides[0], last[:, [2, 1]]])
        sides[1] = np.concatenate([sides[1], first[:, [0, 1]]])
        weighed = hstack([ppmi(pairs, len(types), self.smoothing) for pairs in sides]).tocsr()
        size = min(self.size, len(types) - 1)
        left, values, _ = randomized_svd(weighed, size, n_iter=4, random_state=self.random_state)
        return left * values**self.stress


def ppmi(pairs: NDArray[np.integer], n_types: int, smoothing: float) -> csr_array:
    """Positive pointwise mutual information of words and their neighbours.

    Parameters
    ----------
    pairs : ndarray of int, shape=(N, 2)
        Word and neighbour.
    n_types : int
        V.
    smoothing : float

    Returns
    -------
    csr_array of float64, shape=(V, V)

    Examples
    --------
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
    told = np.log(found.data / words[rows] / (others[columns] / others.sum()))
    kept = told > 0
    return csr_array((told[kept], (rows[kept], columns[kept])), shape=counts.shape)
