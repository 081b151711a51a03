"""A learner that sorts tokens into roles without having seen a label."""

from __future__ import annotations

import copy
import numbers
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import NotFittedError
from threadpoolctl import threadpool_limits

from hebbsim.engine.prediction import learn_prediction
from hebbsim.engine.timescales import check_timescales
from hebbsim.engine.traces import decays
from hebbsim.errors import BadInputError
from hebbsim.models.checkpoint import Saved, Stages, check_unchanged, learned, parameters
from hebbsim.models.components import Components
from hebbsim.models.estimator import Sentences, ZeroLabelEstimator, refuse_labels
from hebbsim.models.prototypes import Prototypes, unit_rows
from hebbsim.models.types import Text, TypeCodes, contexts_of, stretches
from hebbsim.models.vocabulary import Encoded, Vocabulary

__all__ = ["HebbianRoleInducer"]

#: On some processors a matrix product shared among threads rounds otherwise than one alone.
one_thread = threadpool_limits.wrap(limits=1, user_api="blas")

#: Tokens that the directions of the own code are learned from, at most.
MOST_VISITS = 50_000

#: Parameters that a derived learner may change: all but those of the type codes.
TOKEN_STAGE = (
    "timescales",
    "n_clusters",
    "view",
    "shuffle_traces",
    "prototypes",
    "n_directions",
    "context_weight",
    "trace_weights",
    "context_share",
    "weight_spread",
    "conscience",
    "frequent",
    "epochs",
    "random_state",
)


