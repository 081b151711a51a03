"""When one trace of one-hot tokens tells its whole past: expansions in base 1 / (1 - alpha).

With one-hot codes each component of a trace is ``alpha sum_k (1 - alpha)**k b_k`` with binary
digits b_k, an expansion in base ``1 / (1 - alpha)``, and at every lag exactly one component has
the digit 1. The token at lag 0 is the largest component, whatever the past, as long as it
outweighs all older tokens together,

    alpha > (1 - alpha) (1 - (1 - alpha)**(n - 1))      after n tokens,

and what is left after taking it out is a shorter past, for which the same holds. For
``alpha >= 1/2`` (timescales up to 2 tokens) this is true of every n. Below it ends at a finite
past, and there the condition is tight: a token followed by n - 1 equal ones is read wrongly.
At ``alpha = 1 - 1/phi`` with the golden ratio phi the two pasts ``abb`` and ``baa`` even lead
to the same state, so that no decoder can tell them apart. (Rényi 1957 and Parry 1960 on
expansions in non-integer bases.)
"""

from __future__ import annotations

import math
from itertools import product

import numpy as np
from numpy.typing import NDArray

from hebbsim.errors import BadInputError


def exact_past(alpha: float) -> float:
    """Longest past, in tokens, of which greedy decoding finds every token, whatever it was.

    Parameters
    ----------
    alpha : float
        Above 0, at most 1. Arithmetic is taken to be exact.

    Returns
    -------
    float
        ``inf`` from alpha = 1/2 on; else the largest n with ``(1 - alpha)**n > 1 - 2 alpha``.

    Raises
    ------
    BadInputError
        Another alpha.

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
    # At equality the two types tie; rounding may not make a tie a win.
    while (1 - alpha) ** (n + 1) > (1 - 2 * alpha) * (1 + 1e-12):
        n += 1
    return n


def pasts(n_types: int, n_tokens: int) -> NDArray[np.int64]:
    """Every sequence of so many tokens, shape=(n_types**n_tokens, n_tokens), lag 0 first."""
    return np.array(list(product(range(n_types), repeat=n_tokens)))


def smallest_distance(alpha: float, n_types: int, n_tokens: int) -> float:
    """Smallest largest difference of a component between the states of two different pasts.

    Nothing coarser than half of it can be added to a state without a risk of confusion. By
    trying all pasts; 0 where two of them lead to one state.

    Examples
    --------
    >>> golden = (1 + 5**0.5) / 2
    >>> smallest_distance(1 - 1 / golden, 2, 3) < 1e-12, smallest_distance(0.5, 2, 3)
    (True, 0.125)
    """
    gains = alpha * (1 - alpha) ** np.arange(n_tokens)
    sequences = pasts(n_types, n_tokens)
    states = np.einsum("k,qkv->qv", gains, np.eye(n_types)[sequences])
    from scipy.spatial import cKDTree

    return float(cKDTree(states).query(states, k=2, p=np.inf)[0][:, 1].min())
