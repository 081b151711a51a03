"""What the learner without labels is compared with: majority, look-up, and BiGRUs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from hebbsim.baselines import LookupBaseline, MajorityBaseline, PredictionJob
from hebbsim.experiments.roles.learning import Learning
from hebbsim.experiments.roles.measured import Roles
from hebbsim.readers.base import Split

JobKey = tuple[str, int]  # condition, seed


class Supervised:
    """Models that are trained on the labels of a layer, on the learner's splits and draws."""

    def __init__(self, learning: Learning, layer: str) -> None:
        self.learning, self.layer = learning, layer
        self.config, self.corpus = learning.config, learning.corpus

    def simple(self) -> Iterator[tuple[str, Roles]]:
        """Majority and look-up by name, with the roles that they predict."""
        sentences, train = self.learning.sentences, self.corpus.splits["train"]
        scored = {name: s for name, s in sentences.items() if name != "train"}
        for name, model in (("majority", MajorityBaseline()), ("lookup", LookupBaseline())):
            model.fit(sentences["train"], train.layers[self.layer])
            yield name, {split: model.predict(s) for split, s in scored.items()}

    def jobs(self) -> dict[JobKey, PredictionJob]:
        """Every BiGRU but those that start from a learner's codes, by condition and seed."""
        config = self.config
        # The longest first, so that no worker is left with one at the end.
        jobs = {("labels=all", seed): self._job(seed) for seed in range(config.bigru_seeds)}
        for labels, draws in reversed(self.learning.draws.items()):
            for draw in range(len(draws)):
                jobs[f"labels={labels}", draw] = self._job(draw, labels=labels)
        for seed in range(config.label_curve_seeds):
            jobs["labels=readout", seed] = self._job(seed, train=self.corpus.splits["dev"])
        return jobs

    def codes_job(self, fitted: Callable[[], Any], seed: int) -> PredictionJob:
        """A BiGRU that starts from the type codes of a learner."""
        learner = fitted()
        words = np.unique(np.concatenate([s.forms for s in self.corpus.splits.values()])).tolist()
        codes = learner.word_codes(words)
        return self._job(seed, codes=dict(zip(words, codes, strict=True)))

    def _job(self, seed: int, *, train: Split | None = None, **options: Any) -> PredictionJob:
        splits = self.corpus.splits
        on_dev = train is not None  # then dev is no longer there to stop on or to score
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
