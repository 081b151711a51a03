"""Hidden Markov models with K states, by expectation maximization in passes or online.

Rabiner, L. R. (1989). A tutorial on hidden Markov models. Proceedings of the IEEE 77, section III
and V.A (scaled forward-backward). Online: Liang, P. & Klein, D. (2009). Online EM for unsupervised
models. NAACL, section 3 (stepwise EM).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from hebbsim.probes import Memberships
from hebbsim.rivals.base import Rival, Sentences, Types

#: Maximum number of states that share a token.
_STATES = 8
#: Number of sentences, of similar length, that are processed at a time.
_AT_ONCE = 256


class Parameters(NamedTuple):
    """Probabilities of a hidden Markov model with K states and V types."""

    start: NDArray[np.float32]  # shape=(K,), of the first state of a sentence
    move: NDArray[np.float32]  # shape=(K, K), from state (row) to state
    emit: NDArray[np.float32]  # shape=(V, K), of a type given the state; columns sum to one


class Statistics(NamedTuple):
    """Expected counts over some sentences, with the shapes of `Parameters`."""

    start: NDArray[np.floating]
    move: NDArray[np.floating]
    emit: NDArray[np.floating]


@dataclass(eq=False)
class HMM(Rival):
    """States of a hidden Markov model, learned in passes over all sentences.

    >>> sentences = [["dogs", "bark"], ["cats", "run"]] * 8
    >>> HMM(n_clusters=2, epochs=3).fit(sentences).predict([["dogs", "run"]]).shape
    (2,)
    """

    RANGES = (*Rival.RANGES, "epochs=5:30:log", "prior=0.0001:0.1:log", "noise=0.3:3:log")

    #: Passes over the sentences.
    epochs: int = 15
    #: Added to each expected count, so that no probability is zero.
    prior: float = 0.01
    #: Standard deviation of the logarithms of the initial probabilities.
    noise: float = 1.0

    def fit(self, sentences: Sentences) -> Any:
        self._types = Types(sentences, rare=self.rare, ending=self.ending)
        self.parameters_ = self._initial_parameters()
        numbered = [self._types.numbers(words) for words in sentences if len(words)]
        self._learn(numbered)
        _, move, emit = self.parameters_
        # Near states have similar words and neighbours (Hellinger distance).
        into = move / np.maximum(move.sum(axis=0), 1e-30)
        self.prototypes_ = np.sqrt(np.hstack([emit.T, move, into.T])).astype(np.float32)
        return self

    def _initial_parameters(self) -> Parameters:
        k, rng = self.n_clusters, np.random.default_rng(self.random_state)
        counts = np.maximum(self._types.counts, 1)[:, None]
        emit = counts * np.exp(self.noise * rng.standard_normal((len(counts), k)))
        move = np.exp(self.noise * rng.standard_normal((k, k)))
        return maximized(Statistics(np.ones(k), move, emit), self.prior)

    def _learn(self, numbered: list[NDArray[np.int32]]) -> None:
        for _ in range(self.epochs):
            total = None
            for batch in batches(numbered):
                found, _ = expectations(self.parameters_, [numbered[i] for i in batch])
                total = found if total is None else Statistics(*map(np.add, total, found))
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
    """A hidden Markov model whose parameters are updated after every batch of sentences.

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

    epochs: int = 3  # the number of passes of the role network
    #: Number of sentences per update.
    batch: int = 128
    #: In (0.5, 1]: the step after batch k is ``(k + 2) ** -decay``.
    decay: float = 0.7

    def _learn(self, numbered: list[NDArray[np.int32]]) -> None:
        average = None
        n_tokens = sum(map(len, numbered))
        starts = [*range(0, len(numbered), self.batch)] * self.epochs
        for step, start in enumerate(starts):
            batch = numbered[start : start + self.batch]
            found, _ = expectations(self.parameters_, batch)
            # Scaled to all sentences, so that the prior has the same weight as in passes.
            scale = n_tokens / max(sum(map(len, batch)), 1)
            found = Statistics(*(scale * part for part in found))
            if average is not None:
                eta = (step + 2.0) ** -self.decay
                found = Statistics(
                    *(a + eta * (b - a) for a, b in zip(average, found, strict=True))
                )
            average = found
            self.parameters_ = maximized(average, self.prior)


def maximized(counts: Statistics, prior: float) -> Parameters:
    """The maximization step: parameters from expected counts."""
    start, move, emit = (np.asarray(part, dtype=np.float64) + prior for part in counts)
    return Parameters(
        (start / start.sum()).astype(np.float32),
        (move / move.sum(axis=1, keepdims=True)).astype(np.float32),
        (emit / emit.sum(axis=0)).astype(np.float32),
    )


def batches(numbered: list[NDArray[np.int32]]) -> Iterator[list[int]]:
    """Batches of indices of sentences of similar length, without empty ones."""
    lengths = np.array([len(words) for words in numbered], dtype=np.int64)
    order = np.argsort(-lengths, kind="stable")
    order = order[lengths[order] > 0]
    for a in range(0, len(order), _AT_ONCE):
        yield order[a : a + _AT_ONCE].tolist()


def expectations(
    parameters: Parameters, sentences: list[NDArray[np.int32]]
) -> tuple[Statistics, NDArray[np.float32]]:
    """Forward-backward algorithm on non-empty sentences of types, in parallel.

    Returns the expected number of starts, moves and emissions, and the probability of each state
    at each token, shape=(T, K), the tokens of all sentences in order.
    """
    start, move, emit = parameters
    lengths = np.array([len(words) for words in sentences])
    # Longest first, so that the sentences that reach a step are the first rows.
    order = np.argsort(-lengths, kind="stable")
    longest = int(lengths.max())
    going = [int(np.count_nonzero(lengths > t)) for t in range(longest)]
    begins = np.cumsum(lengths) - lengths
    flat = np.concatenate(sentences)
    at = [begins[order[:n]] + t for t, n in enumerate(going)]
    emitted = emit[flat]
    states = np.empty_like(emitted)
    sizes = np.empty(len(flat), dtype=np.float32)
    ahead = np.broadcast_to(start, (len(sentences), len(start)))
    for t, n in enumerate(going):
        if t:
            ahead = states[at[t - 1]][:n] @ move
        found = np.maximum(ahead * emitted[at[t]], 1e-30)
        sizes[at[t]] = found.sum(axis=1)
        states[at[t]] = found / sizes[at[t]][:, None]
    moves = np.zeros_like(move)
    after = np.ones((going[-1], len(start)), dtype=np.float32)
    for t in range(longest - 1, -1, -1):
        likely = states[at[t]] * after
        if t:
            after_next = after * emitted[at[t]] / sizes[at[t]][:, None]
            moves += states[at[t - 1]][: going[t]].T @ after_next
            ends = np.ones((going[t - 1] - going[t], len(start)), dtype=np.float32)
            after = np.concatenate([after_next @ move.T, ends])
        states[at[t]] = likely / likely.sum(axis=1, keepdims=True)
    ones = np.ones(len(flat), dtype=np.float32)
    of_type = csr_array((ones, (flat, np.arange(len(flat)))), shape=(len(emit), len(flat)))
    counts = Statistics(states[at[0]].sum(axis=0), moves * move, of_type @ states)
    return counts, states
