"""Several learners whose clusters vote."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import NotFittedError
from sklearn.utils.parallel import Parallel, delayed
from threadpoolctl import threadpool_limits

from hebbsim.errors import BadInputError
from hebbsim.models.checkpoint import Saved, Stages, check_unchanged, parameters
from hebbsim.models.estimator import Sentences, ZeroLabelEstimator, as_lists, refuse_labels
from hebbsim.models.inducer import HebbianRoleInducer, is_whole

__all__ = ["RolePopulation"]

Result = TypeVar("Result")


class RolePopulation(Saved, ZeroLabelEstimator):
    """P learners of the same sentences, each with draws of its own.

    They differ in whatever chance decides in a learner, from the categories of words on, in
    the directions of the context that they attend to, and in the weight of own code and
    contexts. Only the vocabulary is common.

    Parameters
    ----------
    n_members : int, default=8
        P.
    timescales, n_clusters, random_state
        As of `HebbianRoleInducer`; K is that of each member.
    context_share : float, default=0.5
    weight_spread : float, default=0.6
        See `HebbianRoleInducer`.
    options : dict, optional
        Further parameters of the members.
    n_jobs : int, optional
        Members that learn and predict at a time, each in a thread (-1: as many as there are
        cores). No number depends on it.

    Attributes
    ----------
    members_ : list of HebbianRoleInducer

    Examples
    --------
    >>> sentences = [["the", "dog", "saw", "a", "cat"], ["a", "cat", "saw", "the", "dog"]] * 20
    >>> learners = RolePopulation(2, n_clusters=5, options={"n_categories": 4}).fit(sentences)
    >>> learners.predict([["the", "cat", "saw", "a", "dog"]]).shape  # a cluster of each member
    (5, 2)
    """

    members_: list[HebbianRoleInducer]

    def __init__(
        self,
        n_members: int = 8,
        *,
        timescales: str | Iterable[float] = (2, 8, 32),
        n_clusters: int = 300,
        context_share: float = 0.5,
        weight_spread: float = 0.6,
        random_state: int = 0,
        options: dict[str, Any] | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.n_members = n_members
        self.timescales = timescales
        self.n_clusters = n_clusters
        self.context_share = context_share
        self.weight_spread = weight_spread
        self.random_state = random_state
        self.options = options
        self.n_jobs = n_jobs

    def fit(
        self,
        sentences: Sentences,
        y: None = None,
        *,
        text: Sentences | None = None,
        checkpoints: str | os.PathLike[str] | None = None,
        progress: Callable[[float], object] | None = None,
    ) -> RolePopulation:
        """Let every member learn afresh; see `HebbianRoleInducer.fit`."""
        refuse_labels(y)
        members = self._draw_members()
        vocabulary, parts = members[0]._read(sentences, text)
        kept: list[Stages | None] = [None] * len(members)
        if checkpoints is not None:
            kept = [Stages(Path(checkpoints) / f"member={n}") for n in range(len(members))]
        shares = [0.0] * len(members)

        def learn(number: int) -> HebbianRoleInducer:
            def told(share: float) -> None:
                shares[number] = share
                if progress is not None:
                    progress(sum(shares) / len(shares))

            return members[number]._learn(vocabulary, parts, kept[number], told)

        self.members_ = self._each(learn, range(len(members)))
        return self

    def _check(self) -> None:
        for name, least in (("n_members", 1), ("random_state", 0)):
            if not is_whole(getattr(self, name), least):
                raise BadInputError(
                    f"{name} is {getattr(self, name)!r}: give a whole number from {least} on"
                )
        if self.n_jobs is not None and (not is_whole(self.n_jobs, -(2**31)) or not self.n_jobs):
            raise BadInputError(f"n_jobs is {self.n_jobs!r}: give a whole number, or None")
        self._member(0)._check()

    def _draw_members(self) -> list[HebbianRoleInducer]:
        """Members that have yet to learn, each with a seed of its own."""
        self._check()
        self._learned_with = parameters(self)
        seeds = np.random.SeedSequence([self.random_state, 3]).generate_state(self.n_members)
        return [self._member(int(seed)) for seed in seeds]

    def _member(self, seed: int) -> HebbianRoleInducer:
        return HebbianRoleInducer(
            timescales=self.timescales,
            n_clusters=self.n_clusters,
            context_share=self.context_share,
            weight_spread=self.weight_spread,
            random_state=seed,
            **(self.options or {}),
        )

    def predict(self, sentences: Sentences) -> NDArray[np.int32]:
        """Cluster of every token in every member, shape=(T, P)."""
        sentences = as_lists(sentences)
        found = self._each(lambda member: member.predict(sentences), self._fitted())
        return np.stack(found, axis=1)

    def transform(self, sentences: Sentences) -> NDArray[np.float32]:
        """Vectors of all tokens, shape=(T, D), members side by side."""
        sentences = as_lists(sentences)
        return np.hstack(self._each(lambda member: member.transform(sentences), self._fitted()))

    def derive(self, sentences: Sentences, **changes: Any) -> HebbianRoleInducer:
        """A single learner over the codes of the first member, which attends to everything.

        See `HebbianRoleInducer.derive`.
        """
        whole = {"context_share": 1.0, "weight_spread": 0.0}
        return self._fitted()[0].derive(sentences, **{**whole, **changes})

    def word_codes(self, words: Sequence[str]) -> NDArray[np.float32]:
        """Codes of words out of context in the first member, shape=(n, C)."""
        return self._fitted()[0].word_codes(words)

    def _each(self, do: Callable[[Any], Result], parts: Iterable[Any]) -> list[Result]:
        """What `do` returns for each part, in order; `n_jobs` at a time."""
        # Kernels leave the interpreter to the other threads. BLAS gets one thread each, as
        # it sums in another order with more.
        with threadpool_limits(1, user_api="blas"):
            done = Parallel(self.n_jobs, prefer="threads")(delayed(do)(part) for part in parts)
        return list(done)

    def _fitted(self) -> list[HebbianRoleInducer]:
        if not hasattr(self, "members_"):
            raise NotFittedError(f"this {type(self).__name__} has not been fitted yet")
        check_unchanged(self)
        return self.members_
