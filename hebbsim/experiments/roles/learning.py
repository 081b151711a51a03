"""Fits the learner without labels, names its clusters and scores them.

No threads, caching or tables here.
"""

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hebbsim.baselines.bigru import draw_labelled
from hebbsim.experiments.roles.config import RolesConfig
from hebbsim.experiments.roles.data import Gold
from hebbsim.experiments.roles.scores import Clustering, Measured, Roles, named_on_dev, nearest_only
from hebbsim.models import RoleNetwork
from hebbsim.probes import CLUSTERING, memberships
from hebbsim.readers.base import Corpus
from hebbsim.readers.text import stream_text
from hebbsim.readers.vectors import WordVectors
from hebbsim.runs.costs import Meter
from hebbsim.runs.results import Score


class Learning:
    """Fits the learner of a seed on words only.

    `text` holds files of unlabelled text by name. `network` is the description of the network,
    and `vectors` are the word vectors of the configuration; both are read once for all seeds.
    """

    def __init__(
        self,
        config: RolesConfig,
        corpus: Corpus,
        text: Mapping[str, Path],
        network: dict[str, Any],
        vectors: WordVectors | None = None,
    ) -> None:
        self.vectors = vectors
        self.config, self.corpus, self.text, self.network = config, corpus, text, network
        self.sentences = {name: split.sentences() for name, split in corpus.splits.items()}
        #: By seed, points of the learning curve: tokens read, and the clusters at that time.
        self.curves: dict[int, list[tuple[int, Clustering]]] = {}

    @cached_property
    def draws(self) -> dict[int, list[NDArray[np.int64]]]:
        """By number, draws of labelled training sentences, which name clusters and train BiGRUs."""
        config, n_train = self.config, self.corpus.splits["train"].n_sentences
        few = config.readout_sentences
        return {
            n: [
                draw_labelled(n_train, n, draw)
                for draw in range(config.readout_draws if n == few else config.label_curve_seeds)
            ]
            for n in sorted({*config.labels, few})
            if n < n_train
        }

    def new(self, seed: int) -> Any:
        """The unfitted learner of a seed."""
        return self.config.learner(seed, self.network, self.vectors)

    def fitted(
        self,
        seed: int,
        *,
        progress: Callable[[float], Any],
        after_text: Path | None = None,
        meter: Meter | None = None,
    ) -> Any:
        """Fit a learner on unlabelled text (kept in `after_text`) and the words of train."""
        learner = self.new(seed)
        options: dict[str, Any] = {"progress": progress}
        if self.text:
            stream = partial(stream_text, self.text.values(), **self.config.reading)
            options["text"] = stream if self.config.ensemble_size > 1 else stream()
            if after_text is not None:
                options["after_text"] = after_text
        # The last seeds, so that the first result does not wait for the curve.
        curve = seed >= self.config.seeds - self.config.learning_curve_seeds
        if curve and self.config.ensemble_size == 1 and self.corpus.layer is not None:
            options |= self._curve_options(learner, seed, meter)
        return learner.fit(self.sentences["train"], **options)

    def _curve_options(
        self, learner: RoleNetwork, seed: int, meter: Meter | None
    ) -> dict[str, Any]:
        """Options of `fit` that record the points of the learning curve."""
        n_once, passes = self.corpus.splits["train"].n_tokens, self.config.passes

        def observe(n_read: int) -> None:
            with meter.aside() if meter else nullcontext():
                found = self.cluster(learner, few=False)
            self.curves.setdefault(seed, []).append((n_read, found))

        # Slightly after the earliest start of the clusters, so that every seed has some.
        first = int(1.05 * learner.clusters_begin(n_once, after=bool(self.text)))
        ends = {n_once * n for n in range(1, passes)}
        points = sorted(ends.union(curve_points(first, passes * n_once)))
        return {"observe": observe, "observed_at": points}

    def cluster(self, learner: Any, *, few: bool = True) -> Clustering:
        """Cluster scored tokens and, with `few`, labelled ones; else find only the nearest."""
        learners = getattr(learner, "members_", [learner])
        prototypes = [one.prototypes_.centres for one in learners]
        draws = [draw for each in self.draws.values() for draw in each] if few else []
        labelled = np.unique([n for draw in draws for n in draw]).astype(np.int64)
        train = self.corpus.splits["train"].subset(labelled)
        members = {
            name: [
                memberships(one.transform(sentences), centres)
                if few
                else nearest_only(one.predict(sentences))
                for one, centres in zip(learners, prototypes, strict=True)
            ]
            for name, sentences in (self.sentences | {"train": train.sentences()}).items()
        }
        return Clustering(members, prototypes, labelled, train)


