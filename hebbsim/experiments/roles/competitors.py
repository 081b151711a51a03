"""Models to compare with: majority, lookup and BiGRUs, and unsupervised rivals."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from hebbsim.baselines import LookupBaseline, MajorityBaseline, PredictionJob
from hebbsim.errors import BadInputError, LibraryMissingError
from hebbsim.experiments.roles.learning import Learning, Measuring
from hebbsim.experiments.roles.scores import Clustering, Measured, Roles
from hebbsim.probes import Memberships
from hebbsim.readers.base import Split
from hebbsim.readers.corpus_kinds import kinds_of
from hebbsim.rivals import RIVALS, new_rival, rival_class, settings_for
from hebbsim.runs.costs import Cost, Meter


class Key(NamedTuple):
    """Identifies the training of one model, and its step in the cache."""

    #: Name of a rival, or condition of a BiGRU.
    name: str
    seed: int

    @property
    def step(self) -> str:
        return f"{'rival' if self.name in RIVALS else 'bigru'} {self.name} seed={self.seed}"


class Supervised:
    """Models trained on the labels of a layer, with the splits and draws of the learner."""

    def __init__(self, learning: Learning, layer: str) -> None:
        self.learning, self.layer = learning, layer
        self.config, self.corpus = learning.config, learning.corpus

    def simple(self) -> Iterator[tuple[str, Roles]]:
        """Names and predicted roles of the majority and lookup baselines."""
        scored = dict(self.learning.sentences)
        train, labels = scored.pop("train"), self.corpus.splits["train"].layers[self.layer]
        for name, model in (("majority", MajorityBaseline()), ("lookup", LookupBaseline())):
            model.fit(train, labels)
            yield name, {split: model.predict(s) for split, s in scored.items()}

    def jobs(self) -> dict[Key, PredictionJob]:
        """All BiGRUs except those with Hebbian codes, by condition and seed."""
        config = self.config
        # Long jobs first, so that no worker is left with one at the end.
        jobs = {Key("labels=all", seed): self._job(seed) for seed in range(config.bigru_seeds)}
        for labels, draws in reversed(self.learning.draws.items()):
            for draw in range(len(draws)):
                jobs[Key(f"labels={labels}", draw)] = self._job(draw, labels=labels)
        for seed in range(config.label_curve_seeds):
            key = Key("labels=readout", seed)
            jobs[key] = self._job(seed, train=self.corpus.splits["dev"])
        return jobs

    def codes_job(self, fitted: Callable[[], Any], seed: int) -> PredictionJob:
        """A BiGRU whose word embeddings start from the codes of a learner."""
        words = np.unique(np.concatenate([s.forms for s in self.corpus.splits.values()])).tolist()
        codes = fitted().word_codes(words)
        return self._job(seed, codes=dict(zip(words, codes, strict=True)))

    def _job(self, seed: int, *, train: Split | None = None, **options: Any) -> PredictionJob:
        splits = self.corpus.splits
        on_dev = train is not None  # then dev is neither used for early stopping nor scored
        held = {"train", "dev"} if on_dev else {"train"}
        return PredictionJob(
            train=train or splits["train"],
            layer=self.layer,
            evaluation={k: v for k, v in splits.items() if k not in held},
            sha256=self.corpus.sha256,
            dev=None if on_dev else splits["dev"],
            seed=seed,
            **options,
        )


class FoundClusters(NamedTuple):
    """Clusters of all splits, prototypes of shape (K, D), and the cost of training."""

    members: dict[str, Memberships]
    prototypes: NDArray[np.float32]
    seconds: float
    memory: int | None


@dataclass(frozen=True, eq=False)
class RivalJob:
    """A rival to train in a worker process, and the sentences that it clusters; words only."""

    name: str
    train: list[list[str]]
    evaluation: Mapping[str, list[list[str]]]
    n_clusters: int
    seed: int
    settings: Mapping[str, Any]

    def load(self) -> None:
        """Return None: results are cached with the steps of the run."""

    def run(self) -> FoundClusters:
        """Learn, then cluster every split."""
        rival = new_rival(self.name, self.n_clusters, self.seed, self.settings)
        rival.import_library()  # outside the measurement
        import sklearn.cluster  # noqa: F401

        with threadpool_limits(1):  # BLAS sums in another order with more threads
            with Meter() as meter:
                rival.fit(self.train)
            members = {name: rival.memberships(s) for name, s in self.evaluation.items()}
        return FoundClusters(members, rival.prototypes_, meter.seconds, meter.memory)


class Rivals:
    """The rivals of a run; raises BadInputError if the library of one is not installed."""

    def __init__(self, learning: Learning) -> None:
        self.learning, config = learning, learning.config
        self.keys = [Key(*key) for key in product(config.rivals, range(config.rival_seeds))]
        for name in config.rivals:
            try:
                rival_class(name).require_library()
            except LibraryMissingError as error:
                raise BadInputError(f"--rivals {name}: {error}; or name others") from None

    def job(self, key: Key) -> RivalJob:
        """The training job of a rival; it receives words only."""
        config, sentences = self.learning.config, dict(self.learning.sentences)
        return RivalJob(
            name=key.name,
            train=sentences.pop("train"),
            evaluation=sentences,
            n_clusters=config.clusters,
            seed=key.seed,
            settings=settings_for(key.name, kinds_of(config.corpus)),
        )

    @staticmethod
    def measure(measuring: Measuring, key: Key, found: FoundClusters) -> Measured:
        """Name the clusters of a rival as those of the learner, and score them."""
        cost = Cost(key.name, measuring.k, key.seed, found.seconds, found.memory)
        measured = Measured(costs=[cost])
        members = {name: [members] for name, members in found.members.items()}
        measuring.name_by_dev(measured, key.name, key.seed, Clustering(members, [found.prototypes]))
        return measured
