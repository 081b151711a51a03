"""When a single trace of one-hot tokens determines its whole past.

With one-hot codes, each component of a trace is ``alpha sum_k (1 - alpha)**k b_k`` with binary
digits b_k, an expansion in base ``1 / (1 - alpha)`` (Rényi 1957, Parry 1960); at every lag,
exactly one component has the digit 1. The token at lag 0 is the largest component if it outweighs
all older tokens together,

    alpha > (1 - alpha) (1 - (1 - alpha)**(n - 1))      after n tokens.

Subtracting it leaves a shorter past, to which the same applies. For ``alpha >= 1/2`` (timescales
up to 2 tokens) the condition holds for every n. Below, it fails at a finite n, where it is tight:
a token followed by n - 1 equal ones is decoded wrongly. At ``alpha = 1 - 1/phi``, with the golden
ratio phi, the pasts ``abb`` and ``baa`` even lead to the same state, so that no decoder can
distinguish them.
"""

import math
from itertools import product

import numpy as np

from hebbsim.errors import BadInputError
from hebbsim.probes.identity.states import Ints


def exact_past(alpha: float) -> float:
    """Maximum length of a past, in tokens, that greedy decoding always recovers exactly.

    Parameters
    ----------
    alpha : float
        Above 0, at most 1. Arithmetic is assumed to be exact.

    Returns
    -------
    float
        ``inf`` for alpha >= 1/2; else the largest n with ``(1 - alpha)**n > 1 - 2 alpha``.

    Raises
    ------
    BadInputError
        `alpha` is out of range.

    Examples
    --------
    >>> exact_past(0.5), exact_past(0.49), exact_past(0.1)
    (inf, 5, 2)
    """
    if not 0 < alpha <= 1:
        raise BadInputError(f"alpha is {alpha}: give a number above 0, at most 1")
    if alpha >= 0.5:
        return math.inf
    n = 1
    # At equality two types tie, which rounding must not turn into a win.
    while (1 - alpha) ** (n + 1) > (1 - 2 * alpha) * (1 + 1e-12):
        n += 1
    return n


def pasts(n_types: int, n_tokens: int) -> Ints:
    """All sequences of `n_tokens` tokens, shape=(n_types**n_tokens, n_tokens), lag 0 first."""
    return np.array(list(product(range(n_types), repeat=n_tokens)))


def smallest_distance(alpha: float, n_types: int, n_tokens: int) -> float:
    """Minimum distance (maximum norm) between the states of two different pasts.

    Perturbations above half of it may lead to confusion; 0 if two pasts share a state. All pasts
    are enumerated.

    Examples
    --------
    >>> golden = (1 + 5**0.5) / 2
    >>> smallest_distance(1 - 1 / golden, 2, 3) < 1e-12, smallest_distance(0.5, 2, 3)
    (True, 0.125)
    """
    from scipy.spatial import cKDTree

    gains = alpha * (1 - alpha) ** np.arange(n_tokens)
    states = np.einsum("k,qkv->qv", gains, np.eye(n_types)[pasts(n_types, n_tokens)])
    return float(cKDTree(states).query(states, k=2, p=np.inf)[0][:, 1].min())
