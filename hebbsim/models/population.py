"""An ensemble of networks whose clusters vote."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray

from hebbsim.engine.checkpoint import below, side_by_side
from hebbsim.engine.network.description import build
from hebbsim.engine.values import whole_number
from hebbsim.errors import BadInputError
from hebbsim.models.estimator import (
    Sentences,
    ZeroLabelEstimator,
    as_lists,
    not_fitted,
    refuse_labels,
)
from hebbsim.models.role_network import RoleNetwork

if TYPE_CHECKING:
    from hebbsim.readers.vectors import WordVectors

Result = TypeVar("Result")


class RolePopulation(ZeroLabelEstimator):
    """An ensemble of P networks that learn from the same sentences with different random draws.

    The members differ in all random draws, including which coordinates of the context they use
    and the weight of a word's code relative to its contexts.

    Parameters
    ----------
    n_members : int, default=8
        Number of members P.
    attention, weight_jitter : float
        See `hebbsim.engine.network.TokenLayer`. A description with values other than 1 and 0
        keeps its own.
    network, timescales, n_clusters, passes, settings, rule, vectors, vectors_learn, random_state
        As in `RoleNetwork`; `n_clusters` is the number of clusters of each member.
    n_jobs : int, optional
        Number of members that learn or predict in parallel, in threads (-1: one per core).
        Results do not depend on it.

    Attributes
    ----------
    members_ : list of RoleNetwork
        The fitted members.

    Examples
    --------
    >>> sentences = [["the", "dog", "saw", "a", "cat"], ["a", "cat", "saw", "the", "dog"]] * 20
    >>> learners = RolePopulation(2, n_clusters=5).fit(sentences)
    >>> learners.predict([["the", "cat", "saw", "a", "dog"]]).shape  # a cluster of each member
    (5, 2)
    """

    KIND = "hebbsim.role-population/3"
    members_: list[RoleNetwork]

    def __init__(
        self,
        n_members: int = 8,
        network: str | os.PathLike[str] | Mapping[str, Any] | None = None,
        *,
        timescales: str | Iterable[float] | None = None,
        n_clusters: int | None = None,
        passes: int = 3,
        settings: Sequence[str] = (),
        rule: Sequence[str] = (),
        vectors: str | os.PathLike[str] | WordVectors | None = None,
        vectors_learn: bool = False,
        attention: float = 0.5,
        weight_jitter: float = 0.6,
        random_state: int = 0,
        n_jobs: int | None = None,
    ) -> None:
        self.n_members = n_members
        self.network = network
        self.timescales = timescales
        self.n_clusters = n_clusters
        self.passes = passes
        self.settings = settings
        self.rule = rule
        self.vectors = vectors
        self.vectors_learn = vectors_learn
        self.attention = attention
        self.weight_jitter = weight_jitter
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(
        self,
        sentences: Sentences,
        y: None = None,
        *,
        text: Callable[[], Sentences] | Sentences | None = None,
        after_text: str | os.PathLike[str] | None = None,
        progress: Callable[[float], object] | None = None,
    ) -> RolePopulation:
        """Fit every member from scratch; see `RoleNetwork.fit` for the parameters.

        Every member reads `text`; a callable is called once per member and returns a stream.
        `after_text` is a folder, for the state of each member after the text.
        """
        refuse_labels(y)
        sentences = as_lists(sentences)
        if text is not None and not callable(text):
            listed = as_lists(text)
            text = lambda: listed  # noqa: E731
        members = self.draw_members()
        folder = None if after_text is None else Path(after_text)
        shares = [0.0] * len(members)

        def learn(number: int) -> RoleNetwork:
            def report(share: float) -> None:
                shares[number] = share
                if progress is not None:
                    progress(sum(shares) / len(shares))

            return members[number].fit(
                sentences,
                text=None if text is None else text(),
                after_text=None if folder is None else folder / f"member={number}",
                progress=report,
            )

        self.members_ = self._each(learn, range(len(members)))
        return self

    def draw_members(self) -> list[RoleNetwork]:
        """Unfitted members with their own seeds; BadInputError if a parameter is unusable."""
        whole_number("n_members", self.n_members, 1)
        if self.n_jobs is not None and whole_number("n_jobs", self.n_jobs, -(2**31)) == 0:
            raise BadInputError("n_jobs is 0: give a whole number, or None")
        seed = whole_number("random_state", self.random_state, 0)
        common = {name: getattr(self, name) for name in _COMMON}
        said = RoleNetwork(**common).description()
        top = said["tokens"] = dict(said["tokens"])
        for name, single in (("attention", 1), ("weight_jitter", 0)):
            if top.get(name, single) == single:
                top[name] = getattr(self, name)
        seeds = np.random.SeedSequence([seed, 3]).generate_state(self.n_members)
        shared = {name: getattr(self, name) for name in ("passes", "vectors", "vectors_learn")}
        return [RoleNetwork(said, **shared, random_state=int(each)) for each in seeds]

    def predict(self, sentences: Sentences) -> NDArray[np.int32]:
        """Cluster of every token in every member, int32, shape=(T, P)."""
        sentences = as_lists(sentences)
        found = self._each(lambda member: member.predict(sentences), self._fitted())
        return np.stack(found, axis=1)

    def transform(self, sentences: Sentences) -> NDArray[np.float32]:
        """Vectors of all tokens, shape=(T, D), those of the members concatenated."""
        sentences = as_lists(sentences)
        return np.hstack(self._each(lambda member: member.transform(sentences), self._fitted()))

    def derive(self, sentences: Sentences, **changes: Any) -> RoleNetwork:
        """`RoleNetwork.derive` from the first member, but using all coordinates."""
        return self._fitted()[0].derive(sentences, **changes)

    def word_codes(self, words: Sequence[str]) -> NDArray[np.float32]:
        """Context-free codes of words in the first member, shape=(n, C)."""
        return self._fitted()[0].word_codes(words)

    def _each(self, do: Callable[[Any], Result], parts: Iterable[Any]) -> list[Result]:
        """Map `do` over `parts` in threads, `n_jobs` at a time."""
        return list(Parallel(self.n_jobs, prefer="threads")(delayed(do)(part) for part in parts))

    def _fitted(self) -> list[RoleNetwork]:
        if not hasattr(self, "members_"):
            raise not_fitted(f"this {type(self).__name__} has not been fitted yet")
        return self.members_

    # State --------------------------------------------------------------------------------

    def state(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """All learned state: arrays by name, and a JSON-compatible document."""
        states = [member.state() for member in self._fitted()]
        arrays = side_by_side(found for found, _ in states)
        about = {"random_state": int(self.random_state), "attention": float(self.attention)}
        about |= {"weight_jitter": float(self.weight_jitter)}
        return arrays, {"members": [said for _, said in states], **about}

    @classmethod
    def from_state(
        cls, arrays: Mapping[str, NDArray[Any]], config: Mapping[str, Any], path: Any
    ) -> RolePopulation:
        """The learner whose `state` this is; BadInputError, which names `path`, if it misfits."""
        said = config.get("members")
        if not isinstance(said, list) or not said or not all(isinstance(x, dict) for x in said):
            raise BadInputError(f"checkpoint {path} is damaged: it has no members")
        about = {name: config.get(name) for name in _ABOUT}
        learner = cls(len(said), said[0].get("network"), **about)  # type: ignore[arg-type]
        try:
            checked = learner.draw_members()[0].description()
            top = {name: about[name] for name in ("attention", "weight_jitter")}
            build({**checked, "tokens": {**checked["tokens"], **top}})
        except BadInputError as error:
            raise BadInputError(f"checkpoint {path} is damaged: {error}") from None
        learner.members_ = []
        for number, member in enumerate(said):
            found = below(arrays, f"{number}/")
            learner.members_.append(RoleNetwork.from_state(found, member, path))
        learner.passes = learner.members_[0].passes
        return learner


#: Parameters that members share, and those that a file holds in addition to its members.
_COMMON = ("network", "timescales", "n_clusters", "passes", "settings", "rule")
_ABOUT = ("random_state", "attention", "weight_jitter")
