"""Supervised models for comparison: majority, lookup and BiGRUs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from hebbsim.baselines import LookupBaseline, MajorityBaseline, PredictionJob
from hebbsim.experiments.roles.learning import Learning
from hebbsim.experiments.roles.measured import Roles
from hebbsim.readers.base import Split


class BiGRUKey(NamedTuple):
    """Identifies the job of one BiGRU, and its step in the cache."""

    condition: str
    seed: int

    @property
    def step(self) -> str:
        return f"bigru {self.condition} seed={self.seed}"


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

    def jobs(self) -> dict[BiGRUKey, PredictionJob]:
        """All BiGRUs except those with Hebbian codes, by condition and seed."""
        config = self.config
        # Long jobs first, so that no worker is left with one at the end.
        jobs = {BiGRUKey("labels=all", seed): self._job(seed) for seed in range(config.bigru_seeds)}
        for labels, draws in reversed(self.learning.draws.items()):
            for draw in range(len(draws)):
                jobs[BiGRUKey(f"labels={labels}", draw)] = self._job(draw, labels=labels)
        for seed in range(config.label_curve_seeds):
            key = BiGRUKey("labels=readout", seed)
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
