"""The network that learns roles, as an estimator of sentences."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from hebbsim.engine.checkpoint import MISFITS, read_checkpoint
from hebbsim.engine.competition import nearest
from hebbsim.engine.network import Network
from hebbsim.engine.network.description import ROLES, build, change, read_network, written
from hebbsim.engine.timescales import check_timescales
from hebbsim.engine.values import whole_number
from hebbsim.errors import BadInputError, reason
from hebbsim.models.estimator import (
    Sentences,
    ZeroLabelEstimator,
    as_lists,
    not_fitted,
    refuse_labels,
)

if TYPE_CHECKING:
    from hebbsim.readers.vectors import WordVectors

#: The token layer begins after this share of the first pass at the latest.
LATEST_START = 0.75

#: Approximate number of tokens of `text` between two saves of the state.
SAVED_EVERY = 1_000_000


class RoleNetwork(ZeroLabelEstimator):
    """Cluster tokens into K clusters with a network of trace layers that learns online.

    The network learns from each sentence after reading it, see `hebbsim.engine.network`. `fit`
    makes several passes over the sentences, in random orders; `partial_fit` reads them once, in
    the given order; `predict` and `transform` learn nothing. The network never sees a label.

    Parameters
    ----------
    network : path or mapping, optional
        Description of the network: a TOML file or its content (default:
        ``hebbsim/engine/network/roles.toml``).
    timescales : iterable of float, or str, optional
        Timescales of the traces in tokens (default: those of the description).
    n_clusters : int, optional
        K, the size of the token layer (default: that of the description).
    passes : int, default=3
        Number of passes that `fit` makes over the sentences.
    settings, rule : sequence of str
        Changes to the description, such as ``words.size=50`` and ``tokens.prediction=delta``; see
        `hebbsim.engine.network.description.change`.
    vectors : path or WordVectors, optional
        Pretrained word vectors, see `hebbsim.readers.vectors.read_vectors`. A word with a vector
        gets its code in the first word layer from it; other words learn theirs from their
        contexts. `save` writes the vectors, too; a tagger does not need them.
    vectors_learn : bool
        Whether the codes of words with a vector start from it and then learn as well.
    random_state : int, default=0
        Random seed.

    Attributes
    ----------
    network_ : Network
        The network that has learned.

    Examples
    --------
    >>> sentences = [["the", "dog", "saw", "a", "cat"], ["a", "cat", "saw", "the", "dog"]] * 20
    >>> learner = RoleNetwork(n_clusters=5).fit(sentences)
    >>> learner.predict([["the", "cat", "saw", "a", "dog"]]).shape
    (5,)
    """

    KIND = "hebbsim.role-network/4"
    network_: Network

    def __init__(
        self,
        network: str | os.PathLike[str] | Mapping[str, Any] | None = None,
        *,
        timescales: str | Iterable[float] | None = None,
        n_clusters: int | None = None,
        passes: int = 3,
        settings: Sequence[str] = (),
        rule: Sequence[str] = (),
        vectors: str | os.PathLike[str] | WordVectors | None = None,
        vectors_learn: bool = False,
        random_state: int = 0,
    ) -> None:
        self.network = network
        self.timescales = timescales
        self.n_clusters = n_clusters
        self.passes = passes
        self.settings = settings
        self.rule = rule
        self.vectors = vectors
        self.vectors_learn = vectors_learn
        self.random_state = random_state

    def description(self) -> dict[str, Any]:
        """The description of `network`, updated with the other parameters."""
        given = ROLES if self.network is None else self.network
        said = dict(given) if isinstance(given, Mapping) else read_network(Path(given))
        said = change(said, self.settings, self.rule)
        if self.timescales is not None:
            said["timescales"] = check_timescales(self.timescales).tolist()
        if self.n_clusters is not None:
            size = whole_number("n_clusters", self.n_clusters, 1)
            said["tokens"] = {**said.get("tokens", {}), "size": size}
        return said

    # Learning -----------------------------------------------------------------------------

    def fit(
        self,
        sentences: Sentences,
        y: None = None,
        *,
        text: Sentences | None = None,
        after_text: str | os.PathLike[str] | None = None,
        progress: Callable[[float], object] | None = None,
        observe: Callable[[int], object] | None = None,
        observed_at: Sequence[int] = (),
    ) -> RoleNetwork:
        """Learn the sentences from scratch in `passes` passes.

        If there are too few sentences for the schedule of the description, all layers begin
        proportionally earlier.

        Parameters
        ----------
        sentences : iterable of sequences of str
        y : None
            For compatibility with scikit-learn; labels are refused.
        text : iterable of sequences of str, optional
            More text, which only the word layers read, first and once, as a stream.
        after_text : path, optional
            File for the state after `text`. If it exists, learning continues from it and `text`
            is not read again. While `text` is read, the state is saved every million tokens
            under the same name with ``.part``.
        progress : callable, optional
            Called about a hundred times with the fraction of the work done.
        observe : callable, optional
            Called with each number in `observed_at`, at the end of the sentence that reaches
            this number of tokens, if the network has clusters by then.
        observed_at : sequence of int
            Numbers of tokens read, over all passes, without `text`.

        Raises
        ------
        BadInputError
            Labels are given, the description is unusable, there are fewer tokens than
            clusters, or `after_text` is damaged or belongs to another network.
        """
        refuse_labels(y)
        sentences = as_lists(sentences)
        self.network_ = self._with_vectors(self._built(sum(map(len, sentences))))
        if text is not None:
            self._read_text(text, after_text)
        self._pass_over(sentences, progress, observe, observed_at)
        return self

    def _read_text(self, text: Sentences, after_text: str | os.PathLike[str] | None) -> None:
        if after_text is None:
            self.network_.learn(text, words_only=True)
            return
        whole, part = Path(after_text), Path(f"{os.fspath(after_text)}.part")
        for path in (whole, part):
            if path.is_file():
                self.restore(*read_checkpoint(path, self.KIND), path)
                break
        if whole.is_file():
            return
        whole.parent.mkdir(parents=True, exist_ok=True)
        # Results do not depend on how a stream is cut into calls.
        for some in _some_at_a_time(text, self.network_.tokens, SAVED_EVERY):
            self.network_.learn(some, words_only=True)
            self.save(part)
        self.save(whole)
        part.unlink(missing_ok=True)

    def clusters_begin(self, n_tokens: int, *, after: bool = False) -> int:
        """Approximate number of tokens that `fit` reads before the network has clusters.

        `n_tokens` is the number of tokens of the sentences; `after` says whether `text` is read
        first, by the end of which all layers have begun. Raises BadInputError as `fit`.
        """
        top = self._built(n_tokens).top
        return top.settle if after else top.start + top.settle

    def _built(self, n_tokens: int) -> Network:
        said = self.description()
        network = build(said, random_state=self.random_state)
        whole_number("passes", self.passes, 1)
        if n_tokens < network.top.size:
            raise BadInputError(
                f"{network.top.size} clusters for {n_tokens} tokens: "
                "give more text or fewer clusters"
            )
        share = min(1.0, LATEST_START * n_tokens / max(network.top.start, 1))
        for layer in network.layers:
            layer.start, layer.settle = int(share * layer.start), int(share * layer.settle)
        return network

    def _with_vectors(self, network: Network) -> Network:
        if self.vectors is not None:
            from hebbsim.readers.vectors import WordVectors, read_vectors

            given = self.vectors
            found = given if isinstance(given, WordVectors) else read_vectors(given)
            rng = np.random.default_rng([self.random_state, 6])
            network.take_vectors(found.index, found.points, rng, learns_on=self.vectors_learn)
        return network

    def _pass_over(
        self,
        sentences: list[Sequence[str]],
        progress: Callable[[float], object] | None = None,
        observe: Callable[[int], object] | None = None,
        observed_at: Sequence[int] = (),
    ) -> None:
        network, waiting = self.network_, sorted(observed_at)
        sentences = [sentence for sentence in sentences if len(sentence)]
        read = reported = 0
        whole = self.passes * max(1, sum(map(len, sentences)))
        for number in range(self.passes):
            rng = np.random.default_rng([self.random_state, 2, number])
            for at in rng.permutation(len(sentences)).tolist():
                network.learn(sentences[at : at + 1], again=number > 0)
                read += len(sentences[at])
                if progress is not None and read - reported >= whole / 100:
                    progress(read / whole)
                    reported = read
                while waiting and read >= waiting[0]:
                    point = waiting.pop(0)
                    if observe is not None and network.settled:
                        observe(point)
        network.finish()
        if not network.settled:  # all words are frequent: see `TokenLayer.subsample`
            raise BadInputError(
                f"no token of {read // self.passes} was drawn for the clusters: give more text"
            )
        if progress is not None and reported < read:
            progress(1.0)

    def partial_fit(self, sentences: Sentences, y: None = None) -> RoleNetwork:
        """Continue learning from sentences, read once and in order.

        The result does not depend on how a stream of sentences is cut into calls.
        """
        refuse_labels(y)
        if not hasattr(self, "network_"):
            network = build(self.description(), random_state=self.random_state)
            self.network_ = self._with_vectors(network)
        self.network_.learn(sentences)
        return self

    def derive(
        self,
        sentences: Sentences,
        *,
        timescales: str | Iterable[float] | None = None,
        view: Literal["both", "own", "traces"] = "both",
        shuffle_traces: bool = False,
        prototypes: Literal["learned", "random"] = "learned",
    ) -> RoleNetwork:
        """Copy the learner with its word layers, and train a new token layer.

        Parameters
        ----------
        sentences : iterable of sequences of str
            The sentences that this learner was fitted on.
        timescales : iterable of float, or str, optional
            Timescales of the token layer, in tokens.
        view : {"both", "own", "traces"}
            Content of a token's vector: its word's code, its contexts, or both.
        shuffle_traces : bool
            Control: use the traces of randomly drawn tokens.
        prototypes : {"learned", "random"}
            Control: with "random", prototypes are the vectors of randomly drawn tokens. If
            nothing else changes, the rest of the token layer is copied.
        """
        network = self._fitted()
        said = written(network)
        top = {**said["tokens"], "start": 0, "shuffled": shuffle_traces}
        top |= {"attention": 1.0, "weight_jitter": 0.0}  # a member of a population has others
        if timescales is not None:
            top["timescales"] = check_timescales(timescales).tolist()
        if view != "both":
            own, *around = top["lengths"]
            top["lengths"] = [own, 0, 0, 0, 0] if view == "own" else [0, *around]
        other = RoleNetwork(**self.get_params())
        layer = build({**said, "tokens": top}).top
        other.network_ = network.over(layer, random_state=self.random_state)
        sentences = as_lists(sentences)
        changed = top | {"start": said["tokens"]["start"]} != said["tokens"]
        if prototypes == "random" and not changed:
            layer.take(network.top)
        else:
            other._pass_over(sentences)
        if prototypes == "random":
            rng = np.random.default_rng([self.random_state, 3])
            some = [sentences[i] for i in rng.permutation(len(sentences))[: 10 * layer.size]]
            vectors = other.network_.vectors(some)
            chosen = rng.choice(len(vectors), layer.size, replace=len(vectors) < layer.size)
            layer.prototype_weights.values[:] = vectors[chosen]
        return other

    # Reading ------------------------------------------------------------------------------

    def transform(self, sentences: Sentences) -> NDArray[np.float32]:
        """Vectors of all tokens, float32, shape=(T, D); see `hebbsim.engine.network.TokenLayer`."""
        return self._fitted().vectors(sentences)

    def predict(self, sentences: Sentences) -> NDArray[np.int32]:
        """Clusters of all tokens, int32, shape=(T,)."""
        return self.prototypes_.winners(self.transform(sentences))

    @property
    def prototypes_(self) -> Any:
        """The prototypes: ``centres``, shape=(K, D), and ``winners(vectors)``."""
        centres = self._fitted().top.prototype_weights.values
        squares = np.einsum("kd,kd->k", centres, centres)

        def winners(vectors: NDArray[np.float32]) -> NDArray[np.int32]:
            found = np.empty(len(vectors), dtype=np.int32)
            nearest(np.ascontiguousarray(vectors), centres, squares, found)
            return found

        return SimpleNamespace(centres=centres, winners=winners)

    def word_codes(self, words: Sequence[str]) -> NDArray[np.float32]:
        """Context-free codes of words, float32, shape=(n, C)."""
        return self._fitted().word_codes(words)

    def _fitted(self) -> Network:
        network: Network | None = vars(self).get("network_")
        if network is None:
            raise not_fitted("this RoleNetwork has not been fitted yet")
        if not network.settled:
            raise not_fitted(
                f"this RoleNetwork has read {network.tokens} tokens; its clusters begin after "
                f"{network.top.start + network.top.settle}, or at the end of fit"
            )
        return network

    # State --------------------------------------------------------------------------------

    def state(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """All learned state: arrays by name, and a JSON-compatible document."""
        network = vars(self).get("network_")
        if network is None:
            raise not_fitted("this RoleNetwork has not been fitted yet")
        arrays, document = network.state()
        about = {"passes": int(self.passes), "random_state": int(self.random_state)}
        return arrays, {"network": written(network), "learned": document, **about}

    @classmethod
    def from_state(
        cls, arrays: Mapping[str, NDArray[Any]], config: Mapping[str, Any], path: Any
    ) -> RoleNetwork:
        """The learner whose `state` this is; see `restore`."""
        learner = cls()
        learner.restore(arrays, config, path)
        return learner

    def restore(
        self, arrays: Mapping[str, NDArray[Any]], config: Mapping[str, Any], path: Any
    ) -> None:
        """Restore what `state` returned, of a learner of the same network.

        Raises
        ------
        BadInputError
            It does not fit; the message names `path`, the file that it is from.
        """
        try:
            passes = whole_number("passes", config["passes"], 1)
            seed = config["random_state"]
            known = RoleNetwork(config["network"], passes=passes, random_state=seed)
            network = build(known.description(), random_state=seed)
            network.restore(arrays, config["learned"])
        except MISFITS as error:  # BadInputError is a ValueError
            raise BadInputError(f"checkpoint {path} is damaged: {reason(error)}") from None
        if hasattr(self, "network_"):
            if written(self.network_) != written(network):
                raise BadInputError(f"checkpoint {path} is of another network")
        else:
            self.set_params(**known.get_params())
        self.network_ = network


def _some_at_a_time(sentences: Sentences, skipped: int, n_tokens: int) -> Iterator[list[Any]]:
    """Lists of sentences of at least `n_tokens` each but the last, after `skipped` tokens."""
    some: list[Any] = []
    n_read = held = 0
    for sentence in sentences:
        n_read += len(sentence)
        if n_read <= skipped:
            continue
        some.append(sentence)
        held += len(sentence)
        if held >= n_tokens:
            yield some
            some, held = [], 0
    if some:
        yield some