class Measuring:
    """Names the clusters of fitted learners by the roles of a layer, and scores them."""

    def __init__(self, learning: Learning, layer: str) -> None:
        self.learning, self.layer = learning, layer
        self.config, self.corpus = learning.config, learning.corpus
        self.roles = {name: split.layers[layer] for name, split in self.corpus.splits.items()}
        self.gold = Gold.of(self.corpus, layer)
        self.k = f"K={self.config.clusters}"

    @property
    def main_condition(self) -> str:
        members = self.config.ensemble_size
        return self.k if members == 1 else f"{self.k} members={members}"

    def parts(self) -> dict[str, dict[str, Any]]:
        """By condition, options of `RoleNetwork.derive` for the ablations and controls."""
        taus = self.config.timescales
        return {
            "view=own": {"view": "own"},
            "view=traces": {"view": "traces"},
            **({f"tau={tau:g}": {"timescales": (tau,)} for tau in taus} if len(taus) > 1 else {}),
            "shuffled=traces": {"shuffle_traces": True},
            "prototypes=random": {"prototypes": "random"},
        }

    def part(self, learner: Any, seed: int, condition: str, changes: dict[str, Any]) -> Measured:
        """Measure one ablation or control of a learner."""
        part = learner.derive(self.learning.sentences["train"], **changes)
        named = self._named_on_dev(self.learning.cluster(part, few=False))
        return Measured([("hebbian", f"{self.k} {condition}", seed, named)])

    def whole(self, learner: Any, seed: int) -> Measured:
        """Measure everything about a fitted learner that needs no further training."""
        measured = Measured()
        if self.config.ensemble_size > 1:
            self._readouts(measured, self.main_condition, seed, self.learning.cluster(learner))
            # Beside the ensemble: one learner that uses all features.
            learner = learner.derive(self.learning.sentences["train"])
        one = self.learning.cluster(learner)
        if seed == 0:
            measured.winners = {name: one.winners(name)[:, 0] for name in one.scored}
        self._readouts(measured, self.k, seed, one)
        for n_read, found in self.learning.curves.pop(seed, []):
            named = self._named_on_dev(found)
            measured.predicted.append(("hebbian", f"{self.k} tokens={n_read}", seed, named))
        shuffled = np.random.default_rng(seed).permutation(self.roles["dev"])
        named = self._named_on_dev(one, roles=shuffled)
        measured.predicted.append(("hebbian", f"{self.k} shuffled=labels", seed, named))
        self._score_clusters(measured, seed, one)
        return measured

    def name_by_dev(self, measured: Measured, model: str, seed: int, found: Clustering) -> None:
        """Name the clusters of a rival by all of dev, with each read-out, and score them."""
        for readout, soft in (("", False), (" readout=soft", True)):
            named = self._named_on_dev(found, soft=soft)
            measured.predicted.append((model, self.k + readout, seed, named))
        self._score_clusters(measured, seed, found, model=model)

    def _score_clusters(
        self, measured: Measured, seed: int, one: Clustering, *, model: str = "hebbian"
    ) -> None:
        """Score the clusters themselves, before they are named."""
        for name in one.scored:
            winners = one.winners(name)[:, 0]
            values = {
                m: (f(self.roles[name], winners), unit) for m, (f, unit) in CLUSTERING.items()
            }
            values["n_clusters_used"] = len(np.unique(winners)), "clusters"
            measured.scores += [
                Score(self.corpus.name, name, model, self.k, metric, None, seed, *value)
                for metric, value in values.items()
            ]

    def _readouts(self, measured: Measured, main: str, seed: int, found: Clustering) -> None:
        """Name clusters with each read-out, by all of dev and by few training sentences."""
        for readout, soft in (("", False), (" readout=soft", True)):
            named = self._named_on_dev(found, soft=soft)
            measured.predicted.append(("hebbian", main + readout, seed, named))
            for n, draws in self.learning.draws.items():
                for draw in draws:
                    condition = f"{main} labels={n}{readout}"
                    predicted = self.name_on_few(condition, found, draw, soft=soft)
                    measured.predicted.append(("hebbian", condition, seed, predicted))

    def name_on_few(
        self, condition: str, found: Clustering, sentences: NDArray[np.int64], *, soft: bool
    ) -> dict[str, NDArray[np.str_]]:
        """Roles of every split, with clusters named by a draw of labelled training sentences."""
        assert found.train is not None
        on = np.repeat(np.isin(found.labelled, sentences), np.diff(found.train.offsets))
        name = found.mapping("train", found.train.layers[self.layer], on, soft=soft)
        return {split: name(split) for split in found.scored}

    def _named_on_dev(
        self, found: Clustering, *, soft: bool = False, roles: NDArray[np.str_] | None = None
    ) -> Roles:
        """Roles of every split, with clusters named by those of dev, or by `roles`."""
        gold, dev = self.roles["dev"] if roles is None else roles, self.corpus.splits["dev"]
        return named_on_dev(lambda on: found.mapping("dev", gold, on, soft=soft), dev, found.scored)


def curve_points(first: int, n_tokens: int, n_points: int = 7) -> list[int]:
    """Points of a learning curve in tokens, evenly spaced on a logarithmic scale.

    >>> curve_points(100, 1000, 3)
    [100, 215, 464]
    >>> curve_points(9, 12)
    [9, 10, 11]
    """
    ratio = max(n_tokens, 1) / max(first, 1)
    return sorted({int(max(first, 1) * ratio ** (i / n_points)) for i in range(n_points)})
