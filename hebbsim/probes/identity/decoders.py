"""Decoders of past tokens from a trace state, and their common interface.

In each dimension, S traces hold a sum over the past,

    h = sum_k g_k x[t-k] + noise,    g_k = alpha (1 - alpha)**k    (an S-vector for each lag),

so the token at lag k passes through S parallel channels with gain g_k, and all other tokens
interfere. A `Channel` holds what a decoder may know: codes, timescales, noise and the frequency
of each type. A new decoder is a subclass of `Decoder` with a name.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np
from scipy.special import logsumexp

from hebbsim.errors import BadInputError
from hebbsim.extensions import import_file
from hebbsim.probes.identity.expansion import pasts
from hebbsim.probes.identity.states import Floats, Ints, States

#: Number of time constants of the slowest trace after which older tokens are neglected.
_PAST = 40


@dataclass(frozen=True, eq=False)
class Channel:
    """Prior knowledge of a decoder about a trace state.

    Attributes
    ----------
    codes : ndarray of float64, shape=(V, D)
    timescales : ndarray of float64, shape=(S,)
    noise : ndarray of float64, shape=(S,)
        Root mean square of noise and rounding in each trace.
    prior : ndarray of float64, shape=(V,)
        Relative frequency of each type, greater than 0.
    n_past : int or None
        Number of tokens since the traces were zero; None for a long stream.
    log_successor : ndarray of float64, shape=(V, V), or None
        Language model: row w is log P(type | the next token is w).

    Examples
    --------
    >>> codes = np.eye(3)
    >>> channel = Channel(codes, np.array([2.0]), np.array([1e-7]), np.full(3, 1 / 3))
    >>> channel.gains(3).ravel().tolist()
    [0.5, 0.25, 0.125]
    """

    codes: Floats
    timescales: Floats
    noise: Floats
    prior: Floats
    n_past: int | None = None
    log_successor: Floats | None = None

    def gains(self, n_lags: int) -> Floats:
        """``alpha (1 - alpha)**k``, shape=(K, S)."""
        alpha = 1 / self.timescales
        return alpha * (1 - alpha) ** np.arange(n_lags)[:, None]

    @cached_property
    def log_prior(self) -> Floats:
        return np.log(self.prior)

    @cached_property
    def mean(self) -> Floats:
        """Mean code over the stream, shape=(D,)."""
        return self.prior @ self.codes

    @cached_property
    def power(self) -> float:
        """Variance of a code over the stream, per dimension."""
        deviations = self.codes - self.mean
        return float(self.prior @ (deviations**2).mean(axis=1))

    @cached_property
    def past(self) -> Floats:
        """Gains of all lags that are not negligible, shape=(K, S)."""
        n_lags = int(np.ceil(_PAST * self.timescales.max()))
        return self.gains(n_lags if self.n_past is None else min(n_lags, self.n_past))

    def past_to(self, lag: int) -> Floats:
        """`past`, extended to include `lag`."""
        return np.concatenate([self.past, self.gains(lag + 1)[len(self.past) :]])

    def weights(self, lag: int, *, cancelled: int = 0) -> Floats:
        """Weights of the sum of traces that is closest to x[t-lag] in mean square, shape=(S,).

        Codes are treated as independent draws, so no training is needed (Wiener filter). Lags
        below `cancelled` are known and do not interfere.
        """
        gains = self.past_to(lag)[cancelled:]
        # Least squares instead of normal equations, which would square the condition number.
        spread = self.noise / np.sqrt(self.power) if self.power > 0 else self.noise
        system = np.concatenate([gains, np.diag(spread)])
        norm = np.linalg.norm(system, axis=0)
        norm[norm == 0] = 1
        target = np.zeros(len(system))
        target[lag - cancelled] = 1
        return np.linalg.lstsq(system / norm, target, rcond=None)[0] / norm

    def response(
        self, weights: Floats, lag: int, *, cancelled: int = 0
    ) -> tuple[float, float, float | None]:
        """Gain of the token at a lag in a sum of traces, and the total gain of all others.

        The third value is the variance of the interference, divided by the squared gain of the
        token; None if the token has decayed completely.
        """
        gains = self.past_to(lag)[cancelled:]
        through = gains @ weights
        gain = through[lag - cancelled]
        rest = through @ through - gain**2
        variance = rest * self.power + ((weights * self.noise) ** 2).sum()
        others = through.sum() - gain
        if not gain**2 * self.power > np.finfo(np.float64).tiny:
            return gain, others, None
        variance = max(variance, np.finfo(np.float64).eps ** 2 * gain**2 * self.power) / gain**2
        return gain, others, variance

    def likelihoods(
        self, states: Floats, weights: Floats, lag: int, *, cancelled: int = 0
    ) -> Floats:
        """Log-likelihood of each type at a lag from one sum of traces, up to a constant.

        All other content of the sum is treated as Gaussian noise.

        Parameters
        ----------
        states : ndarray of float64, shape=(N, S, D)
            Without the contribution of the `cancelled` lags.
        weights : ndarray of float64, shape=(S,)

        Returns
        -------
        ndarray of float64, shape=(N, V)
        """
        gain, others, variance = self.response(weights, lag, cancelled=cancelled)
        if variance is None:
            return np.zeros((len(states), len(self.codes)))
        read = np.einsum("nsd,s->nd", states, weights)
        found = (read - others * self.mean) / gain
        norms = (self.codes**2).sum(axis=1) / 2
        return (found @ self.codes.T - norms) / variance


class Decoder(ABC):
    """Base class of decoders: log-likelihoods of the token at each lag, given a state.

    Parameters
    ----------
    channel : Channel

    Attributes
    ----------
    name : str
        Name by which `get_decoder` finds the class.
    trained : bool
        Whether `fit` needs states with their tokens.

    Examples
    --------
    >>> codes = np.eye(3)
    >>> channel = Channel(codes, np.array([2.0]), np.array([1e-7]), np.full(3, 1 / 3))
    >>> decoder = get_decoder("cancellation")(channel)
    >>> state = np.array([[[0.5, 0.25, 0.125]]])  # the last token was 0, before it 1, then 2
    >>> [int(scores.argmax()) for scores in decoder.decode(state, 3)]
    [0, 1, 2]
    """

    name: ClassVar[str]
    trained: ClassVar[bool] = False
    _registry: ClassVar[dict[str, type[Decoder]]] = {}

    def __init_subclass__(cls) -> None:
        if "name" in vars(cls):
            known = Decoder._registry.setdefault(cls.name, cls)
            if known is not cls:
                raise TypeError(f"{known.__module__} has a decoder {cls.name}: choose another name")

    def __init__(self, channel: Channel, random_state: int = 0) -> None:
        self.channel, self.random_state = channel, random_state

    def fit(self, states: States) -> Decoder:
        """Train on states with known tokens; does nothing for a decoder in closed form."""
        return self

    @abstractmethod
    def decode(self, states: Floats, n_lags: int) -> Iterator[Floats]:
        """Decode states.

        Parameters
        ----------
        states : ndarray of float64, shape=(N, S, D)
            N is at least 1.
        n_lags : int

        Yields
        ------
        ndarray of float64, shape=(N, V)
            For lag 0, 1, ...: log P(state | type), up to a constant for each state. Together with
            the log prior it ranks the types.
        """


def decoder_names() -> list[str]:
    """Names of all decoders."""
    return list(Decoder._registry)


def get_decoder(name: str) -> type[Decoder]:
    """The class of a decoder by name.

    Raises
    ------
    BadInputError
        The name is unknown.
    """
    try:
        return Decoder._registry[name]
    except KeyError:
        raise BadInputError(
            f"unknown decoder '{name}'; known: {', '.join(decoder_names())}; for one of your own "
            "name its file, ending in .py"
        ) from None


def load_decoders(path: str | Path) -> tuple[str, ...]:
    """Import a Python file once, and return the names of the decoders that it defines.

    Raises
    ------
    BadInputError
        The file does not exist, cannot be imported, or defines no decoder with a name.
    """
    module = import_file(path).__name__
    names = tuple(name for name, one in Decoder._registry.items() if one.__module__ == module)
    if not names:
        raise BadInputError(f"{path}: defines no subclass of Decoder with a name of its own")
    return names


class Nearest(Decoder):
    """Nearest code to the single trace with the strongest signal of the lag."""

    name = "nearest"

    def decode(self, states: Floats, n_lags: int) -> Iterator[Floats]:
        channel = self.channel
        total = (channel.past**2).sum(axis=0) + channel.noise**2 / (channel.power or 1)
        for lag, gains in enumerate(channel.gains(n_lags)):
            weights = np.zeros(len(gains))
            weights[np.argmax(gains**2 / total)] = 1
            yield channel.likelihoods(states, weights, lag)


class Linear(Decoder):
    """Nearest code to the best sum of traces, in closed form (`Channel.weights`)."""

    name = "linear"

    def decode(self, states: Floats, n_lags: int) -> Iterator[Floats]:
        for lag in range(n_lags):
            yield self.channel.likelihoods(states, self.channel.weights(lag), lag)


class Cancellation(Decoder):
    """Successive cancellation: decide on lag 0, subtract it from every trace, go on to lag 1.

    The decision is the most probable type under the Gaussian likelihood and the prior. Errors
    propagate to later lags.
    """

    name = "cancellation"

    def decode(self, states: Floats, n_lags: int) -> Iterator[Floats]:
        for scores, _, _ in self.steps(states, n_lags):
            yield scores

    def steps(self, states: Floats, n_lags: int) -> Iterator[tuple[Floats, Ints, Floats]]:
        """Likelihoods of each lag, the chosen types, and the states without them."""
        channel = self.channel
        rest = states.copy()
        chosen: Ints | None = None
        for lag, gains in enumerate(channel.gains(n_lags)):
            weights = channel.weights(lag, cancelled=lag)
            scores = channel.likelihoods(rest, weights, lag, cancelled=lag)
            scores = scores + self.known(chosen)
            chosen = np.argmax(scores + channel.log_prior, axis=1)
            rest = rest - gains[:, None] * channel.codes[chosen, None, :]
            yield scores, chosen, rest

    def known(self, following: Ints | None) -> Floats | float:
        """Log-likelihood ratios of a token given the one that follows it; here 0."""
        return 0.0


class LanguageCancellation(Cancellation):
    """Cancellation with a bigram model.

    The prior of a lag is that of the bigram model, given the decoded next token. Without
    `Channel.log_successor` it is `Cancellation`.
    """

    name = "language"

    def known(self, following: Ints | None) -> Floats | float:
        channel = self.channel
        if following is None or channel.log_successor is None:
            return 0.0
        return channel.log_successor[following] - channel.log_prior


class Pursuit(Decoder):
    """Orthogonal matching pursuit over all pairs of lag and type (Pati et al. 1993).

    It takes as many atoms as there are lags, possibly several of one lag, and ignores noise.
    """

    name = "pursuit"

    def decode(self, states: Floats, n_lags: int) -> Iterator[Floats]:
        from sklearn.linear_model import orthogonal_mp

        channel = self.channel
        n_types = len(channel.codes)
        gains = channel.gains(n_lags)
        atoms = np.einsum("ks,vd->kvsd", gains, channel.codes).reshape(n_lags * n_types, -1)
        norms = np.linalg.norm(atoms, axis=1)
        norms[norms == 0] = 1
        n_atoms = min(n_lags, atoms.shape[1])
        found = orthogonal_mp(
            (atoms / norms[:, None]).T, states.reshape(len(states), -1).T, n_nonzero_coefs=n_atoms
        ).reshape(n_lags * n_types, -1)
        for scores in (found / norms[:, None]).reshape(n_lags, n_types, -1):
            yield scores.T


class MaximumLikelihood(Decoder):
    """Maximum likelihood over all sequences of the last tokens, for small alphabets.

    Exact unless there are older tokens, which are treated as Gaussian noise. The likelihood of a
    type is marginalized over the other lags; lags beyond the enumerated ones are uninformative.
    """

    name = "likelihood"
    #: Maximum number of sequences.
    most: ClassVar[int] = 2**14

    def decode(self, states: Floats, n_lags: int) -> Iterator[Floats]:
        channel = self.channel
        n_types = len(channel.codes)
        depth = min(n_lags, int(np.log(self.most) / np.log(n_types)) if n_types > 1 else n_lags)
        if depth < 1:
            raise BadInputError(
                f"decoder likelihood: {n_types} types are too many to try; give {self.most} or "
                "fewer"
            )
        sequences = pasts(n_types, depth)
        white = self._whitening(depth)
        older = channel.past[depth:].sum(axis=0)[:, None] * channel.mean
        gains = channel.gains(depth)
        means = np.einsum("ks,qkd->qsd", gains, channel.codes[sequences])
        means = np.einsum("rs,qsd->qrd", white, means).reshape(len(sequences), -1)
        read = np.einsum("rs,nsd->nrd", white, states - older).reshape(len(states), -1)
        joint = read @ means.T - (means**2).sum(axis=1) / 2
        joint += channel.log_prior[sequences].sum(axis=1)
        for lag in range(n_lags):
            if lag >= depth:
                yield np.zeros((len(states), n_types))
                continue
            of_type = [
                logsumexp(joint[:, sequences[:, lag] == v], axis=1) - channel.log_prior[v]
                for v in range(n_types)
            ]
            yield np.stack(of_type, axis=1)

    def _whitening(self, depth: int) -> Floats:
        """Matrix that whitens noise and older tokens, shape=(S, S)."""
        channel = self.channel
        older = channel.past[depth:]
        covariance = channel.power * older.T @ older + np.diag(channel.noise**2)
        values, vectors = np.linalg.eigh(covariance)
        least = max(values.max() * np.finfo(np.float64).eps, np.finfo(np.float64).tiny)
        return (vectors / np.sqrt(np.maximum(values, least))).T
