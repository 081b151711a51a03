"""Traces of one-hot tokens, sparse: what a token costs does not depend on the vocabulary.

The recurrence and start-up of `hebbsim.engine.traces`, kept only where a trace has not faded.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from hebbsim.engine._jit import njit
from hebbsim.engine.traces import check_offsets, check_tokens, decays, sentence_starts, startup_code
from hebbsim.errors import BadInputError

if TYPE_CHECKING:
    import scipy.sparse

__all__ = ["one_hot_clear", "one_hot_push", "one_hot_traces"]


def one_hot_traces(
    tokens: ArrayLike,
    offsets: ArrayLike | None = None,
    timescales: str | Iterable[float] = (2, 8, 32),
    *,
    n_types: int | None = None,
    backward: bool = False,
    startup: str = "zero",
    include_current: bool = True,
    tolerance: float = 1e-6,
) -> scipy.sparse.csr_array:
    """Traces of one-hot tokens, sparse: time and memory do not depend on the vocabulary.

    Only types that the traces still hold are touched. Parameters are those of
    :func:`dense_traces`, and:

    Parameters
    ----------
    n_types : int, optional
        V; by default the largest token plus 1.
    tolerance : float
        Values at or below it are dropped, which bounds the work per token in a stream
        that runs on. With 0 the result is that of dense traces of an identity table.

    Returns
    -------
    scipy.sparse.csr_array of float32, shape=(T, S * V)
        Column ``s * V + v`` is the trace of type v at timescale s. Within a row, columns
        stand in no particular order.

    Raises
    ------
    BadInputError
        As :func:`dense_traces`.

    Examples
    --------
    >>> one_hot_traces([0, 1, 0], timescales=[2], n_types=2).toarray()
    array([[0.5  , 0.   ],
           [0.25 , 0.5  ],
           [0.625, 0.25 ]], dtype=float32)
    """
    import scipy.sparse

    index = check_tokens(tokens, n_types)
    if n_types is None:
        n_types = int(index.max(initial=-1)) + 1
    if not (np.isfinite(tolerance) and 0 <= tolerance < 1):
        raise BadInputError(f"tolerance {tolerance} is not in [0, 1)")
    keep, alpha = decays(timescales)
    starts = sentence_starts(check_offsets(offsets, len(index)), len(index), backward=backward)
    active = min(n_types, len(index))  # no more types than that can be held at once
    arguments = (
        index,
        starts,
        backward,
        keep,
        alpha,
        startup_code(startup),
        include_current,
        np.float32(tolerance),
        np.full(n_types, -1, dtype=np.int32),
        np.empty(active, dtype=np.int32),
        np.zeros((len(alpha), active), dtype=np.float32),
        np.zeros(len(alpha), dtype=np.float32),
    )
    # Twice the same walk: once to count what each row holds, once to write it down.
    ends = np.zeros(len(index) + 1, dtype=np.int64)
    nothing = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32)
    one_hot_traces_kernel(*arguments, n_types, False, ends, *nothing)
    np.cumsum(ends, out=ends)
    columns = np.empty(ends[-1], dtype=np.int64)
    values = np.empty(ends[-1], dtype=np.float32)
    one_hot_traces_kernel(*arguments, n_types, True, ends, columns, values)
    shape = (len(index), len(alpha) * n_types)
    return scipy.sparse.csr_array((values, columns, ends), shape=shape)


# Kernels -----------------------------------------------------------------------------------


@njit
def one_hot_push(token, first, keep, alpha, tolerance, slot, active, value, mass, n_active):
    """Absorb one one-hot token into the active set; returns how many types it then holds.

    Parameters
    ----------
    token : int
    first : bool
        Give the token weight 1 instead of alpha (start-up ``first``).
    keep, alpha : float32, shape=(S,)
    tolerance : float32
        A type whose traces are all at or below it leaves the set.
    slot : int32, shape=(V,)
        Where a type stands in the active set, -1 where it does not.
    active : int32, shape=(A,)
        The types held, in its first `n_active` places.
    value : float32, shape=(S, A)
        Their traces. Zero beyond `n_active`.
    mass : float32, shape=(S,)
        Trace of a constant 1.
    n_active : int
    """
    n_scales = len(keep)
    for s in range(n_scales):
        row = value[s, :n_active]
        k = keep[s]
        for i in range(n_active):
            row[i] *= k
    place = slot[token]
    if place < 0:
        place = n_active
        slot[token] = place
        active[place] = token
        n_active += 1
    for s in range(n_scales):
        a = np.float32(1) if first else alpha[s]
        value[s, place] += a
        mass[s] = keep[s] * mass[s] + a
    i = 0
    while i < n_active:
        held = False
        for s in range(n_scales):
            held = held or value[s, i] > tolerance
        if held:
            i += 1
        else:  # the last one takes the place of the one that leaves
            n_active -= 1
            slot[active[i]] = -1
            if i < n_active:
                active[i] = active[n_active]
                slot[active[i]] = i
            for s in range(n_scales):
                value[s, i] = value[s, n_active]
                value[s, n_active] = 0
    return n_active


@njit
def one_hot_clear(slot, active, value, mass, n_active):
    """Empty the active set, touching only what it holds; returns 0."""
    for i in range(n_active):
        slot[active[i]] = -1
    value[:, :n_active] = 0
    mass[:] = 0
    return 0


@njit
def one_hot_traces_kernel(
    tokens, starts, backward, keep, alpha, startup, include_current, tolerance,
    slot, active, value, mass, n_types, write, ends, columns, values,
):  # fmt: skip
    """One-hot traces as rows of a CSR matrix.

    With `write` false, ``ends[t + 1]`` receives the number of values that row t holds;
    with `write` true, `ends` holds their running sum and `columns` and `values` (shape
    ``(ends[T],)``) are filled. Other arguments as in :func:`one_hot_push` and
    :func:`dense_traces_kernel`; the active set is empty before and after.
    """
    n_tokens = len(tokens)
    out = (columns, values)
    n_active = 0
    seen = 0
    for step in range(n_tokens):
        t = n_tokens - 1 - step if backward else step
        if starts[t]:
            n_active = one_hot_clear(slot, active, value, mass, n_active)
            seen = 0
        debias = startup == 2 and (include_current or seen > 0)
        at = ends[t]
        if not include_current:
            n = _emit(active, value, mass, n_active, debias, tolerance, n_types, write, at, out)
        first = startup == 1 and seen == 0
        n_active = one_hot_push(
            tokens[t], first, keep, alpha, tolerance, slot, active, value, mass, n_active
        )
        seen += 1
        if include_current:
            n = _emit(active, value, mass, n_active, debias, tolerance, n_types, write, at, out)
        if not write:
            ends[t + 1] = n
    one_hot_clear(slot, active, value, mass, n_active)


@njit
def _emit(active, value, mass, n_active, debias, tolerance, n_types, write, at, out):
    """Write one row from place `at` on, or only count it; returns how many values it has."""
    columns, values = out
    n = 0
    for s in range(len(mass)):
        scale = np.float32(1) / mass[s] if debias else np.float32(1)
        for i in range(n_active):
            if value[s, i] > tolerance:
                if write:
                    columns[at + n] = s * n_types + active[i]
                    values[at + n] = scale * value[s, i]
                n += 1
    return n
