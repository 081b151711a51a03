"""Trace states to decode: token streams, number formats, noise.

A state is the content of S traces of D dimensions after some token. It is computed by the
recurrence in a given number format, for many streams at a time:

``float64``, ``float32``  every operation in that format;
``bfloat16``              float32 arithmetic, the state rounded to 8 significant bits;
``int8``                  float32 arithmetic, the state rounded to 255 levels with one scale per
                          timescale, the maximum absolute value at full precision.

With ``rounding="step"`` the state is rounded after every token, as if it were stored in that
format; with ``"readout"`` the recurrence runs in float64 and only its result is rounded. Codes
are not rounded, because every decoder knows the code book.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import DTypeLike, NDArray

from hebbsim.errors import BadInputError

#: Arrays of numbers and of types.
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Number formats of a state.
PRECISIONS = ("float64", "float32", "bfloat16", "int8")
_BITS = {"float64": 64, "float32": 32, "bfloat16": 16, "int8": 8}
#: Codes that `make_codes` draws.
CODES = ("random", "one-hot")

_LEVELS = 127
_Round = Callable[[NDArray], NDArray]


@dataclass(frozen=True)
class Condition:
    """The precision of a state: number format and noise.

    Attributes
    ----------
    precision : {"float64", "float32", "bfloat16", "int8"}
    rounding : {"step", "readout"}
        Whether to round after every token, or only the final state.
    snr : float or None
        Signal-to-noise ratio, in decibels, of Gaussian noise added to the final state; None for
        no noise.

    Examples
    --------
    >>> Condition(snr=20).words
    'precision=float64 snr=20'
    """

    precision: str = "float64"
    rounding: Literal["step", "readout"] = "step"
    snr: float | None = None

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            raise BadInputError(
                f"unknown precision '{self.precision}'; known: {', '.join(PRECISIONS)}"
            )
        if self.rounding not in ("step", "readout"):
            raise BadInputError(f"unknown rounding '{self.rounding}'; known: step, readout")
        if self.snr is not None and not np.isfinite(self.snr):
            raise BadInputError(f"signal-to-noise ratio {self.snr} is not finite; give decibels")

    @property
    def bits(self) -> int:
        """Bits per number of the state."""
        return _BITS[self.precision]

    @property
    def words(self) -> str:
        """The condition as ``key=value`` words."""
        found = f"precision={self.precision}"
        if self.rounding != "step":
            found += f" rounding={self.rounding}"
        return found if self.snr is None else f"{found} snr={self.snr:g}"


@dataclass(frozen=True, eq=False)
class States:
    """Trace states and the tokens that led to them.

    Attributes
    ----------
    values : ndarray of float64, shape=(N, S, D)
    tokens : ndarray of int64, shape=(N, K)
        The token at lag 0, 1, ... of each state.
    noise : ndarray of float64, shape=(S,)
        Root mean square deviation from the exact state by timescale: measured for rounding, given
        for added noise.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> codes = make_codes(5, 8, rng)
    >>> tokens = rng.integers(5, size=(2, 20))
    >>> states = make_states(codes, tokens, np.array([2.0, 8.0]), Condition("float32"),
    ...                      n_last=3, n_lags=4, rng=rng)
    >>> states.values.shape, states.tokens.shape
    ((6, 2, 8), (6, 4))
    """

    values: Floats
    tokens: Ints
    noise: Floats

    def __len__(self) -> int:
        return len(self.values)


def make_codes(n_types: int, dim: int, rng: np.random.Generator, kind: str = "random") -> Floats:
    """Draw a code for each type.

    Parameters
    ----------
    n_types : int
        V.
    dim : int
        D; ignored for one-hot codes, which have V dimensions.
    rng : numpy.random.Generator
    kind : {"random", "one-hot"}
        ``random`` draws independent Gaussian components of variance 1 / D.

    Returns
    -------
    ndarray of float64, shape=(V, D)
        Random codes are float32 numbers, which only the two short formats round.

    Raises
    ------
    BadInputError
        The kind is unknown.
    """
    if kind == "one-hot":
        return np.eye(n_types)
    if kind != "random":
        raise BadInputError(f"unknown codes '{kind}'; known: {', '.join(CODES)}")
    codes = rng.standard_normal((n_types, dim)) / np.sqrt(dim)
    return codes.astype(np.float32).astype(np.float64)


def round_bfloat16(x: NDArray) -> NDArray[np.float32]:
    """Nearest bfloat16 numbers, ties to even, as float32.

    >>> round_bfloat16(np.array([1.0, 1.01, 1.00390625, 1.01171875]))
    array([1.       , 1.0078125, 1.       , 1.015625 ], dtype=float32)
    """
    bits = np.ascontiguousarray(x, dtype=np.float32).view(np.uint32)
    # Half a unit in the last place, less one if the last bit is even.
    bits = bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))
    return (bits & np.uint32(0xFFFF0000)).view(np.float32)


def round_int8(x: NDArray, scale: NDArray) -> NDArray:
    """Nearest of 255 levels from -scale to scale, saturating; x is (..., S, D), scale (S, 1)."""
    unit = np.where(scale > 0, scale / _LEVELS, 1).astype(x.dtype)
    return np.clip(np.rint(x / unit), -_LEVELS, _LEVELS).astype(x.dtype) * unit


def run_traces(
    codes: NDArray,
    tokens: Ints,
    timescales: Floats,
    n_last: int,
    *,
    dtype: DTypeLike = np.float64,
    rounded: _Round | None = None,
) -> NDArray:
    """Traces of B streams, starting from zero, after each of their last `n_last` tokens.

    `codes` have shape=(V, D), `tokens` shape=(B, L), `timescales` shape=(S,), the result
    shape=(B, n_last, S, D). Every operation is in `dtype`; `rounded` is applied to the states
    after every token.
    """
    alpha: NDArray = (1 / timescales)[:, None].astype(dtype)
    keep: NDArray = (1 - 1 / timescales)[:, None].astype(dtype)
    table: NDArray = codes.astype(dtype)
    n_streams, length = tokens.shape
    out: NDArray = np.empty((n_streams, n_last, len(timescales), codes.shape[1]), dtype=dtype)
    state: NDArray = np.zeros((n_streams, len(timescales), codes.shape[1]), dtype=dtype)
    for t in range(length):
        state *= keep
        state += alpha * table[tokens[:, t], None, :]
        if rounded is not None:
            state = rounded(state)
        if t >= length - n_last:
            out[:, t - length + n_last] = state
    return out


def make_states(
    codes: Floats,
    tokens: Ints,
    timescales: Floats,
    condition: Condition,
    *,
    n_last: int,
    n_lags: int,
    rng: np.random.Generator,
) -> States:
    """Compute the states after the last tokens of B streams, in a number format, with noise.

    Parameters
    ----------
    codes : ndarray of float64, shape=(V, D)
    tokens : ndarray of int, shape=(B, L)
    timescales : ndarray of float64, shape=(S,)
    condition : Condition
    n_last : int
        Number of states per stream; N = B * n_last.
    n_lags : int
        K, the number of past tokens to return for each state.
    rng : numpy.random.Generator
        Source of the noise.

    Raises
    ------
    BadInputError
        Streams are shorter than ``n_last + n_lags - 1`` tokens.
    """
    length = tokens.shape[1]
    if length < n_last + n_lags - 1:
        raise BadInputError(
            f"streams of {length} tokens are too short for {n_lags} lags of {n_last} states; "
            f"give {n_last + n_lags - 1} tokens"
        )
    exact = run_traces(codes, tokens, timescales, n_last)
    values = hold(exact, codes, tokens, timescales, condition)
    noise = np.sqrt(np.mean((values - exact) ** 2, axis=(0, 1, 3)))
    power = np.mean(exact**2, axis=(0, 1, 3))
    # Rounding errors of float64 cannot be measured in float64; they are about this large.
    noise = np.maximum(noise, np.finfo(np.float64).eps / 4 * np.sqrt(power))
    if condition.snr is not None:
        added = np.sqrt(power) * 10 ** (-condition.snr / 20)
        values = values + added[:, None] * rng.standard_normal(values.shape)
        noise = np.hypot(noise, added)
    ends = np.arange(length - n_last, length)
    history = tokens[:, ends[:, None] - np.arange(n_lags)]
    return States(
        values.reshape(-1, len(timescales), codes.shape[1]),
        history.reshape(-1, n_lags).astype(np.int64),
        noise,
    )


def hold(
    exact: Floats, codes: Floats, tokens: Ints, timescales: Floats, condition: Condition
) -> Floats:
    """The `exact` states in the number format of a condition, shape=(B, n_last, S, D)."""
    if condition.precision == "float64":
        return exact
    scale = np.abs(exact).max(axis=(0, 1, 3), initial=0.0)[:, None]
    rounders: dict[str, _Round | None] = {
        "float32": None,
        "bfloat16": round_bfloat16,
        "int8": lambda x: round_int8(x, scale),
    }
    rounded = rounders[condition.precision]
    if condition.rounding == "readout":
        short = exact.astype(np.float32)
        return (short if rounded is None else rounded(short)).astype(np.float64)
    n_last = exact.shape[1]
    held = run_traces(codes, tokens, timescales, n_last, dtype=np.float32, rounded=rounded)
    return held.astype(np.float64)
