"""Codes of words learned from their contexts, as a zero-label learner has them in its traces."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hebbsim.engine.components import CCIPCA
from hebbsim.engine.signatures import WordSignatures

__all__ = ["learned_codes"]

#: Context words that get a column of a signature.
_CONTEXT_WORDS = 500
#: Passes over the types for their principal components (CCIPCA).
_PASSES = 4
#: Words seen at most this often define the code of unseen words.
_SEEN = 3


def learned_codes(
    tokens: ArrayLike, n_types: int, dim: int, rng: np.random.Generator, offsets: ArrayLike | None
) -> NDArray[np.float64]:
    """Hebbian signatures of words, reduced by CCIPCA to a mean square length of one.

    Parameters
    ----------
    tokens : array_like of int, shape=(T,)
        Below `n_types`, the commonest first.
    n_types : int
        V. A type that is not in `tokens` gets the mean code of the types that occur at most
        three times.
    dim : int
        D.
    rng : numpy.random.Generator
        Draws the order in which types are presented.
    offsets : array_like of int or None
        Sentence boundaries; None for one stream.

    Returns
    -------
    ndarray of float64, shape=(V, D)
        Float32 numbers, as random codes are.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> text = rng.integers(2, size=400) + np.tile([0, 2], 200)  # one of 0, 1, then of 2, 3
    >>> codes = learned_codes(text, 4, 2, rng, None)
    >>> bool(np.linalg.norm(codes[0] - codes[1]) < np.linalg.norm(codes[0] - codes[2]))
    True
    """
    signatures = WordSignatures(n_types, min(_CONTEXT_WORDS, n_types), timescales=(2, 8))
    signatures.learn(np.asarray(tokens, dtype=np.int32), offsets)
    counts = signatures.counts
    seen = np.flatnonzero(counts)
    x = unit_rows(np.sqrt(signatures.means().reshape(n_types, -1)))
    reducer = CCIPCA(dim, x.shape[1])
    weight = np.minimum(counts[seen], 0.005 * counts.sum())
    for _ in range(_PASSES):
        order = rng.choice(seen, size=2 * len(seen), p=weight / weight.sum())
        reducer.learn(x, order.astype(np.int64))
    found = np.zeros((n_types, dim), dtype=np.float32)
    found[:, : len(reducer.components)] = unit_rows(reducer.project(x))
    rare = seen[counts[seen] <= _SEEN]
    found[counts == 0] = found[rare if len(rare) else seen].mean(axis=0)
    codes = found / np.sqrt((found[seen] ** 2).sum(axis=1).mean())
    return codes.astype(np.float32).astype(np.float64)


def unit_rows(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows scaled to length one; a row of zeros stays zero."""
    length = np.sqrt(np.einsum("ij,ij->i", x, x))[:, None]
    return x / np.maximum(length, np.float32(1e-12))
