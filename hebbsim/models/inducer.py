"""A learner that sorts tokens into roles without having seen a label."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClusterMixin, TransformerMixin
from sklearn.exceptions import NotFittedError

from hebbsim.engine.prediction import learn_prediction
from hebbsim.engine.timescales import check_timescales
from hebbsim.errors import BadInputError
from hebbsim.models.components import Components
from hebbsim.models.prototypes import Prototypes, unit_rows
from hebbsim.models.types import TypeCodes, contexts_of, stretches
from hebbsim.models.vocabulary import Encoded, Vocabulary

__all__ = ["HebbianRoleInducer"]

Sentences = Iterable[Sequence[str]]


class HebbianRoleInducer(ClusterMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Sort tokens into K clusters by what they are and by the traces around them.

    Word types first get codes (`hebbsim.models.types.TypeCodes`). A token's vector is its
    own code beside its left and its right context: traces of the codes around it, through a
    *predictive projection*, the directions along which that side foretells the own code,
    learned by the delta rule. Tokens then compete for K prototypes. Every step is local,
    takes one token at a time, and receives tokens and sentence boundaries only.

    Parameters
    ----------
    timescales : iterable of float, or str, default=(2, 8, 32)
        Of the traces, in tokens.
    n_clusters : int, default=300
        K.
    view : {"both", "own", "traces"}, default="both"
        What a token's vector holds: own code and contexts, or one of them (ablations).
    shuffle_traces : bool, default=False
        Control: traces are taken from a random order of all tokens, so that the contexts
        keep their distribution and lose their meaning.
    n_categories : int, default=150
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
        A word that occurred n times keeps n/(n + rare) of its own signature.
    min_count : int, default=3
        Rarer types take no part in the competition of types.
    n_directions : int, default=30
        Directions of the predictive projection of each side.
    context_weight : float, default=0.7
        Length of each side of the context; the own code has length one.
    context_share : float, default=1
        Share of the directions that this learner attends to, drawn at random. Below one it
        makes the members of a population differ.
    conscience : float, default=3
        See `hebbsim.engine.competition.compete`.
    frequent : float, default=0.001
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

    def __init__(
        self,
        timescales: str | Iterable[float] = (2, 8, 32),
        n_clusters: int = 300,
        *,
        view: Literal["both", "own", "traces"] = "both",
        shuffle_traces: bool = False,
        n_categories: int = 150,
        n_components: int = 50,
        n_context_words: int = 500,
        sharpness: float = 12.0,
        rounds: int = 2,
        rare: float = 5.0,
        min_count: int = 3,
        n_directions: int = 30,
        context_weight: float = 0.7,
        context_share: float = 1.0,
        conscience: float = 3.0,
        frequent: float = 1e-3,
        epochs: int = 3,
        max_types: int = 30_000,
        random_state: int = 0,
    ) -> None:
        self.timescales = timescales
        self.n_clusters = n_clusters
        self.view = view
        self.shuffle_traces = shuffle_traces
        self.n_categories = n_categories
        self.n_components = n_components
        self.n_context_words = n_context_words
        self.sharpness = sharpness
        self.rounds = rounds
        self.rare = rare
        self.min_count = min_count
        self.n_directions = n_directions
        self.context_weight = context_weight
        self.context_share = context_share
        self.conscience = conscience
        self.frequent = frequent
        self.epochs = epochs
        self.max_types = max_types
        self.random_state = random_state

    # Learning -----------------------------------------------------------------------------

    def fit(self, sentences: Sentences, *, text: Sentences | None = None) -> HebbianRoleInducer:
        """Learn afresh, each step to its end before the next.

        Parameters
        ----------
        sentences : iterable of sequences of str
            Sentences like those that are to be sorted.
        text : iterable of sequences of str, optional
            More text, read once as a stream, kept as numbers (four bytes a token), for the
            codes of word types alone.

        Raises
        ------
        BadInputError
            A parameter is out of range, or there are fewer tokens than clusters.
        """
        self._check()
        vocabulary = Vocabulary(max_types=2**31 - 1)
        parts = [vocabulary.take_in(sentences)]
        if len(parts[0].ids) < self.n_clusters:
            raise BadInputError(
                f"{self.n_clusters} clusters for {len(parts[0].ids)} tokens: "
                "give more text or fewer clusters"
            )
        if text is not None:
            parts.append(vocabulary.take_in(text))
        renumbered = vocabulary.sort(self.max_types)
        words = None
        for part in parts:
            part.ids = renumbered[part.ids]
        self.vocabulary_ = vocabulary
        if (parts[0].ids < 0).any():
            words = [word for sentence in sentences for word in sentence]
            parts[0].unknown = [words[at] for at in np.flatnonzero(parts[0].ids < 0)]
        rng = np.random.default_rng([self.random_state, 0])
        self.types_ = TypeCodes(
            check_timescales(self.timescales),
            n_context_words=self.n_context_words,
            n_categories=min(self.n_categories, len(vocabulary)),
            n_components=self.n_components,
            sharpness=self.sharpness,
            rounds=self.rounds,
            rare=self.rare,
            min_count=self.min_count,
            rng=rng,
        ).learn(vocabulary, parts)
        self._fit_tokens(parts[0])
        return self

    def derive(self, sentences: Sentences, **changes: Any) -> HebbianRoleInducer:
        """A learner that shares this one's type codes and learns the token stage afresh.

        Parameters
        ----------
        sentences : iterable of sequences of str
            What this learner was fitted on.
        **changes
            Parameters of the token stage: ``view``, ``shuffle_traces``, ``timescales``,
            ``n_clusters``, ``n_directions``, ``context_weight``, ``context_share``,
            ``conscience``, ``frequent``, ``epochs``, ``random_state``.
        """
        self._check_fitted()
        other = HebbianRoleInducer(**{**self.get_params(), **changes})
        other._check()
        other.vocabulary_ = self.vocabulary_
        other.types_ = self.types_
        other._fit_tokens(self.vocabulary_.encode(sentences))
        return other

    def _fit_tokens(self, encoded: Encoded) -> None:
        self._rng = np.random.default_rng([self.random_state, 1])
        tau = check_timescales(self.timescales)
        self._alpha = (1 / tau).astype(np.float32)
        self._keep = (1 - 1 / tau).astype(np.float32)
        rows, table = self.types_.lookup(encoded)
        roots = np.sqrt(table)
        rows = self._context_rows(rows)
        visits = min(len(rows), 50_000)
        self._own = Components(self.n_directions, table.shape[1])
        self._own.learn(roots, self._rng.permutation(rows)[:visits].astype(np.int64))
        if self.view != "own":
            self._fit_projection(encoded, rows, roots)
            kept = self._rng.random((2, len(self._own.components))) < self.context_share
            kept[:, 0] |= ~kept.any(axis=1)
            self._attended = kept
        self.n_tokens_seen_ = len(rows)
        x = self._vectors(encoded)
        self.prototypes_ = Prototypes(x, self.n_clusters, rng=self._rng, conscience=self.conscience)
        counts = np.append(self.vocabulary_.counts, 1)[encoded.ids]
        frequency = counts / max(1, self.vocabulary_.counts.sum())
        chance = np.minimum(1, np.sqrt(self.frequent / frequency))
        for epoch in range(self.epochs):
            order = self._rng.permutation(np.flatnonzero(self._rng.random(len(x)) < chance))
            last = epoch == self.epochs - 1
            self.prototypes_.learn(x, order, fair=not last or epoch == 0)
            if not last:
                self.prototypes_.forget(0.3)

    def _fit_projection(
        self, encoded: Encoded, rows: NDArray[np.int32], roots: NDArray[np.float32]
    ) -> None:
        """Learn, for each side, to foretell the own code's components from its traces."""
        own, table = self._own.project(roots), roots**2
        width = len(self._alpha) * (table.shape[1] + 1)
        n_out = own.shape[1]
        self._weights = np.zeros((2, width, n_out), dtype=np.float32)
        self._bias = np.zeros((2, n_out), dtype=np.float32)
        power = None
        none = np.zeros((0, 1), dtype=np.int32)
        blocks = stretches(encoded.offsets)
        steps = len(blocks) * self.epochs
        step = 0
        for _ in range(self.epochs):
            for b in self._rng.permutation(len(blocks)):
                start, stop, first, last = blocks[b]
                x = self._roots_of_traces(rows, table, encoded.offsets, start, stop)
                if power is None:
                    power = np.maximum((x**2).mean(axis=1), np.float32(1e-4))
                eta = np.float32(0.5 * (1 - step / steps) + 0.01)
                step += 1
                order = self._rng.permutation(last - first)
                n_active = np.zeros(last - first, dtype=np.int32)
                active = np.zeros((last - first, 1), dtype=np.int32)
                for side in range(2):
                    learn_prediction(
                        x[side],
                        own[rows[first:last]],
                        order,
                        np.full(len(order), eta, dtype=np.float32),
                        power[side],
                        self._weights[side],
                        self._bias[side],
                        active,
                        n_active,
                        none.astype(np.float32),
                        np.empty(n_out, dtype=np.float32),
                    )

    # Vectors ------------------------------------------------------------------------------

    def _context_rows(self, rows: NDArray[np.int32]) -> NDArray[np.int32]:
        if not self.shuffle_traces:
            return rows
        return np.random.default_rng([self.random_state, 2]).permutation(rows)

    def _roots_of_traces(
        self,
        rows: NDArray[np.int32],
        table: NDArray[np.float32],
        offsets: NDArray[np.int64],
        start: int,
        stop: int,
    ) -> NDArray[np.float32]:
        """Square roots of the code traces of sentences start to stop, shape=(2, T, width)."""
        first, last = offsets[start], offsets[stop]
        part = offsets[start : stop + 1] - first
        x = contexts_of(rows[first:last], part, table, self._keep, self._alpha)
        return np.sqrt(x, out=x)

    def _vectors(self, encoded: Encoded) -> NDArray[np.float32]:
        rows, table = self.types_.lookup(encoded)
        n_own = table.shape[1] if self.view != "traces" else 0
        sides = [] if self.view == "own" else [np.flatnonzero(kept) for kept in self._attended]
        out = np.empty((len(rows), n_own + sum(map(len, sides))), dtype=np.float32)
        if n_own:
            out[:, :n_own] = np.sqrt(table)[rows]
        if sides:
            around = self._context_rows(rows)
            for start, stop, first, last in stretches(encoded.offsets):
                x = self._roots_of_traces(around, table, encoded.offsets, start, stop)
                at = n_own
                for side, kept in enumerate(sides):
                    z = x[side] @ self._weights[side] + self._bias[side]
                    part = np.float32(self.context_weight) * unit_rows(z[:, kept])
                    out[first:last, at : at + len(kept)] = part
                    at += len(kept)
        return out

    def transform(self, sentences: Sentences) -> NDArray[np.float32]:
        """Vectors of all tokens, shape=(T, D): own code, left and right context."""
        self._check_fitted()
        return self._vectors(self.vocabulary_.encode(sentences))

    def predict(self, sentences: Sentences) -> NDArray[np.int32]:
        """Cluster of every token, shape=(T,); nothing is learned."""
        return self.prototypes_.winners(self.transform(sentences))

    def word_codes(self, words: Sequence[str]) -> NDArray[np.float32]:
        """Codes of words out of context, shape=(n, C)."""
        self._check_fitted()
        encoded = self.vocabulary_.encode([[word] for word in words])
        rows, table = self.types_.lookup(encoded)
        return table[rows]

    # Checks -------------------------------------------------------------------------------

    def _check_fitted(self) -> None:
        if not hasattr(self, "types_"):
            raise NotFittedError(f"this {type(self).__name__} has not been fitted yet")

    def _check(self) -> None:
        check_timescales(self.timescales)
        if self.view not in ("both", "own", "traces"):
            raise BadInputError(f"view {self.view!r} is unknown: choose both, own or traces")
        least = {
            "n_clusters": 1,
            "n_categories": 1,
            "n_components": 1,
            "n_context_words": 1,
            "rounds": 0,
            "rare": 0,
            "min_count": 1,
            "n_directions": 1,
            "epochs": 1,
            "max_types": 1,
        }
        for name, bound in least.items():
            if not getattr(self, name) >= bound:
                raise BadInputError(f"{name} is {getattr(self, name)}: give at least {bound}")
        if not 0 < self.context_share <= 1:
            raise BadInputError(f"context_share is {self.context_share}: give a share up to 1")
