"""Multi-timescale traces of a token stream of vectors.

A trace is an exponential moving average of the inputs,

    h_s[t] = (1 - alpha_s) h_s[t-1] + alpha_s x[t],    alpha_s = 1 / tau_s,

so that an input k tokens ago has the weight ``alpha_s (1 - alpha_s)**k``. Forward traces hold the
left context of a token; backward traces run the same recurrence from the end of each
sentence and hold the right context.

`startup` sets how a trace is initialized at a sentence start:

``zero``    h starts at 0, so the weights of the inputs sum to less than 1;
``first``   h starts at the first input;
``debias``  as ``zero``, but divided by ``1 - (1 - alpha)**n`` after n inputs
            (Kingma & Ba 2015, section 3), so that the weights sum to 1.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hebbsim.engine._jit import njit
from hebbsim.engine.memory import aligned_empty
from hebbsim.engine.prefetch import prefetch
from hebbsim.engine.threads import for_each_part
from hebbsim.engine.timescales import check_timescales
from hebbsim.errors import BadInputError

#: Kernels know a start-up by its position here.
STARTUPS = ("zero", "first", "debias")


# Public functions: validate, allocate, call the kernel -----------------------------------


def dense_traces(
    x: ArrayLike,
    offsets: ArrayLike | None = None,
    timescales: str | Iterable[float] = (2, 8, 32),
    *,
    tokens: ArrayLike | None = None,
    backward: bool = False,
    startup: str = "zero",
    include_current: bool = True,
    out: NDArray[np.float32] | None = None,
    n_jobs: int | None = None,
) -> NDArray[np.float32]:
    """Traces of embedded tokens.

    Parameters
    ----------
    x : array_like of float, shape=(T, D), or (V, D) with `tokens`
        Input vectors, or the embedding table that `tokens` indexes. Finite.
    offsets : array_like of int, shape=(N + 1,), optional
        Sentence ``i`` is ``offsets[i]:offsets[i + 1]``; traces restart at each
        (default: one uninterrupted stream).
    timescales : str or iterable of float, shape=(S,)
        In tokens.
    tokens : array_like of int, shape=(T,), optional
        Row of `x` at each token.
    backward : bool
        Run from the end of each sentence to its start.
    startup : {"zero", "first", "debias"}
        How a trace is initialized at a sentence start, see :mod:`hebbsim.engine.traces`.
    include_current : bool
        Whether the trace at t has absorbed ``x[t]``. False gives the context alone:
        0 at the first token of a sentence.
    out : ndarray of float32, shape=(T, S, D), optional
        Filled and returned in place of a new array.
    n_jobs : int, optional
        Number of threads that share the sentences (-1: one per core). Results do not depend
        on it.

    Returns
    -------
    ndarray of float32, shape=(T, S, D)

    Raises
    ------
    BadInputError
        An argument is unusable, or `x` holds NaN or inf.

    See Also
    --------
    last_traces : The traces after the last token only.
    hebbsim.engine.TraceEngine : Learns from traces without holding those of a whole text.

    Examples
    --------
    An impulse decays as ``alpha (1 - alpha)**k``:

    >>> dense_traces([[1.0], [0.0], [0.0]], timescales=[2, 4])[:, :, 0]
    array([[0.5     , 0.25    ],
           [0.25    , 0.1875  ],
           [0.125   , 0.140625]], dtype=float32)
    """
    index, table = _index_and_table(x, tokens)
    keep, alpha = decays(timescales)
    inner = check_offsets(offsets, len(index))
    starts = sentence_starts(inner, len(index), backward=backward)
    shape = (len(index), len(alpha), table.shape[1])
    filled = aligned_empty(shape) if out is None else check_out(out, shape)
    code = startup_code(startup)

    def fill(first: int, last: int) -> None:
        mass = np.zeros(len(alpha), dtype=np.float32)
        dense_traces_kernel(
            index[first:last], table, starts[first:last], backward, keep, alpha, code,
            include_current, mass, filled[first:last],
        )  # fmt: skip

    bounds = np.unique(np.concatenate([[0], inner, [len(index)]])).astype(np.int64)
    for_each_part(fill, bounds, n_jobs)
    return filled


def last_traces(
    x: ArrayLike,
    offsets: ArrayLike | None = None,
    timescales: str | Iterable[float] = (2, 8, 32),
    *,
    tokens: ArrayLike | None = None,
    startup: str = "zero",
) -> NDArray[np.float32]:
    """Traces after the last token, in memory that does not grow with the text.

    Parameters and exceptions are those of :func:`dense_traces`.

    Returns
    -------
    ndarray of float32, shape=(S, D)
        Bit-identical to the last row of :func:`dense_traces`; zero for an empty text.

    Examples
    --------
    >>> last_traces([[1.0], [0.0], [0.0]], timescales=[2, 4])[:, 0]
    array([0.125   , 0.140625], dtype=float32)
    """
    index, table = _index_and_table(x, tokens)
    keep, alpha = decays(timescales)
    starts = sentence_starts(check_offsets(offsets, len(index)), len(index))
    rows = aligned_empty((2, len(alpha), table.shape[1]))
    rows[:] = 0
    mass = np.zeros(len(alpha), dtype=np.float32)
    last_traces_kernel(index, table, starts, keep, alpha, startup_code(startup), mass, rows)
    return rows[len(index) % 2]


# Shared validation -------------------------------------------------------------------------


def _index_and_table(
    x: ArrayLike, tokens: ArrayLike | None
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Row of each token, and the table of vectors."""
    table = check_vectors(x)
    if tokens is None:
        return np.arange(len(table), dtype=np.int32), table
    return check_tokens(tokens, len(table)), table