class HebbianRoleInducer(Saved, ZeroLabelEstimator):
    """Sort tokens into K clusters by what they are and by the traces around them.

    Word types first get codes (`hebbsim.models.types.TypeCodes`). A token's vector is its
    own code beside its left and its right context: traces of the codes around it, seen twice,
    through a *predictive projection*, the directions along which that side foretells the own
    code, learned by the delta rule, and along their *principal directions*, learned by
    Sanger's rule. Tokens then compete for K prototypes. Every step is local, takes one token
    at a time, and receives tokens and sentence boundaries only.

    Parameters
    ----------
    timescales : iterable of float, or str, default=(2, 8, 32)
        Of the traces, in tokens.
    n_clusters : int, default=300
        K.
    view : {"both", "own", "traces"}, default="both"
        What a token's vector holds: own code and contexts, or one of them (ablations).
    shuffle_traces : bool, default=False
        Control: traces are taken from a random order of the tokens of a stretch of text
        (8192), so that contexts keep their distribution and, but for the distance to the
        sentence's ends, lose their tie to the token.
    prototypes : {"learned", "random"}, default="learned"
        Control: "random" prototypes are vectors of training tokens, drawn with `random_state`
        and left where they are. They are those from which the learned ones start.
    n_categories : int, default=100
        C, categories that word types compete for.
    n_components : int, default=50
        Directions kept of a type's signature.
    n_context_words : int, default=500
        Words told apart in the first signatures: the commonest.
    sharpness : float, default=12
        Of the soft categories: softmax of so many times the cosine.
    rounds : int, default=2
        How often signatures are learned again over codes.
    rare : float, default=5
        A word that occurred n times keeps n/(n + rare) of its own signature; the rest is
        foretold from context and shape.
    rare_from : {"type", "occurrence"}, default="type"
        From which context: the word's mean one, so that every word has one code, or that of
        the occurrence at hand, so that a rare word may have another code in every place.
    rare_by : {"signature", "code"}, default="signature"
        What is foretold: the signature, by the delta rule, or the code itself, by a softmax,
        in which pieces of evidence multiply. Codes suit a grammar whose words are of one kind
        each, signatures natural language (experiments/roles/NOTES.md).
    min_count : int, default=3
        Rarer types take no part in the competition of types.
    ending_weight : float, default=0
        Types compete by how words end, too, with this weight; signatures have weight one. For
        languages whose endings carry grammar.
    n_directions : int, default=30
        Of each projection of each side.
    context_weight : float, default=0.9
        Length of each side through the predictive projection; the own code has length one.
    trace_weights : tuple of float, default=(0.7, 0.3)
        Length of the left and of the right side along the principal directions.
    context_share : float, default=1
        Share of the directions that this learner attends to, drawn at random.
    weight_spread : float, default=0
        Own code and contexts are weighted by draws between one less and one more than this
        (below 1). The two make the members of a population differ.
    conscience : float, default=3
        See `hebbsim.engine.competition.compete`.
    frequent : float, default=0.01
        Tokens of words more frequent than this are passed over, in the competition of
        tokens, with probability ``1 - sqrt(frequent / frequency)``.
    epochs : int, default=3
        Passes of `fit` over the tokens in each step of the token stage.
    max_types : int, default=30000
        Words kept, the commonest; the others count as unknown. Bounds the memory.
    random_state : int, default=0

    Attributes
    ----------
    vocabulary_ : Vocabulary
    types_ : TypeCodes
    prototypes_ : Prototypes
    n_tokens_seen_ : int

    Examples
    --------
    >>> sentences = [["the", "dog", "saw", "a", "cat"], ["a", "cat", "saw", "the", "dog"]] * 20
    >>> learner = HebbianRoleInducer(n_clusters=5, n_categories=4).fit(sentences)
    >>> learner.predict([["the", "cat", "saw", "a", "dog"]]).shape
    (5,)
    """

    vocabulary_: Vocabulary
    types_: TypeCodes
    prototypes_: Prototypes

    def __init__(
        self,
        timescales: str | Iterable[float] = (2, 8, 32),
        n_clusters: int = 300,
        *,
        view: Literal["both", "own", "traces"] = "both",
        shuffle_traces: bool = False,
        prototypes: Literal["learned", "random"] = "learned",
        n_categories: int = 100,
        n_components: int = 50,
        n_context_words: int = 500,
        sharpness: float = 12.0,
        rounds: int = 2,
        rare: float = 5.0,
        rare_from: Literal["type", "occurrence"] = "type",
        rare_by: Literal["signature", "code"] = "signature",
        min_count: int = 3,
        ending_weight: float = 0.0,
        n_directions: int = 30,
        context_weight: float = 0.9,
        trace_weights: tuple[float, float] = (0.7, 0.3),
        context_share: float = 1.0,
        weight_spread: float = 0.0,
        conscience: float = 3.0,
        frequent: float = 0.01,
        epochs: int = 3,
        max_types: int = 30_000,
        random_state: int = 0,
    ) -> None:
        self.timescales = timescales
        self.n_clusters = n_clusters
        self.view = view
        self.shuffle_traces = shuffle_traces
        self.prototypes = prototypes
        self.n_categories = n_categories
        self.n_components = n_components
        self.n_context_words = n_context_words
        self.sharpness = sharpness
        self.rounds = rounds
        self.rare = rare
        self.rare_from = rare_from
        self.rare_by = rare_by
        self.min_count = min_count
        self.ending_weight = ending_weight
        self.n_directions = n_directions
        self.context_weight = context_weight
        self.trace_weights = trace_weights
        self.context_share = context_share
        self.weight_spread = weight_spread
        self.conscience = conscience
        self.frequent = frequent
        self.epochs = epochs
        self.max_types = max_types
        self.random_state = random_state

    # Learning -----------------------------------------------------------------------------

    def fit(
        self,
        sentences: Sentences,
        y: None = None,
        *,
        text: Sentences | None = None,
        checkpoints: str | os.PathLike[str] | None = None,
        progress: Callable[[float], object] | None = None,
    ) -> HebbianRoleInducer:
        """Learn afresh, each step to its end before the next.

        Parameters
        ----------
        sentences : iterable of sequences of str
            Sentences like those that are to be sorted.
        y : None
            Passed by scikit-learn; labels are refused.
        text : iterable of sequences of str, optional
            More text, read once as a stream, kept as numbers (four bytes a token), for the
            codes of word types alone.
        checkpoints : path, optional
            Folder for the last two states on the way. Where it holds some, learning goes on
            from the last, on the same sentences and text, to the same bits.
        progress : callable, optional
            Called as learning goes on, with the fraction of it that is done, up to 1.

        Raises
        ------
        BadInputError
            There are labels, a parameter is out of range, there are fewer tokens than
            clusters, or checkpoints are damaged or not of this learner and these sentences.
        """
        refuse_labels(y)
        kept = None if checkpoints is None else Stages(checkpoints)
        return self._learn(*self._read(sentences, text), kept, progress)

    def _read(
        self, sentences: Sentences, text: Sentences | None
    ) -> tuple[Vocabulary, list[Encoded]]:
        """Take in what `fit` is given: sentences, and text where there is some, as ids."""
        self._check()
        vocabulary = Vocabulary(max_types=2**31 - 1)
        parts = [vocabulary.take_in(sentences)]
        self._check_tokens(len(parts[0].ids))
        if text is not None:
            parts.append(vocabulary.take_in(text))
        words = list(vocabulary.index)
        renumbered = vocabulary.sort(self.max_types)
        dropped = parts[0].ids[renumbered[parts[0].ids] < 0]
        parts[0].unknown = [words[number] for number in dropped]
        for part in parts:
            part.ids = renumbered[part.ids]
        return vocabulary, parts

    @one_thread
    def _learn(
        self,
        vocabulary: Vocabulary,
        parts: list[Encoded],
        kept: Stages | None = None,
        progress: Callable[[float], object] | None = None,
    ) -> HebbianRoleInducer:
        """Learn every stage from what was read, which stays as it is."""
        for name in learned(self):
            delattr(self, name)  # of an earlier fit
        done = 0 if kept is None else kept.restore(self, vocabulary, parts)
        if not done:
            self.vocabulary_ = vocabulary
            self.types_ = self._new_types()
        stages = [*self.types_.stages(vocabulary, Text(parts)), *self._token_stages(parts[0])]
        for number, stage in enumerate(stages[done:], done + 1):
            stage()
            if kept is not None:
                kept.keep(self, number)
            if progress is not None:
                progress(number / len(stages))
        return self

    def _new_types(self) -> TypeCodes:
        """Type codes of this learner's parameters, yet to be learned."""
        return TypeCodes(
            check_timescales(self.timescales),
            n_context_words=self.n_context_words,
            n_categories=min(self.n_categories, len(self.vocabulary_)),
            n_components=self.n_components,
            sharpness=self.sharpness,
            rounds=self.rounds,
            rare=self.rare,
            rare_from=self.rare_from,
            rare_by=self.rare_by,
            min_count=self.min_count,
            ending_weight=float(self.ending_weight),
            rng=np.random.default_rng([self.random_state, 0]),
        )

    @one_thread
    def partial_fit(self, sentences: Sentences, y: None = None) -> HebbianRoleInducer:
        """Learn on from a stretch of a stream, every step at once, in one pass.

        The first stretch should hold a few thousand tokens: categories and prototypes start
        from it. New words are admitted while there is room (`max_types`). Memory does not
        grow with the stream.

        Parameters
        ----------
        sentences : iterable of sequences of str
        y : None
            As of `fit`.
        """
        refuse_labels(y)
        if not hasattr(self, "prototypes_"):
            return self.fit(sentences)
        check_unchanged(self)
        # Copies: what this learner learns is not to change those that share its codes.
        self.vocabulary_ = copy.deepcopy(self.vocabulary_)
        self.types_ = self.types_.fork()
        encoded = self.vocabulary_.take_in(sentences)
        if not len(encoded.ids):
            return self
        self.types_.learn_on(self.vocabulary_, encoded)
        for block in stretches(encoded.offsets):
            self._learn_projection(encoded, block, eta=0.05)
        if self.prototypes == "learned":
            chosen = np.flatnonzero(self._rng.random(len(encoded.ids)) < self._chance(encoded))
            self.prototypes_.learn(self._vectors(encoded), self._rng.permutation(chosen))
        self.n_tokens_seen_ += len(encoded.ids)
        return self

    def derive(self, sentences: Sentences, **changes: Any) -> HebbianRoleInducer:
        """A learner that shares this one's type codes and learns the token stage afresh.

        Parameters
        ----------
        sentences : iterable of sequences of str
            What this learner was fitted on.
        **changes
            Parameters of the token stage: `TOKEN_STAGE`.
        """
        self._check_fitted()
        for name in changes:
            if name in self.get_params() and name not in TOKEN_STAGE:
                raise BadInputError(f"{name} belongs to the type codes, which are shared: fit anew")
        other = HebbianRoleInducer(**{**self.get_params(), **changes})
        other._check()
        encoded = self.vocabulary_.encode(sentences)
        other._check_tokens(len(encoded.ids))
        other.vocabulary_ = self.vocabulary_
        other.types_ = self.types_
        other._fit_tokens(encoded)
        return other

    @one_thread
    def _fit_tokens(self, encoded: Encoded) -> None:
        for stage in self._token_stages(encoded):
            stage()

    def _token_stages(self, encoded: Encoded) -> Iterator[Callable[[], None]]:
        """What follows the type codes, in order; each needs no more than what is an attribute."""
        yield lambda: self._start_projection(encoded)
        for epoch in range(self.epochs if self.view != "own" else 0):
            yield partial(self._project_once, encoded, epoch)
        yield lambda: self._fit_prototypes(encoded)

    def _project_once(self, encoded: Encoded, epoch: int) -> None:
        """One pass of the projection over the tokens, a stretch at a time."""
        blocks = stretches(encoded.offsets)
        for step, block in enumerate(self._rng.permutation(len(blocks))):
            done = (epoch + step / len(blocks)) / self.epochs
            self._learn_projection(encoded, blocks[block], eta=0.5 * (1 - done) + 0.01)

    def _start_projection(self, encoded: Encoded) -> None:
        self._rng = np.random.default_rng([self.random_state, 1])
        rows, table = self.types_.lookup(encoded, self.vocabulary_)
        self._start_from(table, self._rng.permutation(rows)[:MOST_VISITS].astype(np.int64))

    def _start_from(self, table: NDArray[np.float32], visits: NDArray[np.int64]) -> None:
        """Directions of the own code, from rows of `table` in the order of `visits`."""
        self._learned_with = parameters(self)
        tau = check_timescales(self.timescales)
        self._keep, self._alpha = decays(tau)
        self._own = Components(self.n_directions, table.shape[1])
        self._own.learn(np.sqrt(table), visits)
        n_out, width = len(self._own.components), len(tau) * (table.shape[1] + 1)
        self._weights = np.zeros((2, width, n_out), dtype=np.float32)
        self._bias = np.zeros((2, n_out), dtype=np.float32)
        self._power = np.zeros((2, width), dtype=np.float32)
        self._principal = [Components(self.n_directions, width) for _ in range(2)]
        self._attend()

    def _attend(self) -> None:
        """Draw what this learner attends to: directions by projection and side, and weights."""
        widths = (len(self._own.components), len(self._principal[0].components))
        self._attended = []
        for width in widths:
            kept = self._rng.random((2, width)) < self.context_share
            kept[:, 0] |= ~kept.any(axis=1)
            self._attended.append([np.flatnonzero(side) for side in kept])
        usual = np.array([1, self.context_weight, self.context_weight, *self.trace_weights])
        drawn = self._rng.uniform(1 - self.weight_spread, 1 + self.weight_spread, len(usual))
        lengths = np.float32(usual * drawn)
        self._own_length, self._lengths = lengths[0], lengths[1:].reshape(2, 2)

    def _learn_projection(
        self, encoded: Encoded, block: tuple[int, int, int, int], eta: float
    ) -> None:
        """Learn one stretch: to foretell the own code from each side, and its directions."""
        start, stop, first, last = block
        rows, table = self.types_.lookup(encoded.part(start, stop), self.vocabulary_)
        part = encoded.offsets[start : stop + 1] - first
        x = self._roots_of_traces(rows, table, part)
        met, which = np.unique(rows, return_inverse=True)
        own = self._own.project(np.sqrt(table[met]))[which]
        order = self._rng.permutation(last - first)
        for side in range(2):
            if not self._power[side].any():
                self._power[side] = np.maximum((x[side] ** 2).mean(axis=0), np.float32(1e-4))
            learn_prediction(
                x[side],
                own,
                order,
                np.full(len(order), eta, dtype=np.float32),
                self._power[side],
                self._weights[side],
                self._bias[side],
                np.zeros((len(order), 1), dtype=np.int32),
                np.zeros(len(order), dtype=np.int32),
                np.zeros((1, own.shape[1]), dtype=np.float32),
                np.empty(own.shape[1], dtype=np.float32),
            )
            if self.trace_weights[side]:
                self._principal[side].learn(x[side], order[: len(order) // 4])

    def _fit_prototypes(self, encoded: Encoded) -> None:
        x = self._vectors(encoded)
        self.prototypes_ = Prototypes(x, self.n_clusters, rng=self._rng, conscience=self.conscience)
        self.n_tokens_seen_ = len(x)
        if self.prototypes == "random":
            return
        chance = self._chance(encoded)
        for epoch in range(self.epochs):
            order = self._rng.permutation(np.flatnonzero(self._rng.random(len(x)) < chance))
            last = epoch == self.epochs - 1
            self.prototypes_.learn(x, order, fair=not last or epoch == 0)
            if not last:
                self.prototypes_.forget(0.3)

    def _chance(self, encoded: Encoded) -> NDArray[np.float64]:
        """How likely each token is to compete: less for frequent words."""
        counts = np.append(self.vocabulary_.counts, 1)[encoded.ids]
        frequency = counts / max(1, self.vocabulary_.counts.sum())
        return np.minimum(1, np.sqrt(self.frequent / frequency))

    # Vectors ------------------------------------------------------------------------------

    def _roots_of_traces(
        self, rows: NDArray[np.int32], table: NDArray[np.float32], offsets: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Square roots of the code traces of every token, shape=(2, T, S * (C + 1))."""
        if self.shuffle_traces:
            rows = np.random.default_rng([self.random_state, 2]).permutation(rows)
        x = contexts_of(rows, offsets, table, self._keep, self._alpha)
        return np.sqrt(x, out=x)

    @one_thread
    def _vectors(self, encoded: Encoded) -> NDArray[np.float32]:
        rows, table = self.types_.lookup(encoded, self.vocabulary_)
        columns = [self._own_length * np.sqrt(table)[rows]] if self.view != "traces" else []
        if self.view == "own":
            return columns[0]
        if not len(rows):  # nothing to see, at the usual width
            rows, offsets = np.zeros(1, dtype=np.int32), np.array([0, 1])
            blank = Encoded(rows, offsets, [])
            return self._vectors(blank)[:0]
        seen: list[list[NDArray[np.float32]]] = []
        for start, stop, first, last in stretches(encoded.offsets):
            part = encoded.offsets[start : stop + 1] - first
            x = self._roots_of_traces(rows[first:last], table, part)
            seen.append([])
            for side in range(2):
                z = x[side] @ self._weights[side] + self._bias[side]
                kept = self._attended[0][side]
                seen[-1].append(self._lengths[0, side] * unit_rows(z[:, kept]))
            for side, length in enumerate(self._lengths[1]):
                if length:
                    z = self._principal[side].project(x[side])
                    kept = self._attended[1][side]
                    seen[-1].append(length * unit_rows(z[:, kept]))
        columns += [np.vstack(parts) for parts in zip(*seen, strict=True)]
        return np.hstack(columns)

    def transform(self, sentences: Sentences) -> NDArray[np.float32]:
        """Vectors of all tokens, shape=(T, D): own code, left and right context."""
        self._check_fitted()
        return self._vectors(self.vocabulary_.encode(sentences))

    def predict(self, sentences: Sentences) -> NDArray[np.int32]:
        """Cluster of every token, shape=(T,); nothing is learned."""
        vectors = self.transform(sentences)
        return self.prototypes_.winners(vectors)

    def word_codes(self, words: Sequence[str]) -> NDArray[np.float32]:
        """Codes of words out of context, shape=(n, C)."""
        self._check_fitted()
        encoded = self.vocabulary_.encode([[word] for word in words])
        rows, table = self.types_.lookup(encoded, self.vocabulary_)
        # Out of context a word that was seen, however rare, is what its type is.
        return table[np.where(encoded.ids < 0, rows, encoded.ids)]

    # Checks -------------------------------------------------------------------------------

    def _check_fitted(self) -> None:
        if not hasattr(self, "prototypes_"):
            raise NotFittedError(f"this {type(self).__name__} has not been fitted yet")
        check_unchanged(self)

    def _check_tokens(self, n_tokens: int) -> None:
        if n_tokens < self.n_clusters:
            raise BadInputError(
                f"{self.n_clusters} clusters for {n_tokens} tokens: "
                "give more text or fewer clusters"
            )

    def _check(self) -> None:
        check_timescales(self.timescales)
        if self.view not in ("both", "own", "traces"):
            raise BadInputError(f"view {self.view!r} is unknown: choose both, own or traces")
        if self.prototypes not in ("learned", "random"):
            raise BadInputError(
                f"prototypes {self.prototypes!r} is unknown: choose learned or random"
            )
        if self.rare_from not in ("type", "occurrence"):
            raise BadInputError(
                f"rare_from {self.rare_from!r} is unknown: choose type or occurrence"
            )
        if self.rare_by not in ("signature", "code"):
            raise BadInputError(f"rare_by {self.rare_by!r} is unknown: choose signature or code")
        for name, least in WHOLE.items():
            value = getattr(self, name)
            if not is_whole(value, least):
                raise BadInputError(f"{name} is {value!r}: give a whole number from {least} on")
        sizes = {name: getattr(self, name) for name in REAL}
        sizes |= dict(
            zip(("left trace_weights", "right trace_weights"), self.trace_weights, strict=True)
        )
        for name, value in sizes.items():
            if not isinstance(value, numbers.Real) or not 0 <= float(value) < float("inf"):
                raise BadInputError(f"{name} is {value!r}: give a number from 0 on")
        if not 0 < self.context_share <= 1:
            raise BadInputError(f"context_share is {self.context_share!r}: give a share up to 1")
        if not self.weight_spread < 1:
            raise BadInputError(f"weight_spread is {self.weight_spread!r}: give a number below 1")
        if self.frequent == 0:
            raise BadInputError("frequent is 0: no token would compete; give a share above 0")


def is_whole(value: Any, least: int) -> bool:
    """Whether a parameter is a whole number from `least` on that 64 bits hold."""
    return isinstance(value, numbers.Integral) and least <= int(value) < 2**63


#: Parameters that are whole numbers, with the least, and those that are sizes.
WHOLE = {
    "n_clusters": 1,
    "n_categories": 1,
    "n_components": 1,
    "n_context_words": 1,
    "rounds": 1,
    "min_count": 1,
    "n_directions": 1,
    "epochs": 1,
    "max_types": 1,
    "random_state": 0,
}
REAL = (
    "sharpness",
    "rare",
    "ending_weight",
    "context_weight",
    "context_share",
    "weight_spread",
    "conscience",
    "frequent",
)
