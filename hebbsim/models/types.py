"""Codes of word types: which category of words a word belongs to, learned from its contexts.

Five steps, all local and all without a label:

1. A word's *signature* is its mean left and right trace over one-hot context words
   (`hebbsim.engine.contexts`), its square root taken, at length one (so that distances are
   Hellinger distances), reduced by Sanger's rule.
2. Words compete for *categories* by their signatures, and where endings carry grammar by how
   they end (`hebbsim.models.vocabulary.EndingCodes`); a word's *code* is its soft category.
3. Signatures are learned again over the codes of the context words in place of the words
   themselves, and words compete again; twice.
4. A predictor learns, by the delta rule, a word's signature or its code from its mean
   context, or from single occurrences, and its shape (affixes). Rare words take n/(n + r) of
   their own and the rest from it: once and for all, or anew for every occurrence.
5. The code of a word never seen is what the predictor gives for this one occurrence.

Step 3 is in the spirit of Schütze (1995), "Distributional part-of-speech tagging", which
reduces over words first and over word classes then.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from hebbsim.engine.contexts import code_contexts, sum_code_contexts, sum_word_contexts
from hebbsim.engine.prediction import learn_categories, learn_prediction
from hebbsim.engine.traces import decays
from hebbsim.models.components import Components
from hebbsim.models.prototypes import MEMORY, Prototypes, softmax, unit_rows
from hebbsim.models.vocabulary import (
    Encoded,
    EndingCodes,
    ShapeFeatures,
    Vocabulary,
    add_active,
)

__all__ = ["Passes", "Text", "TypeCodes", "contexts_of", "draw_occurrences"]

#: A one-hot trace is cut where it has fallen to this share of its first value.
TOLERANCE = 0.01
#: Dimensions of the code of an ending.
ENDING_WIDTH = 100
#: Occurrences that the predictor learns from, about, and how often it sees them.
OCCURRENCES, OCCURRENCE_EPOCHS = 40_000, 3
#: Codes are learned so many times as fast as signatures, whose errors are larger.
CODE_RATE = 60
#: Sums in float32 begin anew after so many tokens: what is added stays large beside them.
LONGEST_SUM = 2**23
#: A word of more than so many times r occurrences has its code from itself alone.
KNOWN = 4.0


class Passes(Protocol):
    """What the codes of types take from a text: sums over its tokens, each in one pass."""

    def longest(self) -> int:
        """Tokens of the longest sentence."""

    def sum_words(
        self, n_types: int, n_columns: int, weights: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Traces around every type over one-hot words, shape=(V, 2, S, n_columns + 2)."""

    def sum_codes(
        self,
        n_types: int,
        codes: NDArray[np.float32],
        keep: NDArray[np.float32],
        alpha: NDArray[np.float32],
    ) -> NDArray[np.float32]:
        """Traces around every type over codes, shape=(V, 2, S, C + 1); unknown words are V."""

    def occurrences(
        self,
        weights: NDArray[np.float64],
        codes: NDArray[np.float32],
        keep: NDArray[np.float32],
        alpha: NDArray[np.float32],
        seed: int,
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """About `OCCURRENCES` tokens of the sentences, drawn by the weights of their types.

        Types, shape=(n,), and left and right traces over codes, shape=(n, 2 * S * (C + 1)).
        """


class Text:
    """Text in memory, passed over from end to end."""

    def __init__(self, parts: Sequence[Encoded]) -> None:
        self.parts = parts

    def longest(self) -> int:
        return max((int(np.diff(part.offsets).max(initial=1)) for part in self.parts), default=1)

    def sum_words(
        self, n_types: int, n_columns: int, weights: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        return self._summed(
            (n_types, 2, len(weights), n_columns + 2),
            lambda ids, offsets, sums: sum_word_contexts(ids, offsets, n_columns, weights, sums),
        )

    def sum_codes(
        self,
        n_types: int,
        codes: NDArray[np.float32],
        keep: NDArray[np.float32],
        alpha: NDArray[np.float32],
    ) -> NDArray[np.float32]:
        trace = np.empty((len(alpha), codes.shape[1] + 1), dtype=np.float32)

        def add(
            ids: NDArray[np.int32], offsets: NDArray[np.int64], sums: NDArray[np.float32]
        ) -> None:
            rows = np.where(ids < 0, n_types, ids).astype(np.int32)
            sum_code_contexts(rows, offsets, codes, keep, alpha, trace, sums)

        return self._summed((n_types, 2, *trace.shape), add)

    def _summed(
        self,
        shape: tuple[int, ...],
        add: Callable[[NDArray[np.int32], NDArray[np.int64], NDArray[np.float32]], None],
    ) -> NDArray[np.float32]:
        """What `add` adds over all parts, `LONGEST_SUM` tokens at a time."""
        total: NDArray[np.float32] | None = None
        sums, n_tokens = np.zeros(shape, dtype=np.float32), 0
        for part in self.parts:
            for start, stop, first, last in stretches(part.offsets, LONGEST_SUM):
                if n_tokens and n_tokens + last - first > LONGEST_SUM:
                    if total is None:
                        total = np.zeros(shape, dtype=np.float32)
                    total += sums
                    sums[:], n_tokens = 0, 0
                add(part.ids[first:last], part.offsets[start : stop + 1] - first, sums)
                n_tokens += last - first
        return sums if total is None else np.add(total, sums, out=total)

    def occurrences(
        self,
        weights: NDArray[np.float64],
        codes: NDArray[np.float32],
        keep: NDArray[np.float32],
        alpha: NDArray[np.float32],
        seed: int,
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        sentences = self.parts[0]
        counts = np.bincount(sentences.ids[sentences.ids >= 0], minlength=len(weights))
        rng = np.random.default_rng(seed)
        return draw_occurrences(sentences, chances(weights, counts), codes, keep, alpha, rng)


class TypeCodes:
    """Learn a code for every word of a vocabulary.

    Parameters
    ----------
    timescales : ndarray of float64, shape=(S,)
    n_context_words : int
        Context words told apart in the first signatures.
    n_categories : int
        C, the length of a code.
    n_components : int
        Directions kept of a signature.
    sharpness : float
        Of the soft competition: softmax of so many times the cosine.
    rounds : int
        How often signatures are learned again over codes, at least once.
    rare : float
        r in n/(n + r): so many occurrences weigh as much as the predictor.
    rare_from : {"type", "occurrence"}
        What the predictor learns from, and guesses a rare word from: a word's mean context, or
        single occurrences and the one at hand.
    rare_by : {"signature", "code"}
        What the predictor guesses.
    min_count : int
        Rarer words take no part in the competition and teach the predictor nothing.
    ending_weight : float
        Length of the code of a word's ending beside its signature, which has length one.
    rng : numpy.random.Generator

    Attributes
    ----------
    codes : ndarray of float32, shape=(V, C)
        Rows sum to one.
    """

    codes: NDArray[np.float32]
    contexts: NDArray[np.float32]
    context_codes: NDArray[np.float32]
    unknown_code: NDArray[np.float32]
    categories: Prototypes

    def __init__(
        self,
        timescales: NDArray[np.float64],
        *,
        n_context_words: int,
        n_categories: int,
        n_components: int,
        sharpness: float,
        rounds: int,
        rare: float,
        rare_from: Literal["type", "occurrence"],
        rare_by: Literal["signature", "code"],
        min_count: int,
        ending_weight: float,
        rng: np.random.Generator,
    ) -> None:
        self.timescales = timescales
        self.n_context_words = n_context_words
        self.n_categories = n_categories
        self.n_components = n_components
        self.sharpness = sharpness
        self.rounds = rounds
        self.rare = rare
        self.rare_from = rare_from
        self.rare_by = rare_by
        self.min_count = min_count
        self.ending_weight = ending_weight
        self.rng = rng
        self.keep, self.alpha = decays(timescales)

    def learn(self, vocabulary: Vocabulary, text: Passes) -> TypeCodes:
        """Learn every step on `text`, whose words `vocabulary` has counted."""
        for stage in self.stages(vocabulary, text):
            stage()
        return self

    def stages(self, vocabulary: Vocabulary, text: Passes) -> Iterator[Callable[[], None]]:
        """The steps of `learn`, in order; each needs no more than what is an attribute."""
        words = list(vocabulary.index)
        yield lambda: self._learn_words(vocabulary, words, text)
        for _ in range(self.rounds):
            yield lambda: self._learn_codes(words, text)
        yield lambda: self._complete(words, self._common(), text)

    def _learn_words(self, vocabulary: Vocabulary, words: Sequence[str], text: Passes) -> None:
        """First signatures and categories, over words."""
        counts = vocabulary.counts
        self.counts = counts
        self.weight = self._bounded_counts()
        self.shapes = ShapeFeatures(words, min_words=5)
        if self.ending_weight:
            # A generator of its own: everything else is drawn as without endings.
            self.endings = EndingCodes(self.shapes, ENDING_WIDTH, self.rng.spawn(1)[0])
        self._categorise(words, self._word_signatures(text, len(counts)), self._common())

    def _learn_codes(self, words: Sequence[str], text: Passes) -> None:
        """Signatures and categories anew, over codes."""
        # Contexts stay over these codes: the categories are about to be drawn afresh.
        self.context_codes = np.vstack([self.codes, self.unknown_code])
        self.contexts = self._mean_contexts(text, self.counts)
        self._categorise(words, unit_rows(np.sqrt(self.contexts)), self._common())

    def _common(self) -> NDArray[np.intp]:
        """Words that are common enough to compete."""
        common = np.flatnonzero(self.counts >= self.min_count)
        if len(common) < 2:  # a corpus without repetition: whatever there is competes
            common = np.arange(len(self.counts))
        return common

    # Signatures -------------------------------------------------------------------------

    def _word_signatures(self, text: Passes, n_types: int) -> NDArray[np.float32]:
        slowest = float(self.timescales.max())
        reach = 1 if slowest == 1 else 1 + int(math.log(TOLERANCE) / math.log1p(-1 / slowest))
        lags = np.arange(min(reach, text.longest() + 1))
        weights = (self.alpha[:, None] * self.keep[:, None] ** lags).astype(np.float32)
        sums = text.sum_words(n_types, min(self.n_context_words, n_types), weights)
        flat = sums.reshape(n_types, -1)
        np.sqrt(flat, out=flat)
        flat /= np.maximum(np.sqrt(np.einsum("ij,ij->i", flat, flat))[:, None], np.float32(1e-12))
        return flat

    def _mean_contexts(self, text: Passes, counts: NDArray[np.int64]) -> NDArray[np.float32]:
        """Mean context, over ``context_codes``, of every type, shape=(V, 2 * S * (C + 1))."""
        n_types = len(counts)
        sums = text.sum_codes(n_types, self.context_codes, self.keep, self.alpha)
        flat = sums.reshape(n_types, -1)
        flat /= np.maximum(counts, 1).astype(np.float32)[:, None]
        return flat

    def _bounded_counts(self) -> NDArray[np.float64]:
        """Of a word above this share of the text, more occurrences say nothing new."""
        return np.minimum(self.counts, 0.005 * self.counts.sum())

    # Categories -------------------------------------------------------------------------

    def _visits(self, common: NDArray[np.intp], power: float, n: int) -> NDArray[np.int64]:
        """Types in the order in which they are learned from, frequent ones more often."""
        weight = self.weight[common] ** power
        return self.rng.choice(common, size=n, p=weight / weight.sum()).astype(np.int64)

    def fork(self) -> TypeCodes:
        """A copy that may learn on without changing this one."""
        other = copy.copy(self)
        changing = ("reducer", "categories", "context_weights", "shape_weights", "bias", "rng")
        for name in changing:
            setattr(other, name, copy.deepcopy(getattr(self, name)))
        return other

    def learn_on(self, vocabulary: Vocabulary, stretch: Encoded) -> None:
        """Learn from one more stretch of text, which `vocabulary` has counted.

        Contexts go on over the codes as they are; the types met in the stretch compete for
        the categories by their new contexts.
        """
        before, self.counts = self.counts, vocabulary.counts
        unknown = self.context_codes[-1:]
        n_new = len(self.counts) - len(before)
        self.context_codes = np.vstack([self.context_codes, np.repeat(unknown, n_new, axis=0)])
        # A floor of the step, as prototypes have.
        held = np.minimum(before, int(MEMORY))
        counts = self.counts.copy()
        counts[: len(before)] += held - before
        fresh = self._mean_contexts(Text([stretch]), counts)
        share = (held / np.maximum(counts[: len(before)], 1)).astype(np.float32)
        fresh[: len(before)] += share[:, None] * self.contexts
        self.contexts = fresh
        signatures = unit_rows(np.sqrt(self.contexts))
        met = np.unique(stretch.ids[stretch.ids >= 0])
        common = met[self.counts[met] >= self.min_count].astype(np.int64)
        self.reducer.learn(signatures, self.rng.permutation(common))
        self.points = unit_rows(self.reducer.project(signatures))
        words = list(vocabulary.index)
        self.categories.learn(self._with_endings(self.points, words), self.rng.permutation(common))
        rows, contexts = self._examples(common, Text([stretch]))
        order = self.rng.permutation(common if rows is None else len(rows)).astype(np.int64)
        eta = np.full(len(order), 0.02, dtype=np.float32)
        known = self._known(slice(None), words)
        self._learn_to_guess(words, known, rows, contexts, order, eta)

    def _with_endings(
        self, points: NDArray[np.float32], words: Sequence[str]
    ) -> NDArray[np.float32]:
        """What words compete with: their points, and the codes of how they end."""
        if not self.ending_weight:
            return points
        endings = np.float32(self.ending_weight) * self.endings.of(words)
        return unit_rows(np.hstack([unit_rows(points), endings]))

    def _categorise(
        self,
        words: Sequence[str],
        signatures: NDArray[np.float32],
        common: NDArray[np.intp],
    ) -> None:
        self.reducer = reducer = Components(self.n_components, signatures.shape[1])
        n = min(4 * len(common), 40_000)
        reducer.learn(signatures, self._visits(common, 1.0, n))
        self.points = unit_rows(reducer.project(signatures))
        points = self._with_endings(self.points, words)
        weights = np.zeros(len(points))
        weights[common] = self.weight[common]
        self.categories = Prototypes(
            points, self.n_categories, rng=self.rng, weights=weights, conscience=0.03
        )
        n = max(8 * len(common), 40 * self.n_categories)
        for epoch in range(4):
            self.categories.learn(points, self._visits(common, 0.5, n // 4), fair=epoch < 3)
            self.categories.forget(0.3)
        self._set_codes(self.categories.soft(points, self.sharpness))

    def _set_codes(self, codes: NDArray[np.float32]) -> None:
        self.codes = codes
        rare = self.counts <= self.min_count
        self.unknown_code = (self.codes[rare] if rare.any() else self.codes).mean(axis=0)

    # Rare and unknown words ---------------------------------------------------------------

    def _complete(self, words: Sequence[str], common: NDArray[np.intp], text: Passes) -> None:
        known = self._known(slice(None), words)
        n_out = known.shape[1]
        n_inputs = self.contexts.shape[1]
        rows, contexts = self._examples(common, text)
        seen = contexts[common] if rows is None else contexts
        self.power = np.maximum((seen**2).mean(axis=0), np.float32(1e-5))
        self.context_weights = np.zeros((n_inputs, n_out), dtype=np.float32)
        self.shape_weights = np.zeros((max(1, len(self.shapes)), n_out), dtype=np.float32)
        if self.rare_by == "code":
            drawn = common if rows is None else rows
            self.bias = np.log(known[drawn].mean(axis=0) + np.float32(1e-4))
        else:
            self.bias = known[common].mean(axis=0)
        if rows is None:
            order = np.concatenate([self.rng.permutation(common) for _ in range(10)])
            eta = np.linspace(0.5, 0.02, len(order), dtype=np.float32)
        else:
            epochs = range(OCCURRENCE_EPOCHS)
            order = np.concatenate([self.rng.permutation(len(rows)) for _ in epochs])
            eta = np.linspace(0.3, 0.01, len(order), dtype=np.float32)
        self._learn_to_guess(words, known, rows, contexts, order.astype(np.int64), eta)

    def _examples(
        self, common: NDArray[np.intp], text: Passes
    ) -> tuple[NDArray[np.int32] | None, NDArray[np.float32]]:
        """What the predictor learns from: types of occurrences, and contexts.

        Without types, the mean contexts of all words, in their order.
        """
        if self.rare_from == "type":
            return None, self.contexts
        weights = np.zeros(len(self.counts))
        weights[common] = np.sqrt(self._bounded_counts()[common])
        seed = int(self.rng.integers(2**32))
        rows, contexts = text.occurrences(weights, self.context_codes, self.keep, self.alpha, seed)
        if not len(rows):  # a stretch without any common word
            return None, self.contexts
        return rows, contexts

    def _learn_to_guess(
        self,
        words: Sequence[str],
        known: NDArray[np.float32],
        rows: NDArray[np.int32] | None,
        contexts: NDArray[np.float32],
        order: NDArray[np.int64],
        eta: NDArray[np.float32],
    ) -> None:
        """Learn signatures or codes from contexts and shapes, and code the words with both."""
        active, n_active = self.shapes.active(words)
        here = slice(None) if rows is None else rows
        learn, rate = learn_prediction, 1
        if self.rare_by == "code":
            learn, rate = learn_categories, CODE_RATE
        learn(
            contexts,
            known[here],
            order,
            eta * np.float32(rate),
            self.power,
            self.context_weights,
            self.bias,
            active[here],
            n_active[here],
            self.shape_weights,
            np.empty(len(self.bias), dtype=np.float32),
        )
        own = self._own_share()[:, None]
        completed = own * known + (1 - own) * self._guess(self.contexts, active, n_active)
        self._set_codes(self._coded(completed, words))

    def _known(self, ids: NDArray[np.int32] | slice, words: Sequence[str]) -> NDArray[np.float32]:
        """What the predictor guesses, signature or code, as some words have it of their own."""
        points = self.points[ids]
        return points if self.rare_by == "signature" else self._compete(points, words)

    def _coded(self, completed: NDArray[np.float32], words: Sequence[str]) -> NDArray[np.float32]:
        """Codes of words from what they have of their own and what was guessed."""
        return completed if self.rare_by == "code" else self._compete(completed, words)

    def _compete(self, points: NDArray[np.float32], words: Sequence[str]) -> NDArray[np.float32]:
        return self.categories.soft(self._with_endings(points, words), self.sharpness)

    def _own_share(self) -> NDArray[np.float32]:
        """n/(n + r) of every type: how much of its signature, or code, is its own."""
        return (self.counts / (self.counts + self.rare)).astype(np.float32)

    def _guess(
        self,
        contexts: NDArray[np.float32],
        active: NDArray[np.int32],
        n_active: NDArray[np.int32],
    ) -> NDArray[np.float32]:
        guess = contexts @ self.context_weights + self.bias
        add_active(guess, active, n_active, self.shape_weights)
        return unit_rows(guess) if self.rare_by == "signature" else softmax(guess)

    def lookup(
        self, encoded: Encoded, vocabulary: Vocabulary
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Codes of the tokens of some sentences: a row for each, and the table of rows.

        Returns
        -------
        rows : ndarray of int32, shape=(T,)
        table : ndarray of float32, shape=(V + number of tokens with a code of their own, C)
            Tokens of words never seen, and of rare ones where `rare_from` is "occurrence".
        """
        alone = encoded.ids < 0
        if self.rare_from == "occurrence":
            rare = self.counts <= KNOWN * self.rare
            alone |= np.append(rare, True)[encoded.ids]
        at = np.flatnonzero(alone)
        n_types = len(self.codes)
        if not len(at):
            return encoded.ids, self.codes
        ids = encoded.ids[at]
        rows = np.where(encoded.ids < 0, n_types, encoded.ids).astype(np.int32)
        words = _spelled(ids, encoded.unknown, vocabulary)
        guess = np.empty((len(at), len(self.bias)), dtype=np.float32)
        active, n_active = self.shapes.active(words)
        for part, x in _contexts_at(
            at, rows, encoded.offsets, self.context_codes, self.keep, self.alpha
        ):
            guess[part] = self._guess(x, active[part], n_active[part])
        if self.rare_from == "occurrence":
            own = np.append(self._own_share(), np.float32(0))[ids][:, None]
            guess *= 1 - own
            guess += own * self._known(ids, words)
        rows[at] = n_types + np.arange(len(at), dtype=np.int32)
        return rows, np.vstack([self.codes, self._coded(guess, words)])


def _spelled(
    ids: NDArray[np.int32], unknown: Sequence[str], vocabulary: Vocabulary
) -> Sequence[str]:
    """The words of some tokens, among them all those that are unknown, in their order."""
    if len(unknown) == len(ids):
        return unknown
    words, rest = list(vocabulary.index), iter(unknown)
    return [next(rest) if number < 0 else words[number] for number in ids.tolist()]


# Contexts of tokens -------------------------------------------------------------------------


def chances(weights: NDArray[np.float64], counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """How likely a token of every type is to be drawn, for about `OCCURRENCES` in all.

    A type is drawn by its weight, however often it occurs, but no oftener than it does.
    """
    wanted = np.where(counts > 0, weights, 0)
    return np.minimum(OCCURRENCES * wanted / max(wanted.sum(), 1e-12) / np.maximum(counts, 1), 1)


def draw_occurrences(
    text: Encoded,
    chance: NDArray[np.float64],
    table: NDArray[np.float32],
    keep: NDArray[np.float32],
    alpha: NDArray[np.float32],
    rng: np.random.Generator,
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Draw tokens by the chance of their type: their types and their contexts.

    Parameters
    ----------
    text : Encoded
    chance : ndarray of float64, shape=(V,)
    table : ndarray of float32, shape=(V + 1, C)
        Codes of all types and, last, of unknown words.
    keep, alpha : ndarrays of float32, shape=(S,)
    rng : numpy.random.Generator

    Returns
    -------
    rows : ndarray of int32, shape=(n,)
    contexts : ndarray of float32, shape=(n, 2 * S * (C + 1))
    """
    rows = np.where(text.ids < 0, len(chance), text.ids).astype(np.int32)
    at = np.flatnonzero(rng.random(len(rows)) < np.append(chance, 0)[rows])
    width = 2 * len(alpha) * (table.shape[1] + 1)
    found = [x for _, x in _contexts_at(at, rows, text.offsets, table, keep, alpha)]
    return rows[at], np.vstack([np.zeros((0, width), dtype=np.float32), *found])


def _contexts_at(
    at: NDArray[np.intp],
    rows: NDArray[np.int32],
    offsets: NDArray[np.int64],
    table: NDArray[np.float32],
    keep: NDArray[np.float32],
    alpha: NDArray[np.float32],
) -> Iterator[tuple[slice, NDArray[np.float32]]]:
    """Both sides' code traces of the tokens `at`, a stretch of text at a time."""
    done = 0
    for start, stop, first, last in stretches(offsets):
        here = at[(at >= first) & (at < last)] - first
        if len(here):
            part = offsets[start : stop + 1] - first
            both = contexts_of(rows[first:last], part, table, keep, alpha)
            x = both[:, here].transpose(1, 0, 2).reshape(len(here), -1)
            yield slice(done, done + len(here)), x
            done += len(here)


def contexts_of(
    rows: NDArray[np.int32],
    offsets: NDArray[np.int64],
    table: NDArray[np.float32],
    keep: NDArray[np.float32],
    alpha: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Left and right code traces of every token, shape=(2, T, S * (C + 1))."""
    shape = (len(alpha), table.shape[1] + 1)
    out = np.empty((2, len(rows), *shape), dtype=np.float32)
    trace = np.empty(shape, dtype=np.float32)
    code_contexts(rows, offsets, np.ascontiguousarray(table), keep, alpha, trace, out)
    return out.reshape(2, len(rows), -1)


def stretches(offsets: NDArray[np.int64], n_tokens: int = 8192) -> list[tuple[int, int, int, int]]:
    """Cut text into runs of whole sentences: their first and last sentence and token."""
    cuts = [0]
    while cuts[-1] < len(offsets) - 1:
        reach = offsets[cuts[-1]] + n_tokens
        cut = int(np.searchsorted(offsets, reach, side="right")) - 1
        cuts.append(min(max(cut, cuts[-1] + 1), len(offsets) - 1))
    return [(a, b, int(offsets[a]), int(offsets[b])) for a, b in pairwise(cuts)]