def decays(timescales: str | Iterable[float]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """``(1 - alpha, alpha)`` of the checked timescales, each of shape=(S,)."""
    alpha = 1 / check_timescales(timescales)
    return (1 - alpha).astype(np.float32), alpha.astype(np.float32)


def startup_code(startup: str) -> int:
    """The number by which kernels know a start-up."""
    if startup not in STARTUPS:
        raise BadInputError(f"start-up {startup!r} is unknown: choose {', '.join(STARTUPS)}")
    return STARTUPS.index(startup)


def check_vectors(x: ArrayLike) -> NDArray[np.float32]:
    """`x` as a finite, contiguous float32 matrix, shape=(T, D)."""
    try:
        vectors = np.ascontiguousarray(x, dtype=np.float32)
    except (TypeError, ValueError):
        raise BadInputError("input vectors must be numbers in rows of equal length") from None
    if np.ndim(x) != 2:
        raise BadInputError(f"input vectors must have shape (T, D), not {np.shape(x)}")
    finite = np.isfinite(vectors).all(axis=1)
    if not finite.all():
        raise BadInputError(f"input vector {int(np.argmin(finite))} holds NaN or inf")
    return vectors


def check_tokens(tokens: ArrayLike, n_types: int) -> NDArray[np.int32]:
    """Token ids as int32, shape=(T,), each in ``[0, n_types)``."""
    try:
        index = np.asarray(tokens)
    except ValueError:
        raise BadInputError("tokens must be one row of ids, not rows of different length") from None
    if index.ndim != 1:
        raise BadInputError(f"tokens must be one row of ids, not an array of shape {index.shape}")
    if index.size == 0:
        return np.empty(0, dtype=np.int32)
    if not np.issubdtype(index.dtype, np.integer):
        raise BadInputError(f"tokens must be integer ids, not {index.dtype}")
    outside = (index < 0) | (index >= n_types)
    if outside.any():
        position = int(np.argmax(outside))
        raise BadInputError(
            f"token {int(index[position])} at position {position} is outside 0..{n_types - 1}"
        )
    return np.ascontiguousarray(index, dtype=np.int32)


def check_out(out: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """`out`, if a kernel can fill it."""
    if not (
        isinstance(out, np.ndarray)
        and out.shape == shape
        and out.dtype == np.float32
        and out.flags.c_contiguous
        and out.flags.writeable
    ):
        raise BadInputError(f"out must be a contiguous float32 array of shape {shape}")
    return out


def check_offsets(offsets: ArrayLike | None, n_tokens: int) -> NDArray[np.int64]:
    """Sentence bounds as int64: ascending, within ``[0, n_tokens]``; empty for None."""
    if offsets is None:
        return np.empty(0, dtype=np.int64)
    bounds = np.asarray(offsets)
    if bounds.ndim != 1 or (bounds.size and not np.issubdtype(bounds.dtype, np.integer)):
        raise BadInputError("sentence offsets must be one row of integers")
    if bounds.size and (bounds[0] < 0 or bounds[-1] > n_tokens or (bounds[1:] < bounds[:-1]).any()):
        raise BadInputError(f"sentence offsets must ascend within 0..{n_tokens}")
    return bounds.astype(np.int64)


def sentence_starts(
    bounds: NDArray[np.int64], n_tokens: int, *, backward: bool = False
) -> NDArray[np.bool_]:
    """Tokens before which traces restart, in their direction of travel; bool, shape=(T,)."""
    starts = np.zeros(n_tokens, dtype=np.bool_)
    at = bounds - 1 if backward else bounds
    starts[at[(at >= 0) & (at < n_tokens)]] = True
    return starts


# Kernels -----------------------------------------------------------------------------------


@njit(inline="always")  # a call per token would take a third of the time
def absorb(x, seen, keep, alpha, startup, mass, before, after):
    """Absorb a token into the traces `before` and write the result to `after`, another array.

    `x` is the token's vector, shape=(D,); `before` and `after` have shape=(S, D), `keep`, `alpha`
    and `mass` shape=(S,). `seen` counts the tokens absorbed since the last start; at 0, `before`
    must be zero. `mass` is state that only debias (start-up 2) uses: the trace of a constant 1.
    Its division by the mass is part of the two factors, which saves a second pass.
    """
    for s in range(len(keep)):
        k, a = keep[s], alpha[s]
        # LLVM does not vectorize the inner loop if it reads or writes more arrays than these.
        old, new = before[s], after[s]
        if seen == 0:
            mass[s] = a
            if startup != 0:
                a = np.float32(1)
        elif startup == 2:
            k *= mass[s]
            mass[s] = k + a
            k /= mass[s]
            a /= mass[s]
        for d in range(len(x)):
            new[d] = k * old[d] + a * x[d]


@njit
def chunk_traces(tokens, table, starts, keep, alpha, startup, mass, seen, rows):
    """Contexts of a chunk of tokens: row t receives the traces before token t is absorbed.

    `tokens`, shape=(T,), index `table`, shape=(V, D); traces restart where `starts`, bool of
    shape=(T,), is true. `seen`, shape=(1,), and `mass` are state, see `absorb`. `rows` has
    shape=(T + 1 or more, S, D): row 0 holds the initial traces, row T receives the final ones.
    """
    n = seen[0]
    n_tokens, width = len(tokens), table.shape[1]
    for t in range(n_tokens):
        if t + 2 < n_tokens:
            prefetch(table, tokens[t + 2] * width, width)
        if starts[t]:
            n = 0
            rows[t] = 0
        absorb(table[tokens[t]], n, keep, alpha, startup, mass, rows[t], rows[t + 1])
        n += 1
    seen[0] = n


@njit
def dense_traces_kernel(
    tokens, table, starts, backward, keep, alpha, startup, include_current, mass, out
):
    """Fill `out`, shape=(T, S, D), with the traces at every token; see `dense_traces`."""
    n_tokens = len(tokens)
    nothing = np.zeros((len(keep), table.shape[1]), np.float32)
    seen = 0
    for step in range(n_tokens):
        t = n_tokens - 1 - step if backward else step
        last = t + 1 if backward else t - 1
        if starts[t]:
            seen = 0
        before = nothing
        if seen > 0:
            before = out[last]
        if include_current:
            absorb(table[tokens[t]], seen, keep, alpha, startup, mass, before, out[t])
        elif seen > 0:
            absorb(table[tokens[last]], seen - 1, keep, alpha, startup, mass, before, out[t])
        else:
            out[t] = 0
        seen += 1


@njit
def last_traces_kernel(tokens, table, starts, keep, alpha, startup, mass, rows):
    """Put the traces after the last token into row ``T % 2`` of `rows`, shape=(2, S, D)."""
    nothing = np.zeros((len(keep), table.shape[1]), np.float32)
    seen = 0
    for t in range(len(tokens)):
        if starts[t]:
            seen = 0
        before = nothing
        if seen > 0:
            before = rows[t % 2]
        absorb(table[tokens[t]], seen, keep, alpha, startup, mass, before, rows[1 - t % 2])
        seen += 1
