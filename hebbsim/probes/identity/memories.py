"""Memories without trained weights, to compare with traces of equal size.

A memory reads the codes of a sentence token by token. Its state has as many numbers as that of
the traces. A new memory is a subclass of `Memory` with a name, in any file of this folder.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import expm

from hebbsim.errors import BadInputError
from hebbsim.probes.identity.states import Floats, Ints, run_traces


class Memory(ABC):
    """Base class of memories, which map the tokens of a sentence to a sequence of states.

    Parameters
    ----------
    codes : ndarray of float64, shape=(V, D)
        Code of every type.
    timescales : ndarray of float64, shape=(S,)
        Timescales of the traces for comparison; both states have S * D numbers.
    rng : numpy.random.Generator
        Source of fixed random weights.

    Attributes
    ----------
    name : str
        Name by which `get_memory` finds the class.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> memory = get_memory("traces")(np.eye(3), np.array([2.0, 8.0]), rng)
    >>> memory.run(np.array([[0, 1, 2, 1]])).shape  # a state of 6 numbers after each token
    (1, 4, 6)
    """

    name: ClassVar[str]
    _registry: ClassVar[dict[str, type[Memory]]] = {}

    def __init_subclass__(cls) -> None:
        if "name" in vars(cls):
            Memory._registry[cls.name] = cls

    def __init__(self, codes: Floats, timescales: Floats, rng: np.random.Generator) -> None:
        self.codes, self.timescales = codes, timescales
        self.size = len(timescales) * codes.shape[1]

    @abstractmethod
    def run(self, tokens: Ints) -> NDArray[np.float32]:
        """States after each token, starting from zero.

        Parameters
        ----------
        tokens : ndarray of int, shape=(B, L)
            B sentences, padded with arbitrary tokens.

        Returns
        -------
        ndarray of float32, shape=(B, L, S * D)
        """


def memory_names() -> list[str]:
    """Names of all memories."""
    return list(Memory._registry)


def get_memory(name: str) -> type[Memory]:
    """The class of a memory by name.

    Raises
    ------
    BadInputError
        The name is unknown.
    """
    try:
        return Memory._registry[name]
    except KeyError:
        raise BadInputError(
            f"unknown memory '{name}'; known: {', '.join(memory_names())}"
        ) from None


class Traces(Memory):
    """Exponential traces at several timescales, in single precision."""

    name = "traces"

    def run(self, tokens: Ints) -> NDArray[np.float32]:
        states = run_traces(self.codes, tokens, self.timescales, tokens.shape[1], dtype=np.float32)
        return states.reshape(*tokens.shape, -1)


class Window(Memory):
    """The codes of the last S tokens."""

    name = "window"

    def run(self, tokens: Ints) -> NDArray[np.float32]:
        n_streams, length = tokens.shape
        width = self.codes.shape[1]
        out = np.zeros((n_streams, length, len(self.timescales), width), dtype=np.float32)
        for lag in range(min(len(self.timescales), length)):
            out[:, lag:, lag] = self.codes[tokens[:, : length - lag]]
        return out.reshape(n_streams, length, -1)


class Legendre(Memory):
    """Legendre memory unit: each dimension of a sliding window as S polynomial coefficients.

    ``theta dm/dt = A m + B u`` with zero-order hold. Source: Voelker, Kajić & Eliasmith (2019),
    "Legendre Memory Units", equations 1 to 3; the measure HiPPO-LegT of Gu et al. (2020), "HiPPO:
    Recurrent Memory with Optimal Polynomial Projections".
    """

    name = "lmu"
    #: Window length in tokens per coefficient.
    stretch: ClassVar[float] = 2.0

    def transition(self) -> tuple[Floats, Floats]:
        """Discretized A and B for one token, shapes (S, S) and (S,)."""
        order = len(self.timescales)
        theta = self.stretch * order
        i, j = np.arange(order)[:, None], np.arange(order)
        a = (2 * i + 1) / theta * np.where(i < j, -1.0, (-1.0) ** (i - j + 1))
        b = (2 * i[:, 0] + 1) / theta * (-1.0) ** i[:, 0]
        # Augmented with the constant input as one more state: an exact zero-order hold.
        whole = np.zeros((order + 1, order + 1))
        whole[:order, :order], whole[:order, order] = a, b
        step = expm(whole)
        return step[:order, :order], step[:order, order]

    def run(self, tokens: Ints) -> NDArray[np.float32]:
        n_streams, length = tokens.shape
        a, b = (part.astype(np.float32) for part in self.transition())
        width = self.codes.shape[1]
        table = self.codes.astype(np.float32)
        state = np.zeros((n_streams, len(a), width), dtype=np.float32)
        out = np.empty((n_streams, length, *state.shape[1:]), dtype=np.float32)
        for t in range(length):
            state = np.einsum("ij,njd->nid", a, state)
            state += b[:, None] * table[tokens[:, t], None, :]
            out[:, t] = state
        return out.reshape(n_streams, length, -1)


class FastWeights(Memory):
    """A fast-weight matrix that associates tokens with their lag, by the delta rule.

    ``W += (v - W k) k'``, where the value v is a random projection of the token's code and the
    key k stands for the present. Before every token, W is rotated by a fixed random rotation, so
    that older values move to older keys. Source of the rule: Schlag, Irie & Schmidhuber (2021),
    "Linear Transformers Are Secretly Fast Weight Programmers", equation 24, with a learning rate
    of 1. Token-based keys would require a query, which a probe of the state does not have.
    """

    name = "fast-weights"

    def shape(self) -> tuple[int, int]:
        """Dimensions of values and keys, with S * D numbers as nearly square as possible."""
        keys = max(n for n in range(1, int(self.size**0.5) + 1) if self.size % n == 0)
        return self.size // keys, keys

    def __init__(self, codes: Floats, timescales: Floats, rng: np.random.Generator) -> None:
        super().__init__(codes, timescales, rng)
        n_values, n_keys = self.shape()
        projection = rng.standard_normal((codes.shape[1], n_values))
        self.values = (codes @ projection).astype(np.float32)
        self.turn = np.linalg.qr(rng.standard_normal((n_keys, n_keys)))[0].astype(np.float32)

    def run(self, tokens: Ints) -> NDArray[np.float32]:
        n_streams, length = tokens.shape
        n_values, n_keys = self.shape()
        key = np.zeros(n_keys, dtype=np.float32)
        key[0] = 1
        state = np.zeros((n_streams, n_values, n_keys), dtype=np.float32)
        out = np.empty((n_streams, length, self.size), dtype=np.float32)
        for t in range(length):
            state = state @ self.turn
            error = self.values[tokens[:, t]] - state @ key
            state += error[:, :, None] * key
            out[:, t] = state.reshape(n_streams, -1)
        return out
