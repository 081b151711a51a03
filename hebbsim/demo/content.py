"""What is left of the words themselves: read back from traces, and from a selective memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hebbsim.demo.settings import LONGEST, Settings
from hebbsim.probes.identity import Channel, Condition, States, get_decoder, make_codes, make_states
from hebbsim.probes.identity.states import round_bfloat16, round_int8, run_traces

__all__ = ["CodeBook", "Content", "read_back", "recall_rates", "select"]

#: Numbers in a word's code, and so in a trace.
DIM = 64
#: Words back that are read at most.
DEPTH = 24
#: Words that went by before the sentence: the slowest trace has filled up.
BEFORE = 5 * LONGEST


@dataclass(frozen=True, eq=False)
class CodeBook:
    """A random code for every word, and how frequent each is.

    Attributes
    ----------
    words : list of str
    counts : ndarray of float64, shape=(V,)
        Occurrences, at least one.
    """

    words: list[str]
    counts: NDArray[np.float64]

    @cached_property
    def codes(self) -> NDArray[np.float64]:
        # Drawn word by word: more words leave the codes of the first ones as they are.
        return make_codes(len(self.words), DIM, np.random.default_rng(0))

    @cached_property
    def index(self) -> dict[str, int]:
        return {word: number for number, word in enumerate(self.words)}

    def with_words(self, words: Sequence[str]) -> CodeBook:
        """A book that also holds `words`."""
        new = [word for word in dict.fromkeys(words) if word not in self.index]
        if not new:
            return self
        return CodeBook([*self.words, *new], np.append(self.counts, np.ones(len(new))))

    def numbers(self, words: Sequence[str]) -> NDArray[np.int64]:
        return np.array([self.index[word] for word in words], dtype=np.int64)

    def channel(self, timescales: NDArray[np.float64], states: States) -> Channel:
        """What decoders may know of the states."""
        return Channel(self.codes, timescales, states.noise, self.counts / self.counts.sum())


@dataclass(frozen=True, eq=False)
class Content:
    """What is read back after each word of a sentence.

    Attributes
    ----------
    states : ndarray of float64, shape=(T, S, D)
        The traces, as they are held.
    before : ndarray of float64, shape=(S, D)
        The traces before the first word, in exact arithmetic.
    linear, cancellation : list of T lists of str
        Entry k of list t is what is read for the word k words before word t.
    sizes, peaks : ndarray of float64, shape=(S,)
        Root mean square and largest absolute value of the numbers of each trace in exact
        arithmetic, where the root mean square of the numbers of a word's code is 1.
    code_peak : float
        Largest absolute value of the numbers of all codes, and so of a selective memory.
    """

    states: NDArray[np.float64]
    before: NDArray[np.float64]
    linear: list[list[str]]
    cancellation: list[list[str]]
    sizes: NDArray[np.float64]
    peaks: NDArray[np.float64]
    code_peak: float


def read_back(
    book: CodeBook, before: Sequence[str], sentence: Sequence[str], settings: Settings
) -> Content:
    """Read the words of a sentence back from the traces, after each of its words.

    Parameters
    ----------
    book : CodeBook
        With all words.
    before : sequence of str
        What the memory had read; `BEFORE` words or more fill every trace.
    sentence : sequence of str
    settings : Settings
    """
    n = len(sentence)
    tau = np.array(settings.timescales)
    tokens = book.numbers([*before, *sentence])[None]
    depth = min(n, DEPTH)
    states = make_states(
        book.codes, tokens, tau, settings.condition, n_last=n, n_lags=depth,
        rng=np.random.default_rng(1),
    )  # fmt: skip
    found = {}
    for name in ("linear", "cancellation"):
        read = _read(book, tau, states, name, depth)
        found[name] = [[book.words[v] for v in read[t, : t + 1]] for t in range(n)]
    past = run_traces(book.codes, tokens, tau, n + 1)[0]
    exact = np.abs(past[1:])
    unit = np.sqrt((book.codes**2).mean())
    sizes = np.sqrt((exact**2).mean(axis=(0, 2))) / unit
    peaks = exact.max(axis=(0, 2)) / unit
    return Content(
        states.values, past[0], found["linear"], found["cancellation"], sizes, peaks,
        float(np.abs(book.codes).max() / unit),
    )  # fmt: skip


def _read(
    book: CodeBook, tau: NDArray[np.float64], states: States, name: str, depth: int
) -> NDArray[np.int64]:
    """The likeliest word at each lag of each state, shape=(N, depth)."""
    channel = book.channel(tau, states)
    lags = get_decoder(name)(channel).decode(states.values, depth)
    return np.stack([np.argmax(found + channel.log_prior, axis=1) for found in lags], axis=1)


def recall_rates(
    book: CodeBook, streams: Sequence[Sequence[str]], settings: Settings, depth: int = 16
) -> dict[str, list[float]]:
    """Share of words read back right, by how many words ago, over streams of text.

    Parameters
    ----------
    book : CodeBook
    streams : sequence of sequences of str
        Of equal length, more than `depth` + 5 words.
    settings : Settings

    Returns
    -------
    dict of str to list of float
        For each decoder, entry k is for k words ago; 5 states of each stream.
    """
    tau = np.array(settings.timescales)
    tokens = np.stack([book.numbers(stream) for stream in streams])
    states = make_states(
        book.codes, tokens, tau, settings.condition, n_last=5, n_lags=depth,
        rng=np.random.default_rng(2),
    )  # fmt: skip
    return {
        name: (_read(book, tau, states, name, depth) == states.tokens).mean(axis=0).tolist()
        for name in ("linear", "cancellation")
    }


def select(
    book: CodeBook,
    sentence: Sequence[str],
    chosen: Sequence[int | None],
    n_slots: int,
    condition: Condition,
) -> tuple[list[list[int]], list[list[str]]]:
    """A memory whose alpha depends on the word: 1 in the slot that is chosen for it, else 0.

    The recurrence is that of a trace, ``h = (1 - alpha) h + alpha x``, and the numbers are as
    many as those of `n_slots` traces; number format and noise are the same, too.

    Parameters
    ----------
    book : CodeBook
    sentence : sequence of str
    chosen : sequence of int or None
        The slot of each word; None leaves the memory as it is.
    n_slots : int
    condition : Condition

    Returns
    -------
    places : list of T lists of int
        The word that each slot took last, -1 for none.
    read : list of T lists of str
        What the nearest code says is in each slot.
    """
    codes = book.codes
    slots = np.zeros((n_slots, codes.shape[1]))
    scale = np.full((n_slots, 1), np.abs(codes).max())
    rng = np.random.default_rng(3)
    places = [-1] * n_slots
    all_places, all_read = [], []
    norms = (codes**2).sum(axis=1) / 2
    for t, (word, slot) in enumerate(zip(book.numbers(sentence), chosen, strict=True)):
        if slot is not None:
            alpha = np.zeros((n_slots, 1))
            alpha[slot] = 1
            slots = (1 - alpha) * slots + alpha * codes[word]
            places[slot] = t
        if condition.precision == "bfloat16":
            slots = round_bfloat16(slots).astype(np.float64)
        elif condition.precision == "int8":
            slots = round_int8(slots, scale)
        seen = slots
        if condition.snr is not None:
            size = np.sqrt((codes**2).mean()) * 10 ** (-condition.snr / 20)
            seen = slots + size * rng.standard_normal(slots.shape)
        nearest = np.argmax(seen @ codes.T - norms, axis=1)
        all_places.append(list(places))
        all_read.append([book.words[v] for v in nearest])
    return all_places, all_read
