"""Hidden Markov models with K states, learned by expectation maximization, in passes or online.

Rabiner, L. R. (1989). A tutorial on hidden Markov models. Proceedings of the IEEE 77, section III
and V.A (scaled forward-backward). Online: Liang, P. & Klein, D. (2009). Online EM for unsupervised
models. NAACL, section 3 (stepwise EM).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from hebbsim.probes import Memberships
from hebbsim.rivals.base import Rival, Sentences, Types

__all__ = ["HMM", "OnlineHMM", "Parameters", "Statistics", "expectations"]

#: States that share a token at most.
_STATES = 8
#: Sentences whose states are found at a time, all of a like length.
_AT_ONCE = 256


class Parameters(NamedTuple):
    """Of a hidden Markov model with K states and V types; probabilities.

    Attributes
    ----------
    start : ndarray, shape=(K,)
        Of the first state of a sentence.
    move : ndarray, shape=(K, K)
        From state (row) to state.
    emit : ndarray, shape=(V, K)
        Of a type, given the state: columns sum to one.
    """

    start: NDArray[np.float32]
    move: NDArray[np.float32]
    emit: NDArray[np.float32]


class Statistics(NamedTuple):
    """Expected counts of some sentences, of the shapes of `Parameters`."""

    start: NDArray[np.floating]
    move: NDArray[np.floating]
    emit: NDArray[np.floating]


@dataclass(eq=False)
class HMM(Rival):
    """States of a hidden Markov model, learned in passes over all sentences.

    Parameters
    ----------
    epochs : int
        Passes over the sentences.
    prior : float
        Added to each expected count, so that no probability is zero.
    noise : float
        How far emissions differ from the words' frequencies at the start.

    Examples
    --------
    >>> sentences = [["dogs", "bark"], ["cats", "run"]] * 8
    >>> HMM(n_clusters=2, epochs=3).fit(sentences).predict([["dogs", "run"]]).shape
    (2,)
    """

    RANGES = (*Rival.RANGES, "epochs=5:30:log", "prior=0.0001:0.1:log", "noise=0.3:3:log")

    epochs: int = 15
    prior: float = 0.01
    noise: float = 1.0

    def fit(self, sentences: Sentences) -> Any:
        self._types = Types(sentences, rare=self.rare, ending=self.ending)
        self._rng = np.random.default_rng(self.random_state)
        self.parameters_ = self._first()
        numbered = [self._types.numbers(words) for words in sentences if len(words)]
        self._learn(numbered)
        _, move, emit = self.parameters_
        # Close states have like words and like neighbours (Hellinger distance).
        into = move / np.maximum(move.sum(axis=0), 1e-30)
        self.prototypes_ = np.sqrt(np.hstack([emit.T, move, into.T])).astype(np.float32)
        return self

    def _first(self) -> Parameters:
        k, rng = self.n_clusters, self._rng
        counts = np.maximum(self._types.counts, 1)[:, None]
        emit = counts * np.exp(self.noise * rng.standard_normal((len(counts), k)))
        move = np.exp(self.noise * rng.standard_normal((k, k)))
        return maximized(Statistics(np.ones(k), move, emit), self.prior)

    def _learn(self, numbered: list[NDArray[np.int32]]) -> None:
        for _ in range(self.epochs):
            total = None
            for batch in batches(numbered):
                found, _ = expectations(self.parameters_, [numbered[i] for i in batch])
                total = found if total is None else _sum(total, found)
            if total is not None:
                self.parameters_ = maximized(total, self.prior)

    def memberships(self, sentences: Sentences) -> Memberships:
        lengths = np.array([len(words) for words in sentences], dtype=np.int64)
        begins = np.cumsum(lengths) - lengths
        n = min(_STATES, self.n_clusters)
        clusters = np.zeros((int(lengths.sum()), n), dtype=np.int32)
        shares = np.zeros((len(clusters), n), dtype=np.float32)
        numbered = [self._types.numbers(words) for words in sentences]
        for batch in batches(numbered):
            _, states = expectations(self.parameters_, [numbered[i] for i in batch])
            tokens = np.concatenate([np.arange(lengths[i]) + begins[i] for i in batch])
            likely = np.argsort(-states, axis=1, kind="stable")[:, :n]
            found = np.take_along_axis(states, likely, axis=1)
            clusters[tokens] = likely
            shares[tokens] = found / found.sum(axis=1, keepdims=True)
        return Memberships(clusters, shares)


@dataclass(eq=False)
class OnlineHMM(HMM):
    """The same, its parameters moved after every few sentences.

    Parameters
    ----------
    batch : int
        Sentences after which they move.
    decay : float in (0.5, 1]
        The step after batch k is ``(k + 2) ** -decay``.

    Examples
    --------
    >>> sentences = [["dogs", "bark"], ["cats", "run"]] * 8
    >>> OnlineHMM(n_clusters=2, batch=4).fit(sentences).predict([["dogs", "run"]]).shape
    (2,)
    """

    RANGES = (
        *Rival.RANGES,
        "prior=0.0001:0.1:log",
        "noise=0.3:3:log",
        "batch=32:512:log",
        "decay=0.5:1",
    )

    epochs: int = 3  # as often as the learner reads the sentences
    batch: int = 128
    decay: float = 0.7

    def _learn(self, numbered: list[NDArray[np.int32]]) -> None:
        average, step = None, 0
        n_tokens = sum(map(len, numbered))
        for _ in range(self.epochs):
            for a in range(0, len(numbered), self.batch):
                some = numbered[a : a + self.batch]
                found, _ = expectations(self.parameters_, some)
                # As if all sentences were like these, so that the prior weighs as in passes.
                scale = n_tokens / max(sum(map(len, some)), 1)
                found = Statistics(*(scale * part for part in found))
                eta = (step + 2.0) ** -self.decay
                if average is None:
                    average = found
                else:
                    average = Statistics(
                        *(a + eta * (b - a) for a, b in zip(average, found, strict=True))
                    )
                step += 1
                self.parameters_ = maximized(average, self.prior)


def maximized(counts: Statistics, prior: float) -> Parameters:
    """Parameters that make expected counts the likeliest."""
    start, move, emit = (np.asarray(part, dtype=np.float64) + prior for part in counts)
    return Parameters(
        (start / start.sum()).astype(np.float32),
        (move / move.sum(axis=1, keepdims=True)).astype(np.float32),
        (emit / emit.sum(axis=0)).astype(np.float32),
    )


def _sum(a: Statistics, b: Statistics) -> Statistics:
    return Statistics(*(x + y for x, y in zip(a, b, strict=True)))


def batches(numbered: list[NDArray[np.int32]]) -> Iterator[list[int]]:
    """Sentences of like lengths together; empty ones are left out."""
    lengths = np.array([len(words) for words in numbered], dtype=np.int64)
    order = np.argsort(-lengths, kind="stable")
    order = order[lengths[order] > 0]
    for a in range(0, len(order), _AT_ONCE):
        yield order[a : a + _AT_ONCE].tolist()


def expectations(
    parameters: Parameters, sentences: list[NDArray[np.int32]]
) -> tuple[Statistics, NDArray[np.float32]]:
    """Forward-backward over some sentences, side by side.

    Parameters
    ----------
    parameters : Parameters
    sentences : list of B ndarrays of int
        Types; none empty.

    Returns
    -------
    counts : Statistics
        Expected number of starts, moves and emissions.
    states : ndarray of float32, shape=(T, K)
        Probability of each state at each token, the tokens of all sentences in order.
    """
    start, move, emit = parameters
    lengths = np.array([len(words) for words in sentences])
    # The longest first: those that are still going on at a step are then the first rows.
    order = np.argsort(-lengths, kind="stable")
    longest = int(lengths.max())
    going = [int(np.count_nonzero(lengths > t)) for t in range(longest)]
    begins = np.cumsum(lengths) - lengths
    flat = np.concatenate(sentences)
    at = [begins[order[:n]] + t for t, n in enumerate(going)]
    told = emit[flat]
    states = np.empty_like(told)
    sizes = np.empty(len(flat), dtype=np.float32)
    ahead = np.broadcast_to(start, (len(sentences), len(start)))
    for t, n in enumerate(going):
        if t:
            ahead = states[at[t - 1]][:n] @ move
        found = np.maximum(ahead * told[at[t]], 1e-30)
        sizes[at[t]] = found.sum(axis=1)
        states[at[t]] = found / sizes[at[t]][:, None]
    moves = np.zeros_like(move)
    after = np.ones((going[-1], len(start)), dtype=np.float32)
    for t in range(longest - 1, -1, -1):
        likely = states[at[t]] * after
        if t:
            told_after = after * told[at[t]] / sizes[at[t]][:, None]
            moves += states[at[t - 1]][: going[t]].T @ told_after
            ends = np.ones((going[t - 1] - going[t], len(start)), dtype=np.float32)
            after = np.concatenate([told_after @ move.T, ends])
        states[at[t]] = likely / likely.sum(axis=1, keepdims=True)
    ones = np.ones(len(flat), dtype=np.float32)
    of_type = csr_array((ones, (flat, np.arange(len(flat)))), shape=(len(emit), len(flat)))
    counts = Statistics(states[at[0]].sum(axis=0), moves * move, of_type @ states)
    return counts, states
